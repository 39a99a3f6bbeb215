//! Accounts in the order of their ids.

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
    let mut conn = app.pool.acquire().await?;
    Ok(accounts::list(&mut conn, filter, after, limit).await?)
}
