//! How all customers are, and what changed.

use chrono::TimeDelta;
use mainstay_domain::REFERENCEABLE_DAYS;
use mainstay_storage::{StorageError, begin};
use sqlx::PgConnection;

use super::chosen_model::{self, ModelChoice};
use super::get_model::ModelName;
use super::{App, ScoringError, report_plan_usage};
use crate::domain::health_report::{HealthReport, ReportQuery, ReportSums};
use crate::storage::health_reports::{self, CustomerList};
use crate::storage::near_limits;

/// Customers activated within so many days tell the time to value.
pub(super) const TIME_TO_VALUE_DAYS: i64 = 365;

/// From what is kept ready: the newest health of each customer, with its changes and the scores of the days before.
pub(crate) async fn execute(app: &App, query: &ReportQuery) -> Result<HealthReport, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    let conn = &mut *conn;
    let as_of = app.core.clock.now();
    let day = app.core.clock.today();
    let model = chosen_model::get(app, conn, &ModelChoice::Stored(ModelName::Active)).await?;
    let groups = health_reports::groups(conn, &query.customers, query.period, &model.band_cuts, day).await?;
    let period = TimeDelta::days(query.period.days().into());
    let since = as_of - period;
    let activated_since = as_of - TimeDelta::days(TIME_TO_VALUE_DAYS);
    let time_to_value = health_reports::time_to_value(conn, &query.customers, activated_since).await?;
    let month = report_plan_usage::newest_told(day);
    let lists = async |conn: &mut PgConnection, list| health_reports::customers(conn, query, list, month).await;
    let answered_since = as_of - TimeDelta::days(REFERENCEABLE_DAYS.into());
    Ok(HealthReport {
        as_of,
        day,
        compare_day: day - period,
        sums: ReportSums::of(&groups).map_err(|error| StorageError::Corrupt(error.to_string()))?,
        trend: health_reports::trend(conn, query, &model.band_cuts, day).await?,
        fallen: lists(conn, CustomerList::Fallen).await?,
        risen: lists(conn, CustomerList::Risen).await?,
        at_risk: lists(conn, CustomerList::AtRisk).await?,
        risk_triggers: health_reports::risk_triggers(conn, query, since).await?,
        time_to_value,
        referenceable_count: health_reports::referenceable(conn, &query.customers, answered_since, as_of).await?,
        ready_to_grow: near_limits::ready_to_grow(conn, &query.customers, month).await?,
        near_limit: lists(conn, CustomerList::NearLimit).await?,
    })
}
