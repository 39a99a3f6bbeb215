//! Customers and what they reached.

use mainstay_storage::begin;

use super::{App, ScoringError};
use crate::domain::outcome_report::{CustomerOutcome, CustomerOutcomeFilter};
use crate::storage::outcome_reports;

/// At most `limit` of them after one, by id.
pub(crate) async fn execute(
    app: &App,
    filter: &CustomerOutcomeFilter,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<CustomerOutcome>, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    Ok(outcome_reports::list(&mut conn, filter, after, limit, app.core.clock.today()).await?)
}
