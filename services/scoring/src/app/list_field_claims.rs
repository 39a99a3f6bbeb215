//! What sources said of an account.

use mainstay_domain::AccountId;
use mainstay_storage::begin;

use super::{App, ScoringError};
use crate::domain::field_claim::FieldClaim;
use crate::storage::{accounts, field_claims};

/// All of it, by field and source.
pub(crate) async fn execute(app: &App, id: &AccountId) -> Result<Vec<FieldClaim>, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    accounts::lookup(&mut conn, id).await?.ok_or_else(|| ScoringError::AccountNotFound(id.clone()))?;
    Ok(field_claims::of_account(&mut conn, id).await?)
}
