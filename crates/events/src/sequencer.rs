//! The task that gives offsets.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::log::EventLog;

/// How a [`Sequencer`] works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SequencerSettings {
    /// Wait between two looks at an outbox that was empty.
    pub poll_interval: Duration,
    /// Most events of one transaction.
    pub batch_max: i64,
    /// Longest wait after the database failed.
    pub backoff_max: Duration,
}

impl Default for SequencerSettings {
    /// Polls every 100 ms, 2 000 events at a time, waits at most 5 s after a failure.
    fn default() -> Self {
        Self { poll_interval: Duration::from_millis(100), batch_max: 2_000, backoff_max: Duration::from_secs(5) }
    }
}

/// Gives offsets to what is written, for as long as it runs. Every replica runs one. Clones share the wake-up.
#[derive(Debug, Clone)]
pub struct Sequencer {
    log: EventLog,
    pool: PgPool,
    settings: SequencerSettings,
    wake: Arc<Notify>,
}

impl Sequencer {
    /// A sequencer of the log.
    pub fn new(log: EventLog, pool: PgPool, settings: SequencerSettings) -> Self {
        Self { log, pool, settings, wake: Arc::new(Notify::new()) }
    }

    /// Looks at the outbox now instead of at the next poll. To be called after a commit; not required.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Works until `cancel`. A batch under way is finished or rolled back whole.
    pub async fn run(&self, cancel: CancellationToken) {
        let mut backoff = self.settings.poll_interval;
        loop {
            let wait = match self.log.sequence(&self.pool, self.settings.batch_max).await {
                Ok(0) => {
                    backoff = self.settings.poll_interval;
                    self.settings.poll_interval
                }
                Ok(_) => {
                    backoff = self.settings.poll_interval;
                    Duration::ZERO
                }
                Err(error) => {
                    tracing::warn!(error = %error, detail = ?error, "events wait for their offsets: the outbox could not be moved");
                    backoff = (backoff * 2).min(self.settings.backoff_max);
                    backoff
                }
            };
            tokio::select! {
                biased;
                () = cancel.cancelled() => return,
                () = self.wake.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}
