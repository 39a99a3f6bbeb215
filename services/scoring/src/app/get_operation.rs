//! A long-running operation and how far it is.

use sqlx::PgConnection;
use uuid::Uuid;

use super::queues::{BACKTEST_QUEUE, RECOMPUTE_QUEUE};
use super::{App, ScoringError};
use crate::domain::OperationKind;
use crate::domain::backtest::BacktestEnd;
use crate::storage::backtests;
use crate::storage::operations::{self, OperationRecord};

/// An operation and how many of its accounts are scored so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OperationView {
    pub record: OperationRecord,
    pub done_count: i64,
    /// What came of a backtest that has ended.
    pub backtest: Option<BacktestEnd>,
}

impl OperationView {
    /// Whether it has ended, however it did.
    pub(crate) fn is_done(&self) -> bool {
        self.record.ended_at.is_some()
    }

    pub(super) async fn of(app: &App, conn: &mut PgConnection, record: OperationRecord) -> Result<Self, ScoringError> {
        let is_backtest = record.kind == OperationKind::Backtest;
        let backtest = match record.ended_at {
            Some(_) if is_backtest => backtests::lookup_end(conn, record.operation_id).await?,
            _ => None,
        };
        let done_count = match record.ended_at {
            Some(_) => record.done_count,
            None => done_so_far(app, conn, &record).await?,
        };
        Ok(Self { record, done_count, backtest })
    }
}

/// Of how many accounts an operation has done its work.
pub(super) async fn done_so_far(
    app: &App,
    conn: &mut PgConnection,
    record: &OperationRecord,
) -> Result<i64, ScoringError> {
    Ok(match record.kind {
        OperationKind::Recompute => {
            let left = app.core.jobs.count(conn, RECOMPUTE_QUEUE).await?;
            done_count(record, left.waiting + left.dead)
        }
        // Those that were created since are replayed too.
        OperationKind::Backtest => {
            backtests::count_replayed(conn, record.operation_id).await?.min(record.account_count)
        }
    })
}

/// The queue of an operation's work.
pub(super) const fn work_queue(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Recompute => RECOMPUTE_QUEUE,
        OperationKind::Backtest => BACKTEST_QUEUE,
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
