//! Applies events: effect and offset in one transaction.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use mainstay_domain::with_causes;
use mainstay_storage::{StorageError, transact};
use sqlx::{PgConnection, PgPool};
use tracing::Instrument;

use super::handler::{EventHandler, HandlerError};
use super::settings::ConsumerSettings;
use super::store::Store;
use crate::event::Event;

/// Why an event is parked that was never tried.
const WAITS_REASON: &str = "waits behind an earlier event of its account";

/// Where a partition stands after events were given to it.
#[derive(Debug)]
pub(super) enum Applied {
    /// All have taken effect, here or at another replica.
    All,
    /// The first one that has not taken effect is to be tried again after the wait.
    UpTo {
        /// The event that failed.
        failed: Event,
        /// How long to wait.
        wait: Duration,
        /// Whether events after it were given, too.
        has_more: bool,
    },
}

/// How one attempt at some events ended.
enum Attempt {
    Applied,
    Skipped(String),
    Failed(HandlerError),
}

/// What is needed to apply events; shared by the partitions.
pub(super) struct Worker {
    pub(super) consumer: &'static str,
    pub(super) store: Store,
    pub(super) handler: Arc<dyn EventHandler>,
    pub(super) pool: PgPool,
    pub(super) settings: ConsumerSettings,
}

impl Worker {
    /// Applies events of one partition, in their order: all in one transaction, and
    /// when that fails each in its own, so that those before the faulty one are not held up.
    ///
    /// # Errors
    /// When the database is not available; nothing is counted as an attempt then.
    pub(super) async fn apply(&self, events: &[Event]) -> Result<Applied, StorageError> {
        let may_join = events.len() > 1 && !self.handler.is_one_per_transaction();
        if may_join && matches!(self.attempt(events).await?, Attempt::Applied) {
            return Ok(Applied::All);
        }
        for (index, event) in events.iter().enumerate() {
            if let Some(wait) = self.apply_one(event).await? {
                return Ok(Applied::UpTo { failed: event.clone(), wait, has_more: index + 1 < events.len() });
            }
        }
        Ok(Applied::All)
    }

    /// Applies one event; says how long to wait when it has to be tried again.
    pub(super) async fn apply_one(&self, event: &Event) -> Result<Option<Duration>, StorageError> {
        match self.attempt(std::slice::from_ref(event)).await? {
            Attempt::Applied => Ok(None),
            Attempt::Skipped(reason) => {
                tracing::warn!(consumer = self.consumer, event = %event.id, r#type = event.event_type, reason, "event passed over");
                self.pass(event).await?;
                self.count("skipped", 1);
                Ok(None)
            }
            // Transactions that meet say nothing about the event.
            Attempt::Failed(HandlerError::Storage(StorageError::Conflict)) => Ok(Some(self.settings.retry_base)),
            Attempt::Failed(error) => self.fail(event, &error).await,
        }
    }

    /// One transaction with the effects of the events and the offset of the last one. Unavailability of the database is an
    /// error and not the events' failure.
    async fn attempt(&self, events: &[Event]) -> Result<Attempt, StorageError> {
        let outcome = transact(&self.pool, async |conn: &mut PgConnection| self.effects(conn, events).await).await;
        match outcome {
            Ok(handled) => {
                self.count("applied", handled);
                Ok(Attempt::Applied)
            }
            Err(HandlerError::Skip(reason)) => Ok(Attempt::Skipped(reason)),
            Err(HandlerError::Storage(StorageError::Unavailable(error))) => Err(StorageError::Unavailable(error)),
            Err(error) => Ok(Attempt::Failed(error)),
        }
    }

    async fn effects(&self, conn: &mut PgConnection, events: &[Event]) -> Result<u64, HandlerError> {
        let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(0) };
        let stored_offset = self.store.lock_partition(conn, first.partition).await?;
        let fresh: Vec<&Event> = events.iter().filter(|event| event.offset > stored_offset).collect();
        if fresh.is_empty() {
            return Ok(0);
        }
        let account_ids: HashSet<&str> = fresh.iter().map(|event| event.account_id()).collect();
        let account_ids: Vec<&str> = account_ids.into_iter().collect();
        let parked = self.store.parked_accounts(conn, &account_ids).await?;
        let mut handled = 0;
        for event in fresh {
            if parked.iter().any(|account_id| account_id == event.account_id()) {
                self.store.park(conn, event, WAITS_REASON, 0).await?;
            } else {
                self.handle(conn, event).await?;
                handled += 1;
            }
        }
        self.store.advance(conn, first.partition, last.offset).await?;
        Ok(handled)
    }

