//! Opportunities, the next due first.

use mainstay_storage::begin;

use super::{App, ExpansionError};
use crate::domain::{Opportunity, OpportunityCursor, OpportunityFilter};
use crate::storage::opportunities;

/// At most `limit` opportunities after one.
pub(crate) async fn execute(
    app: &App,
    filter: &OpportunityFilter,
    after: Option<&OpportunityCursor>,
    limit: i64,
) -> Result<Vec<Opportunity>, ExpansionError> {
    let mut conn = begin(&app.core.pool).await?;
    Ok(opportunities::list(&mut conn, filter, after, limit).await?)
}
