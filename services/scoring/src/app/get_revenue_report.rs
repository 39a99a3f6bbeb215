//! How customers pay, what they bring in, and what of it is in danger.

use chrono::{DateTime, Months, NaiveDate, TimeDelta, Utc};
use mainstay_domain::{MoneyError, start_of_day};
use mainstay_storage::{StorageError, begin};
use sqlx::PgConnection;

use super::chosen_model::{self, ModelChoice};
use super::get_health_report::TIME_TO_VALUE_DAYS;
use super::get_model::ModelName;
use super::{App, ScoringError, forecast_churn};
use crate::domain::customer_filter::CustomerFilter;
use crate::domain::health_report::{ReportPeriod, ReportSums};
use crate::domain::retention_goals::GoalInputs;
use crate::domain::revenue_report::{PaymentStatus, RevenueQuery, RevenueReport, billing_flows};
use crate::domain::shared_target::Targets;
use crate::storage::{arr_history, billing_reports, health_reports, renewals, shared_targets};

const MONTHS_OF_A_YEAR: Months = Months::new(12);
/// A quarter, for which churn is forecast beside a week or a day: of so few days it is too rare to be forecast.
const QUARTER_DAYS: u32 = 90;

/// From what is kept ready.
pub(crate) async fn execute(app: &App, query: &RevenueQuery) -> Result<RevenueReport, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    let conn = &mut *conn;
    let as_of = app.core.clock.now();
    let today = app.core.clock.today();
    let start = as_of - TimeDelta::days(query.period.days().into());
    let customers = &query.customers;
    let model = chosen_model::get(app, conn, &ModelChoice::Stored(ModelName::Active)).await?;
    let groups = health_reports::groups(conn, customers, query.period, &model.band_cuts, today).await?;
    let year_ago = today.checked_sub_months(MONTHS_OF_A_YEAR).unwrap_or(NaiveDate::MIN);
    let (year_start, year_end) = (start_of_day(year_ago), start_of_day(today));
    let retention = arr_history::retention(conn, customers, year_start, year_end).await?;
    let renewals = renewals::counts(conn, customers, year_start, year_end).await?;
    let activated_since = as_of - TimeDelta::days(TIME_TO_VALUE_DAYS);
    let time_to_value = health_reports::time_to_value(conn, customers, activated_since).await?;
    let inputs = GoalInputs { renewed: renewals.renewed, retention: &retention, groups: &groups, time_to_value };
    let churn_days = match query.period {
        ReportPeriod::Month => query.period.days().unsigned_abs(),
        ReportPeriod::Week | ReportPeriod::Day => QUARTER_DAYS,
    };
    let targets = Targets { asked: query.asked_targets.clone(), shared: shared_targets::all(conn).await? };
    Ok(RevenueReport {
        as_of,
        start,
        status: status(conn, customers, as_of).await?,
        status_before: status(conn, customers, start).await?,
        flows: in_range(billing_flows(&billing_reports::flows(conn, customers, start, as_of).await?))?,
        unpaid_customers: billing_reports::unpaid_customers(conn, customers, as_of, query.list_size).await?,
        sums: in_range(ReportSums::of(&groups))?,
        goals: inputs.goals(&targets),
        year: (year_ago, today),
        retention,
        renewals,
        expected_churn: forecast_churn::newest(app, conn, customers, churn_days).await?,
    })
}

/// How the customers of now paid at a time.
async fn status(
    conn: &mut PgConnection,
    customers: &CustomerFilter,
    at: DateTime<Utc>,
) -> Result<PaymentStatus, ScoringError> {
    let unpaid = in_range(PaymentStatus::of(&billing_reports::unpaid(conn, customers, at).await?))?;
    let disputes = billing_reports::open_disputes(conn, customers, at).await?;
    let (at_risk_account_count, at_risk_arr) = billing_reports::at_risk(conn, customers, at).await?;
    Ok(PaymentStatus { disputes, at_risk_account_count, at_risk_arr, ..unpaid })
}

fn in_range<T>(sums: Result<T, MoneyError>) -> Result<T, ScoringError> {
    Ok(sums.map_err(|error| StorageError::Corrupt(error.to_string()))?)
}
