//! How much of the revenue stayed over a period.

use chrono::NaiveDate;
use mainstay_domain::start_of_day;
use mainstay_storage::begin;

use super::{App, ScoringError};
use crate::domain::customer_filter::CustomerFilter;
use crate::domain::revenue_retention::RevenueRetention;
use crate::storage::arr_history;

/// From the beginning of one day to that of another.
pub(crate) async fn execute(app: &App, start: NaiveDate, end: NaiveDate) -> Result<RevenueRetention, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    Ok(arr_history::retention(&mut conn, &CustomerFilter::default(), start_of_day(start), start_of_day(end)).await?)
}
