//! A long-running operation and how far it is.

use mainstay_storage::StorageError;
use sqlx::PgConnection;
use uuid::Uuid;

use super::queues::RECOMPUTE_QUEUE;
use super::{App, ScoringError};
use crate::domain::OperationKind;
use crate::domain::backtest::BacktestEnd;
use crate::domain::forecast::TrainingEnd;
use crate::storage::operations::{self, OperationRecord};
use crate::storage::{backtests, forecast_trainings, replayed_accounts};

/// An operation and of how many accounts its work is done so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OperationView {
    pub record: OperationRecord,
    pub done_count: i64,
    /// What came of it, once it has ended.
    pub end: Option<OperationEnd>,
}

/// What came of an operation that has something to say beside how many accounts were scored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OperationEnd {
    Backtest(BacktestEnd),
    Training(TrainingEnd),
}

impl OperationEnd {
    /// What came of the operation so far.
    pub(super) async fn lookup(
        conn: &mut PgConnection,
        record: &OperationRecord,
    ) -> Result<Option<Self>, StorageError> {
        let id = record.operation_id;
        Ok(match record.kind {
            OperationKind::Recompute => None,
            OperationKind::Backtest => backtests::lookup_end(conn, id).await?.map(Self::Backtest),
            OperationKind::Training => forecast_trainings::lookup_end(conn, id).await?.map(Self::Training),
        })
    }
}

impl OperationView {
    /// An operation that has just begun.
    pub(super) const fn begun(record: OperationRecord) -> Self {
        Self { record, done_count: 0, end: None }
    }

    /// Whether it has ended, however it did.
    pub(crate) fn is_done(&self) -> bool {
        self.record.ended_at.is_some()
    }

    pub(super) async fn of(app: &App, conn: &mut PgConnection, record: OperationRecord) -> Result<Self, ScoringError> {
        if record.ended_at.is_none() {
            let done_count = done_so_far(app, conn, &record).await?;
            return Ok(Self { record, done_count, end: None });
        }
        let end = OperationEnd::lookup(conn, &record).await?;
        Ok(Self { record, done_count: record.done_count, end })
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
        OperationKind::Backtest | OperationKind::Training => {
            replayed_accounts::count(conn, record.operation_id).await?.min(record.account_count)
        }
    })
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
