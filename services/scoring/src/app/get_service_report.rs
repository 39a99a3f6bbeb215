//! How customers were served, and how easy they found it.

use mainstay_storage::begin;

use super::{App, ScoringError};
use crate::domain::service_report::{ServicePeriods, ServiceQuery, ServiceReport};
use crate::storage::service_reports;

/// From what is kept ready.
pub(crate) async fn execute(app: &App, query: &ServiceQuery) -> Result<ServiceReport, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    let periods = ServicePeriods::until(app.core.clock.now(), query.period);
    let tickets = service_reports::tickets(&mut conn, &query.customers, periods).await?;
    let efforts = service_reports::efforts(&mut conn, &query.customers, periods).await?;
    Ok(ServiceReport::of(periods, &tickets, &efforts))
}
