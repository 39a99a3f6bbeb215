//! Accounts in the order of their ids.

use mainstay_storage::begin;

use super::{App, ScoringError};
use crate::domain::account::{Account, AccountFilter};
use crate::storage::accounts;

/// At most `limit` accounts after the id `after`.
pub(crate) async fn execute(
    app: &App,
    filter: &AccountFilter,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Account>, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    Ok(accounts::list(&mut conn, filter, after, limit).await?)
}
