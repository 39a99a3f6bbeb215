//! Ends a recomputation early. What was scored stays.

use mainstay_storage::transact;
use uuid::Uuid;

use super::get_operation::{done_count, not_found};
use super::queues::RECOMPUTE_QUEUE;
use super::{App, ScoringError};
use crate::storage::operations;

/// Cancels the operation; one that has ended stays as it is. Waits for the
/// accounts that are being scored at this moment.
pub(crate) async fn execute(app: &App, id: Uuid) -> Result<(), ScoringError> {
    transact(&app.core.pool, async |conn| {
        // The lock comes first: an operation that ended has no jobs, and those there are another's.
        let record = operations::lock(conn, id).await?.ok_or_else(|| not_found(id))?;
        if record.ended_at.is_some() {
            return Ok(());
        }
        let left = app.core.jobs.clear(conn, RECOMPUTE_QUEUE).await?;
        operations::end(conn, id, done_count(&record, left), true, app.core.clock.now()).await?;
        Ok(())
    })
    .await
}
