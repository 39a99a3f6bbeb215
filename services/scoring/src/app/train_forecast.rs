//! Begins to learn a forecast model from what became of the company's customers, as an operation one can watch.

use chrono::{Datelike, Days, Months, NaiveDate};
use mainstay_domain::day_of;
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::get_model::ACTIVE_NAME;
use super::get_operation::OperationView;
use super::{App, Mutation, Replayable, ScoringError, operation_steps};
use crate::domain::forecast::{Draw, MONTHS_LEARNT_MAX, ROWS_MAX, TrainError, TrainingRecord};
use crate::domain::{HealthModel, OperationKind};
use crate::storage::{forecast_trainings, forecasts, group_distributions};

/// What to learn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrainingRequest {
    /// Within how many days a customer must have left to count as lost.
    pub horizon_days: u32,
    /// Who asks.
    pub creator: String,
    /// Whether the model is to make forecasts, and not only to be judged.
    pub is_kept: bool,
}

/// Begins the operation, of which there is one at a time. `answer` makes of it what the caller is told, and told again.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    request: &TrainingRequest,
    answer: impl Fn(OperationView) -> T + Sync,
) -> Result<T, ScoringError> {
    app.core
        .mutate(mutation, async |conn| {
            let today = day_of(app.core.clock.now());
            let book = app.models.book(conn).await?;
            let model = book.general_model(today).ok_or_else(|| ScoringError::ModelNotFound(ACTIVE_NAME.to_owned()))?;
            let draw = draw(conn, today, request.horizon_days).await?;
            let unmade_days = unmade_days(conn, &model, &draw.days).await?;
            let account_count = forecasts::count_accounts(conn, draw.parts).await?;
            let account_count =
                i64::try_from(account_count).map_err(|error| StorageError::Corrupt(error.to_string()))?;
            let steps = if unmade_days.is_empty() { 1 } else { 2 };
            let first_day = draw.days.first().copied().unwrap_or(today);
            let (kind, running) = (OperationKind::Training, ScoringError::TrainingRunning);
            let operation = operation_steps::begin(app, conn, kind, first_day, account_count * steps, running).await?;
            let record = TrainingRecord {
                id: operation.operation_id,
                health_model: model.id.clone(),
                scored_segments: book.activations().segments_scored_by(&model.id, today),
                draw,
                unmade_days,
                creator: request.creator.clone(),
                is_kept: request.is_kept,
                group_distributions: None,
            };
            forecast_trainings::begin(conn, &record).await?;
            Ok(answer(OperationView::begun(operation)))
        })
        .await
}

/// The months whose outcome is known, and how many of the customers give as many rows as one can learn from.
async fn draw(conn: &mut PgConnection, today: NaiveDate, horizon_days: u32) -> Result<Draw, ScoringError> {
    let too_few = || ScoringError::TooLittleData(TrainError::TooFewMonths { months: 0, horizon_days }.to_string());
    let first = today.checked_sub_months(Months::new(MONTHS_LEARNT_MAX)).ok_or_else(too_few)?;
    let last = last_known_day(today, horizon_days).ok_or_else(too_few)?;
    let first_signal_day = forecasts::first_signal_day(conn).await?.ok_or_else(too_few)?;
    let days = month_starts(first.max(first_signal_day), last);
    if days.is_empty() {
        return Err(too_few());
    }
    let accounts = forecasts::count_accounts(conn, forecasts::PARTS).await?;
    let parts = parts(accounts, days.len() as u64);
    Ok(Draw { days, parts, horizon_days })
}

/// Those of the days for which it is not kept how measures were spread over groups, if the model compares with these.
async fn unmade_days(
    conn: &mut PgConnection,
    model: &HealthModel,
    days: &[NaiveDate],
) -> Result<Vec<NaiveDate>, ScoringError> {
    let Some((first, last)) = days.first().zip(days.last()) else { return Ok(Vec::new()) };
    if !model.compares_accounts() {
        return Ok(Vec::new());
    }
    let made = group_distributions::made_days(conn, &[model.id.as_str()], *first, *last, None).await?;
    Ok(days.iter().filter(|day| !made.contains(&(model.id.clone(), **day))).copied().collect())
}

/// The last day of whose horizon no day is to come or still goes on.
fn last_known_day(today: NaiveDate, horizon_days: u32) -> Option<NaiveDate> {
    today.pred_opt()?.checked_sub_days(Days::new(horizon_days.into()))
}

/// The first days of months from one day to another.
fn month_starts(first: NaiveDate, last: NaiveDate) -> Vec<NaiveDate> {
    let start = first.with_day(1).unwrap_or(first);
    let months = (0..).map_while(|months| start.checked_add_months(Months::new(months)));
    months.take_while(|day| *day <= last).filter(|day| *day >= first).collect()
}

/// How many parts of the accounts give as many rows as one can learn from.
fn parts(accounts: u64, months: u64) -> i64 {
    let rows = accounts.saturating_mul(months);
    let all = forecasts::PARTS;
    if rows <= ROWS_MAX {
        return all;
    }
    i64::try_from(u128::from(ROWS_MAX) * u128::from(all.unsigned_abs()) / u128::from(rows))
        .map_or(all, |parts| parts.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_within_the_days_that_are_known() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        let starts =
            |first, last| month_starts(day(first), day(last)).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(starts("2025-12-01", "2026-02-01"), ["2025-12-01", "2026-01-01", "2026-02-01"]);
        assert_eq!(starts("2025-12-02", "2026-01-31"), ["2026-01-01"]);
        assert_eq!(starts("2026-01-02", "2026-01-31"), [""; 0]);
        assert_eq!(starts("2026-02-01", "2026-01-01"), [""; 0]);
    }

    #[test]
    fn a_horizon_that_ends_today_is_not_over() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        assert_eq!(last_known_day(day("2026-06-30"), 90), Some(day("2026-03-31")));
        assert_eq!(last_known_day(day("2026-07-01"), 90), Some(day("2026-04-01")));
    }

    #[test]
    fn of_many_accounts_a_part_is_drawn() {
        assert_eq!(parts(0, 0), 1_024);
        assert_eq!(parts(25_000, 2), 1_024);
        assert_eq!(parts(100_000, 20), 25);
        assert_eq!(parts(u64::MAX, 36), 1);
    }
}
