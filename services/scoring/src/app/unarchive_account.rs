//! Takes an account out of the archive.

use mainstay_domain::AccountId;

use super::{App, Mutation, Replayable, ScoringError, account_changes};
use crate::domain::account::{Account, AccountChange};
use crate::storage::accounts;

/// Takes an account out of the archive; one that is not archived stays as it is, whatever the
/// `etag`: it may be that of a first call whose answer was lost.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    id: &AccountId,
    etag: Option<&str>,
    answer: impl Fn(&Account) -> T + Sync,
) -> Result<T, ScoringError> {
    app.mutate(mutation, async |conn| {
        let now = app.clock.now();
        let locked = accounts::lock(conn, &[id.as_str()]).await?;
        let stored = locked.get(id).ok_or_else(|| ScoringError::AccountNotFound(id.clone()))?;
        if stored.archived_at.is_none() {
            return Ok(answer(stored));
        }
        if etag.is_some_and(|etag| !stored.etag().matches(etag)) {
            return Err(ScoringError::EtagMismatch);
        }
        let account = stored.unarchived(now);
        account_changes::store(app, conn, std::slice::from_ref(&account), |_| AccountChange::Unarchived, now).await?;
        Ok(answer(&account))
    })
    .await
}
