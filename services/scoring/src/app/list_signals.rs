//! The signals of an account, newest first.

use mainstay_domain::AccountId;
use mainstay_storage::begin;

use super::{App, ScoringError};
use crate::domain::signal::{SignalCursor, SignalFilter, StoredSignal};
use crate::storage::{accounts, signals};

/// At most `limit` signals after a place in the list.
pub(crate) async fn execute(
    app: &App,
    account: &AccountId,
    filter: &SignalFilter,
    after: Option<&SignalCursor>,
    limit: i64,
) -> Result<Vec<StoredSignal>, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    if accounts::standings(&mut conn, &[account.as_str()]).await?.is_empty() {
        return Err(ScoringError::AccountNotFound(account.clone()));
    }
    Ok(signals::list(&mut conn, account, filter, after, limit).await?)
}
