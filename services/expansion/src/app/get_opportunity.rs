//! One opportunity.

use super::{App, ExpansionError};
use crate::domain::{Opportunity, OpportunityName};
use crate::storage::opportunities;

/// Reads the opportunity.
pub(crate) async fn execute(app: &App, name: &OpportunityName) -> Result<Opportunity, ExpansionError> {
    let mut conn = app.core.pool.acquire().await?;
    let opportunity = opportunities::lookup(&mut conn, name).await?;
    opportunity.ok_or_else(|| ExpansionError::OpportunityNotFound(name.clone()))
}
