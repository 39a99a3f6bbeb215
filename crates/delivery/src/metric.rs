//! What a dispatcher measures, by channel.

use std::time::Duration;

use chrono::{DateTime, Utc};
use mainstay_storage::StorageError;
use sqlx::PgPool;

use crate::{Channel, Delivery, MessageState};

/// Messages sent.
const SENT: &str = "mainstay_delivery_sent_total";
/// Attempts failed.
const FAILED: &str = "mainstay_delivery_failed_total";
/// Messages given up.
const DIED: &str = "mainstay_delivery_dead_total";
/// From the time a message could first be sent to its being sent, of messages that were not replayed.
const LATENCY_SECONDS: &str = "mainstay_delivery_latency_seconds";
/// Messages that wait now.
const PENDING: &str = "mainstay_delivery_pending";
/// Messages that are dead now.
const DEAD: &str = "mainstay_delivery_dead";
/// How long the longest due message has been due, in seconds.
const LAG_SECONDS: &str = "mainstay_delivery_lag_seconds";

pub(crate) fn sent(channel: Channel, latency: Option<Duration>) {
    metrics::counter!(SENT, "channel" => channel.as_str()).increment(1);
    if let Some(latency) = latency {
        metrics::histogram!(LATENCY_SECONDS, "channel" => channel.as_str()).record(latency.as_secs_f64());
    }
}

pub(crate) fn failed(channel: Channel) {
    metrics::counter!(FAILED, "channel" => channel.as_str()).increment(1);
}

pub(crate) fn died(channel: Channel) {
    metrics::counter!(DIED, "channel" => channel.as_str()).increment(1);
}

/// Sets the gauges.
pub(crate) async fn observe(delivery: &Delivery, pool: &PgPool, now: DateTime<Utc>) -> Result<(), StorageError> {
    let counts: Vec<(i16, i16, i64, Option<DateTime<Utc>>)> =
        sqlx::query_as(delivery.statements.observe.sql()).bind(now).fetch_all(pool).await?;
    for channel in Channel::ALL {
        let of_state = |state: MessageState| {
            let count = counts.iter().find(|(of, in_state, ..)| *of == channel.code() && *in_state == state.code());
            count.map_or((0, None), |(.., messages, oldest_due)| (*messages, *oldest_due))
        };
        let (pending, oldest_due) = of_state(MessageState::Pending);
        let (dead, _) = of_state(MessageState::Dead);
        let lag = oldest_due.map_or(0.0, |oldest| (now - oldest).as_seconds_f64());
        metrics::gauge!(PENDING, "channel" => channel.as_str()).set(pending as f64);
        metrics::gauge!(DEAD, "channel" => channel.as_str()).set(dead as f64);
        metrics::gauge!(LAG_SECONDS, "channel" => channel.as_str()).set(lag);
    }
    Ok(())
}
