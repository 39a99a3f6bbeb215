//! One label that was said of an account's health.

use mainstay_domain::AccountId;
use uuid::Uuid;

use super::{App, ScoringError};
use crate::domain::label::Label;
use crate::storage::labels;

/// The label of an account with an id.
pub(crate) async fn execute(app: &App, account: &AccountId, id: Uuid) -> Result<Label, ScoringError> {
    let mut conn = app.core.pool.acquire().await?;
    let label = labels::lookup(&mut conn, account, id).await?;
    label.ok_or_else(|| ScoringError::LabelNotFound(account.clone(), id))
}
