//! The service's own settings.

use std::time::Duration;

use mainstay_rpc::settings::Reader;

/// How the service does its background work.
#[derive(Debug, Clone)]
pub struct ScoringSettings {
    /// Workers that score accounts, in this process.
    pub rescore_workers: u32,
    /// How long a worker that found nothing due waits before it looks again.
    pub poll_interval: Duration,
    /// How long the event feed keeps its events.
    pub feed_retention: Duration,
}

impl Default for ScoringSettings {
    fn default() -> Self {
        Self {
            rescore_workers: 2,
            poll_interval: Duration::from_millis(250),
            feed_retention: Duration::from_hours(24 * 90),
        }
    }
}

impl ScoringSettings {
    /// Reads them; faults go to the reader.
    pub fn read(reader: &mut Reader) -> Self {
        let defaults = Self::default();
        Self {
            rescore_workers: reader.u32(
                "scoring.rescore_workers",
                "Workers that score accounts, in this process; each holds a database connection while it works.",
                defaults.rescore_workers,
                1..=32,
            ),
            poll_interval: reader.duration(
                "scoring.poll_interval",
                "How long a worker that found nothing due waits before it looks again.",
                defaults.poll_interval,
                Duration::from_millis(10)..=Duration::from_mins(1),
            ),
            feed_retention: reader.duration(
                "scoring.feed_retention",
                "How long the event feed keeps its events; readers further behind must start anew.",
                defaults.feed_retention,
                Duration::from_hours(1)..=Duration::from_hours(24 * 3650),
            ),
        }
    }
}
