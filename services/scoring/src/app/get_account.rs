//! One account.

use mainstay_domain::AccountId;

use super::{App, ScoringError};
use crate::domain::account::Account;
use crate::storage::accounts;

/// The account, archived or not.
pub(crate) async fn execute(app: &App, id: &AccountId) -> Result<Account, ScoringError> {
    let mut conn = app.core.pool.acquire().await?;
    accounts::lookup(&mut conn, id).await?.ok_or_else(|| ScoringError::AccountNotFound(id.clone()))
}
