//! What a runner measures, by queue.

use chrono::{DateTime, Utc};

use crate::QueueStats;

/// Jobs completed.
const PROCESSED: &str = "mainstay_jobs_processed_total";
/// Attempts failed.
const FAILED: &str = "mainstay_jobs_failed_total";
/// Jobs given up.
const DIED: &str = "mainstay_jobs_died_total";
/// Jobs due now.
const DUE: &str = "mainstay_jobs_due";
/// Jobs that are dead now.
const DEAD: &str = "mainstay_jobs_dead";
/// How long the longest due job has been due, in seconds.
const LAG_SECONDS: &str = "mainstay_jobs_lag_seconds";

pub(crate) fn processed(queue: &'static str, count: usize) {
    metrics::counter!(PROCESSED, "queue" => queue).increment(count as u64);
}

pub(crate) fn failed(queue: &'static str) {
    metrics::counter!(FAILED, "queue" => queue).increment(1);
}

pub(crate) fn died(queue: &'static str) {
    metrics::counter!(DIED, "queue" => queue).increment(1);
}

/// Sets the gauges of a queue; a queue without jobs has no `stats`.
pub(crate) fn observe(queue: &'static str, stats: Option<&QueueStats>, now: DateTime<Utc>) {
    let lag = stats.and_then(|stats| stats.oldest_due).map_or(0.0, |oldest| (now - oldest).as_seconds_f64());
    metrics::gauge!(DUE, "queue" => queue).set(stats.map_or(0, |stats| stats.due) as f64);
    metrics::gauge!(DEAD, "queue" => queue).set(stats.map_or(0, |stats| stats.dead) as f64);
    metrics::gauge!(LAG_SECONDS, "queue" => queue).set(lag);
}
