//! What happened to an opportunity.

use mainstay_storage::begin;

use super::{App, ExpansionError};
use crate::domain::{OpportunityName, TimelineEntry};
use crate::storage::{opportunities, timeline};

/// At most `limit` entries after a number.
pub(crate) async fn execute(
    app: &App,
    name: &OpportunityName,
    after: i32,
    limit: i64,
) -> Result<Vec<TimelineEntry>, ExpansionError> {
    let mut conn = begin(&app.core.pool).await?;
    if opportunities::lookup(&mut conn, name).await?.is_none() {
        return Err(ExpansionError::OpportunityNotFound(name.clone()));
    }
    Ok(timeline::list(&mut conn, name, after, limit).await?)
}
