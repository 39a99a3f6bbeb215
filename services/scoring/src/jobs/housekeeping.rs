//! Throws away what is past its time.

use std::time::Duration;

use chrono::TimeDelta;
use mainstay_storage::{Idempotency, StorageError};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// How often.
const INTERVAL: Duration = Duration::from_mins(10);
/// Records of requests in one statement.
const SWEEP_BATCH: u32 = 1_000;

/// Throws away the answers kept for repeated requests, and events, that are past their time. Dead jobs stay until
/// somebody looks at them: there is at most one for an account and queue.
#[derive(Clone)]
pub(crate) struct Housekeeping {
    pub app: App,
    pub pool: PgPool,
    pub feed_retention: TimeDelta,
}

impl Housekeeping {
    /// Keeps house from time to time, at first at once.
    pub(crate) async fn run(&self, cancel: &CancellationToken) {
        let mut ticks = tokio::time::interval(INTERVAL);
        while cancel.run_until_cancelled(ticks.tick()).await.is_some() {
            if let Err(error) = self.throw_away_old().await {
                tracing::warn!(%error, "old requests and events could not be thrown away; tried again later");
            }
        }
    }

    /// Throws away everything that is past its time now.
    pub(crate) async fn throw_away_old(&self) -> Result<(), StorageError> {
        let Self { app, pool, feed_retention } = self;
        let now = app.clock.now();
        let answered_before = now - Idempotency::RETENTION;
        while app.idempotency.sweep(pool, answered_before, SWEEP_BATCH).await? == u64::from(SWEEP_BATCH) {}
        app.events.prune(pool, now - *feed_retention).await?;
        Ok(())
    }
}
