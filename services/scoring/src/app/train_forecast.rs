//! Learns a forecast model from what became of the company's customers.

use std::sync::Arc;

use chrono::{Datelike, Days, Months, NaiveDate};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::get_forecast_model::get;
use super::get_model::ACTIVE_NAME;
use super::learnt_customers::{Draw, outcome_rows};
use super::{App, Mutation, Replayable, ScoringError};
use crate::domain::HealthModel;
use crate::domain::forecast::{ForecastModel, MONTHS_LEARNT_MAX, OutcomeRow, ROWS_MAX, TrainError, train};
use crate::storage::forecasts;

/// Learns, judges and keeps a model whose probabilities are of so many days, for the caller `creator`. `answer` makes of it what the
/// caller is told, and told again.
///
/// All in the transaction of the record of the request, though it takes seconds: sent again, the request is answered without
/// learning again, whatever has become of the data.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    creator: &str,
    horizon_days: u32,
    answer: impl Fn(&ForecastModel) -> T + Sync,
) -> Result<T, ScoringError> {
    app.core
        .mutate(mutation, async |conn| {
            let (health_model, rows) = read(app, conn, horizon_days).await?;
            let health_model_id = health_model.id.clone();
            let learnt = tokio::task::spawn_blocking(move || train(&health_model, &rows, horizon_days));
            let learnt = learnt.await.map_err(|error| StorageError::Corrupt(error.to_string()))?;
            let definition = learnt.map_err(ScoringError::TooLittleData)?;
            let created_at = app.core.clock.now();
            if mutation.validate_only {
                let (number, creator, health_model) = (0, creator.to_owned(), health_model_id);
                return Ok(answer(&ForecastModel { number, created_at, creator, health_model, definition }));
            }
            let number = forecasts::create(conn, &health_model_id, &definition, creator, created_at).await?;
            // Read back as every later reader will: what cannot be read is not kept.
            Ok(answer(&get(conn, Some(number)).await?))
        })
        .await
}

/// The general health model of today, and the customers of the months whose outcome is known.
async fn read(
    app: &App,
    conn: &mut PgConnection,
    horizon_days: u32,
) -> Result<(Arc<HealthModel>, Vec<OutcomeRow>), ScoringError> {
    let today = app.core.clock.today();
    let book = app.models.book(conn).await?;
    let health_model = book.general_model(today).ok_or_else(|| ScoringError::ModelNotFound(ACTIVE_NAME.to_owned()))?;
    let too_few = || ScoringError::TooLittleData(TrainError::TooFewMonths { months: 0, horizon_days });
    let first = today.checked_sub_months(Months::new(MONTHS_LEARNT_MAX)).ok_or_else(too_few)?;
    let last = last_known_day(today, horizon_days).ok_or_else(too_few)?;
    let first_signal_day = forecasts::first_signal_day(conn).await?.ok_or_else(too_few)?;
    let days = month_starts(first.max(first_signal_day), last);
    if days.is_empty() {
        return Err(too_few());
    }
    let accounts = forecasts::count_accounts(conn).await?;
    let parts = parts(accounts, days.len() as u64);
    let scored_segments = book.activations().segments_scored_by(&health_model.id, today);
    let rows = outcome_rows(conn, &health_model, &scored_segments, &Draw { days, parts, horizon_days }).await?;
    Ok((health_model, rows))
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
