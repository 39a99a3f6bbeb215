//! Operations that go through accounts page by page: a page in a transaction, each the job's next attempt, with any replica.

use chrono::NaiveDate;
use mainstay_jobs::NewJob;
use mainstay_storage::StorageError;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::get_operation::not_found;
use super::queues::{OPERATION_STEPS_QUEUE, OPERATIONS_QUEUE};
use super::{App, ScoringError, run_backtest, run_training};
use crate::domain::OperationKind;
use crate::storage::operations::{self, OperationRecord};
use crate::storage::{backtests, forecast_trainings, replayed_accounts};

/// How far such an operation is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Progress {
    /// Whether distributions are there, or are not needed.
    pub has_distributions: bool,
    /// The last account that was replayed in this step.
    pub after: Option<String>,
}

/// Begins an operation of the kind, of which there is one at a time, with its first step due; `is_running` is the error that names the
/// one that runs.
pub(super) async fn begin(
    app: &App,
    conn: &mut PgConnection,
    kind: OperationKind,
    start_day: NaiveDate,
    account_count: i64,
    is_running: impl Fn(Uuid) -> ScoringError,
) -> Result<OperationRecord, ScoringError> {
    let (id, now) = (app.core.ids.new_id(), app.core.clock.now());
    if !operations::begin(conn, id, kind, start_day, now).await? {
        // Without one it ended just now: tried again.
        let running = operations::running(conn, kind).await?.ok_or(StorageError::Conflict)?;
        return Err(is_running(running.operation_id));
    }
    operations::set_account_count(conn, id, account_count).await?;
    if let Some(last) = operations::last_ended(conn, kind).await? {
        // What it gave up on.
        app.core.jobs.cancel(conn, OPERATION_STEPS_QUEUE, &[&last.to_string()]).await?;
    }
    let job = [NewJob::due(id.to_string(), now)];
    app.core.jobs.schedule(conn, OPERATION_STEPS_QUEUE, &job, now).await?;
    app.core.jobs.schedule(conn, OPERATIONS_QUEUE, &job, now).await?;
    operations::lookup(conn, id).await?.ok_or_else(|| not_found(id))
}

/// Does the next page of the operation; answers where to go on, or none when it is complete, has ended or there is none.
pub(crate) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    id: Uuid,
    progress: Progress,
) -> Result<Option<Progress>, ScoringError> {
    match operations::lookup(conn, id).await?.filter(|record| record.ended_at.is_none()).map(|record| record.kind) {
        Some(OperationKind::Backtest) => run_backtest::execute(app, conn, id, progress).await,
        Some(OperationKind::Training) => run_training::execute(app, conn, id, progress).await,
        Some(OperationKind::Recompute) | None => Ok(None),
    }
}

/// Forgets what the operation needed while it ran.
pub(super) async fn forget(conn: &mut PgConnection, record: &OperationRecord) -> Result<(), StorageError> {
    let id = record.operation_id;
    match record.kind {
        OperationKind::Recompute => return Ok(()),
        OperationKind::Backtest => backtests::forget_group_distributions(conn, id).await?,
        OperationKind::Training => forecast_trainings::forget_group_distributions(conn, id).await?,
    }
    replayed_accounts::forget(conn, id).await
}
