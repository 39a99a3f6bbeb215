//! One condition that puts, or put, an account at risk.

use mainstay_domain::AccountId;
use uuid::Uuid;

use super::{App, ScoringError};
use crate::domain::risk_trigger::RiskTrigger;
use crate::storage::risk_triggers;

/// The condition of an account with an id; `name` is how the caller called it.
pub(crate) async fn execute(app: &App, account: &AccountId, id: Uuid, name: &str) -> Result<RiskTrigger, ScoringError> {
    let mut conn = app.core.pool.acquire().await?;
    let trigger = risk_triggers::lookup(&mut conn, account, id).await?;
    trigger.ok_or_else(|| ScoringError::RiskTriggerNotFound(name.to_owned()))
}
