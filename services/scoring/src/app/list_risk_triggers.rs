//! Conditions that put accounts at risk, those that began last first.

use mainstay_storage::begin;

use super::{App, ScoringError};
use crate::domain::risk_trigger::{RiskTrigger, RiskTriggerCursor, RiskTriggerFilter};
use crate::storage::risk_triggers;

/// At most `limit` of them after a place in the list.
pub(crate) async fn execute(
    app: &App,
    filter: &RiskTriggerFilter,
    after: Option<&RiskTriggerCursor>,
    limit: i64,
) -> Result<Vec<RiskTrigger>, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    Ok(risk_triggers::list(&mut conn, filter, after, limit).await?)
}
