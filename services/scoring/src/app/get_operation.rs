//! A long-running operation and how far it is.

use sqlx::PgConnection;
use uuid::Uuid;

use super::queues::RECOMPUTE_QUEUE;
use super::{App, ScoringError};
use crate::storage::operations::{self, OperationRecord};

/// An operation and how many of its accounts are scored so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OperationView {
    pub record: OperationRecord,
    pub done_count: i64,
}

impl OperationView {
    /// Whether it has ended, however it did.
    pub(crate) fn is_done(&self) -> bool {
        self.record.ended_at.is_some()
    }

    pub(super) async fn of(app: &App, conn: &mut PgConnection, record: OperationRecord) -> Result<Self, ScoringError> {
        let done_count = if record.ended_at.is_some() {
            record.done_count
        } else {
            let left = app.core.jobs.count(conn, RECOMPUTE_QUEUE).await?;
            done_count(&record, left.waiting + left.dead)
        };
        Ok(Self { record, done_count })
    }
}

/// Accounts scored when the jobs of so many accounts are left.
pub(super) fn done_count(record: &OperationRecord, left: u64) -> i64 {
    let left = i64::try_from(left).unwrap_or(i64::MAX);
    (record.account_count - left.min(record.account_count)).max(0)
}

/// Reads the operation.
pub(crate) async fn execute(app: &App, id: Uuid) -> Result<OperationView, ScoringError> {
    let mut conn = app.core.pool.acquire().await?;
    let record = operations::lookup(&mut conn, id).await?.ok_or_else(|| not_found(id))?;
    OperationView::of(app, &mut conn, record).await
}

pub(super) fn not_found(id: Uuid) -> ScoringError {
    ScoringError::OperationNotFound(format!("operations/{id}"))
}
