//! Ends an operation once nothing is left to do.

use sqlx::PgConnection;
use uuid::Uuid;

use super::get_operation::{done_so_far, work_queue};
use super::{App, ScoringError};
use crate::storage::{backtests, operations};

/// Ends the operation if nothing is left to do, in the caller's transaction;
/// answers whether it has ended, now or before. Accounts that were given up
/// are not waited for and count as not scored.
pub(crate) async fn execute(app: &App, conn: &mut PgConnection, id: Uuid) -> Result<bool, ScoringError> {
    let Some(record) = operations::lock(conn, id).await?.filter(|record| record.ended_at.is_none()) else {
        return Ok(true);
    };
    let left = app.core.jobs.count(conn, work_queue(record.kind)).await?;
    if left.waiting > 0 {
        return Ok(false);
    }
    let done_count = done_so_far(app, conn, &record).await?;
    operations::end(conn, id, done_count, false, app.core.clock.now()).await?;
    backtests::forget_replayed(conn, id).await?;
    Ok(true)
}
