//! Ends a recomputation once no account is left to score.

use sqlx::PgConnection;
use uuid::Uuid;

use super::get_operation::done_count;
use super::queues::RECOMPUTE_QUEUE;
use super::{App, ScoringError};
use crate::storage::operations;

/// Ends the operation if nothing is left to do, in the caller's transaction;
/// answers whether it has ended, now or before. Accounts that were given up
/// are not waited for and count as not scored.
pub(crate) async fn execute(app: &App, conn: &mut PgConnection, id: Uuid) -> Result<bool, ScoringError> {
    let Some(record) = operations::lock(conn, id).await?.filter(|record| record.ended_at.is_none()) else {
        return Ok(true);
    };
    let left = app.core.jobs.count(conn, RECOMPUTE_QUEUE).await?;
    if left.waiting > 0 {
        return Ok(false);
    }
    operations::end(conn, id, done_count(&record, left.dead), false, app.core.clock.now()).await?;
    Ok(true)
}
