//! Ends an operation early. What was scored by a recomputation stays.

use mainstay_storage::transact;
use uuid::Uuid;

use super::get_operation::{done_count, done_so_far, not_found, work_queue};
use super::{App, ScoringError};
use crate::domain::OperationKind;
use crate::storage::{backtests, operations};

/// Cancels the operation; one that has ended stays as it is. Waits for the
/// accounts that are being worked on at this moment.
pub(crate) async fn execute(app: &App, id: Uuid) -> Result<(), ScoringError> {
    transact(&app.core.pool, async |conn| {
        // The lock comes first: an operation that ended has no jobs, and those there are another's.
        let record = operations::lock(conn, id).await?.ok_or_else(|| not_found(id))?;
        if record.ended_at.is_some() {
            return Ok(());
        }
        let left = app.core.jobs.clear(conn, work_queue(record.kind)).await?;
        let done_count = match record.kind {
            OperationKind::Recompute => done_count(&record, left),
            OperationKind::Backtest => done_so_far(app, conn, &record).await?,
        };
        operations::end(conn, id, done_count, true, app.core.clock.now()).await?;
        backtests::forget_replayed(conn, id).await?;
        Ok(())
    })
    .await
}
