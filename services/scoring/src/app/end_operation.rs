//! Ends an operation once nothing is left to do.

use sqlx::PgConnection;
use uuid::Uuid;

use super::get_operation::done_so_far;
use super::queues::{OPERATION_STEPS_QUEUE, RECOMPUTE_QUEUE};
use super::{App, ScoringError, operation_steps};
use crate::domain::OperationKind;
use crate::storage::operations;

/// Ends the operation if nothing is left to do, in the caller's transaction;
/// answers whether it has ended, now or before. Accounts that were given up
/// are not waited for and count as not scored.
pub(crate) async fn execute(app: &App, conn: &mut PgConnection, id: Uuid) -> Result<bool, ScoringError> {
    let Some(record) = operations::lock(conn, id).await?.filter(|record| record.ended_at.is_none()) else {
        return Ok(true);
    };
    let jobs = &app.core.jobs;
    let is_under_way = match record.kind {
        OperationKind::Recompute => jobs.count(conn, RECOMPUTE_QUEUE).await?.waiting > 0,
        OperationKind::Backtest | OperationKind::Training => {
            jobs.is_waiting(conn, OPERATION_STEPS_QUEUE, &id.to_string()).await?
        }
    };
    if is_under_way {
        return Ok(false);
    }
    let done_count = done_so_far(app, conn, &record).await?;
    operations::end(conn, id, done_count, false, app.core.clock.now()).await?;
    operation_steps::forget(conn, &record).await?;
    Ok(true)
}
