//! Ends an operation early. What was scored by a recomputation stays.

use mainstay_storage::transact;
use uuid::Uuid;

use super::get_operation::{OperationEnd, done_count, done_so_far, not_found};
use super::queues::{OPERATION_STEPS_QUEUE, RECOMPUTE_QUEUE};
use super::{App, ScoringError, operation_steps};
use crate::domain::OperationKind;
use crate::storage::operations;

/// Cancels the operation; one that has ended, or has done all its work, stays as it is. Waits for the
/// accounts that are being worked on at this moment.
pub(crate) async fn execute(app: &App, id: Uuid) -> Result<(), ScoringError> {
    transact(&app.core.pool, async |conn| {
        // The lock comes first: an operation that ended has no jobs, and those there are another's.
        let record = operations::lock(conn, id).await?.ok_or_else(|| not_found(id))?;
        if record.ended_at.is_some() {
            return Ok(());
        }
        let done_count = match record.kind {
            OperationKind::Recompute => done_count(&record, app.core.jobs.clear(conn, RECOMPUTE_QUEUE).await?),
            OperationKind::Backtest | OperationKind::Training => {
                app.core.jobs.cancel(conn, OPERATION_STEPS_QUEUE, &[&id.to_string()]).await?;
                done_so_far(app, conn, &record).await?
            }
        };
        // Its last step may have been done meanwhile: what came of it is there, and others may have seen it.
        let is_complete = OperationEnd::lookup(conn, &record).await?.is_some();
        operations::end(conn, id, done_count, !is_complete, app.core.clock.now()).await?;
        operation_steps::forget(conn, &record).await?;
        Ok(())
    })
    .await
}