    /// Calls the handler, in the trace of the call that caused the event.
    async fn handle(&self, conn: &mut PgConnection, event: &Event) -> Result<(), HandlerError> {
        let span = tracing::info_span!(
            "consume",
            consumer = self.consumer,
            event = %event.id,
            r#type = event.event_type,
            offset = event.offset
        );
        if let Some(traceparent) = &event.traceparent {
            mainstay_telemetry::propagation::set_parent_from_traceparent(&span, traceparent);
        }
        let handling = self.handler.handle(conn, event).instrument(span);
        match AssertUnwindSafe(handling).catch_unwind().await {
            Ok(handled) => handled,
            Err(_) => Err(HandlerError::Retry("the handler panicked; the log has its message".to_owned())),
        }
    }

    /// Counts a failed attempt, and parks the event after the last one.
    async fn fail(&self, event: &Event, error: &HandlerError) -> Result<Option<Duration>, StorageError> {
        let reason = with_causes(error);
        let Some(attempts) = self.store.record_failure(&self.pool, event, &reason).await? else { return Ok(None) };
        self.count("failed", 1);
        if attempts < self.settings.attempts_max {
            let wait = backoff(&self.settings, attempts);
            tracing::warn!(consumer = self.consumer, event = %event.id, r#type = event.event_type, attempts, reason, wait_ms = wait.as_millis(), "event failed");
            return Ok(Some(wait));
        }
        tracing::error!(consumer = self.consumer, event = %event.id, r#type = event.event_type, attempts, reason, "event parked; later events of its account wait behind it until it is requeued or discarded");
        self.park(event, reason, attempts).await?;
        self.count("parked", 1);
        Ok(None)
    }

    async fn park(&self, event: &Event, reason: String, attempts: i32) -> Result<(), StorageError> {
        transact(&self.pool, async |conn: &mut PgConnection| {
            if self.store.lock_partition(conn, event.partition).await? < event.offset {
                self.store.park(conn, event, &reason, attempts).await?;
                self.store.advance(conn, event.partition, event.offset).await?;
            }
            Ok(())
        })
        .await
    }

    async fn pass(&self, event: &Event) -> Result<(), StorageError> {
        transact(&self.pool, async |conn: &mut PgConnection| {
            if self.store.lock_partition(conn, event.partition).await? < event.offset {
                self.store.advance(conn, event.partition, event.offset).await?;
            }
            Ok(())
        })
        .await
    }

    /// Tries the first parked event of an account again. When it takes effect, the next one of the account is requeued;
    /// when not, it stays where it is until somebody requeues it.
    ///
    /// The event is handled and taken away in one transaction that holds the partition, so that no new event of the
    /// account can overtake those that wait.
    pub(super) async fn replay(&self, event: &Event) -> Result<(), StorageError> {
        match self.release(event, true).await {
            Ok(()) => self.count("replayed", 1),
            Err(HandlerError::Skip(reason)) => {
                tracing::warn!(consumer = self.consumer, event = %event.id, r#type = event.event_type, reason, "parked event passed over");
                self.release(event, false).await.or_else(storage_error)?;
                self.count("skipped", 1);
            }
            Err(HandlerError::Storage(StorageError::Conflict)) => {}
            Err(HandlerError::Storage(StorageError::Unavailable(error))) => {
                return Err(StorageError::Unavailable(error));
            }
            Err(error) => {
                let reason = with_causes(&error);
                tracing::error!(consumer = self.consumer, event = %event.id, r#type = event.event_type, reason, "parked event failed again");
                self.store.fail_parked(&self.pool, event, &reason).await?;
            }
        }
        Ok(())
    }

    /// Takes an event that is still the first parked of its account away, with its effect if it is to have one.
    async fn release(&self, event: &Event, has_effect: bool) -> Result<(), HandlerError> {
        transact(&self.pool, async |conn: &mut PgConnection| {
            self.store.lock_partition(conn, event.partition).await?;
            let first = self.store.first_requeued(conn, event.account_id()).await?;
            if first != Some(event.offset) {
                return Ok(());
            }
            if has_effect {
                self.handle(conn, event).await?;
            }
            Ok(self.store.release(conn, event).await?)
        })
        .await
    }

    fn count(&self, outcome: &'static str, events: u64) {
        metrics::counter!("mainstay_consumer_events_total", "consumer" => self.consumer, "outcome" => outcome)
            .increment(events);
    }
}

/// The error of a transaction in which no handler was called.
fn storage_error(error: HandlerError) -> Result<(), StorageError> {
    match error {
        HandlerError::Storage(error) => Err(error),
        HandlerError::Retry(_) | HandlerError::Skip(_) => Ok(()),
    }
}

/// The base, doubled with each attempt after the first, up to the longest wait.
fn backoff(settings: &ConsumerSettings, attempts: i32) -> Duration {
    let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(31);
    settings.retry_base.saturating_mul(1 << doublings).min(settings.retry_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let settings = ConsumerSettings::default();
        assert_eq!(backoff(&settings, 1), Duration::from_millis(200));
        assert_eq!(backoff(&settings, 4), Duration::from_millis(1_600));
        assert_eq!(backoff(&settings, 10), Duration::from_mins(1));
        assert_eq!(backoff(&settings, i32::MAX), Duration::from_mins(1));
    }
}
