//! Has all accounts scored again from a day on, as an operation one can watch.

use chrono::{Days, NaiveDate};
use mainstay_domain::{Violations, day_of};
use mainstay_jobs::NewJob;
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::get_operation::{OperationView, not_found};
use super::mark_all_accounts::mark_all_accounts;
use super::queues::{OPERATIONS_QUEUE, RECOMPUTE_QUEUE};
use super::rescore_accounts::HISTORY_DAYS_MAX;
use super::{App, Mutation, Replayable, ScoringError};
use crate::domain::{OperationKind, day_number};
use crate::storage::group_distributions::Remaking;
use crate::storage::operations;

/// Begins the operation, of which there is one at a time. Without `start_day`
/// today is scored. `answer` makes of it what the caller is told, and told again.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    start_day: Option<NaiveDate>,
    answer: impl Fn(OperationView) -> T + Sync,
) -> Result<T, ScoringError> {
    app.core
        .mutate(mutation, async |conn| {
            let now = app.core.clock.now();
            let today = day_of(now);
            let start_day = start_day.unwrap_or(today);
            check_start_day(start_day, today)?;
            let id = app.core.ids.new_id();
            if !operations::begin(conn, id, OperationKind::Recompute, start_day, now).await? {
                // Without one it ended just now: tried again.
                let running =
                    operations::running(conn, OperationKind::Recompute).await?.ok_or(StorageError::Conflict)?;
                return Err(ScoringError::RecomputeRunning(running.operation_id));
            }
            // Jobs that an earlier operation gave up on.
            app.core.jobs.clear(conn, RECOMPUTE_QUEUE).await?;
            let low_mark = i64::from(day_number(start_day));
            let account_count = mark_all_accounts(app, conn, RECOMPUTE_QUEUE, low_mark, now).await?;
            operations::set_account_count(conn, id, account_count).await?;
            let monitor = NewJob::due(id.to_string(), now);
            app.core.jobs.schedule(conn, OPERATIONS_QUEUE, &[monitor], now).await?;
            let record = operations::lookup(conn, id).await?.ok_or_else(|| not_found(id))?;
            Ok(answer(OperationView::begun(record)))
        })
        .await
}

/// What accounts are compared with that are scored for the operation under way is made anew.
pub(crate) async fn remaking(conn: &mut PgConnection) -> Result<Option<Remaking>, ScoringError> {
    let running = operations::running(conn, OperationKind::Recompute).await?;
    Ok(running.map(|running| Remaking { operation_id: running.operation_id, start_day: running.start_day }))
}

fn check_start_day(start_day: NaiveDate, today: NaiveDate) -> Result<(), ScoringError> {
    let oldest = today.checked_sub_days(Days::new(HISTORY_DAYS_MAX)).unwrap_or(today);
    let mut found = Violations::new();
    found.require(start_day <= today, "start_day", format!("{start_day} is in the future: today is {today}"));
    found.require(
        start_day >= oldest,
        "start_day",
        format!("{start_day} is more than {HISTORY_DAYS_MAX} days ago: those days keep their scores, choose {oldest} or later"),
    );
    found.into_result(()).map_err(ScoringError::Invalid)
}
