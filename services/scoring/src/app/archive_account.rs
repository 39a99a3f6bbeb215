//! Puts an account into the archive, which ends its scoring, or takes it out again.

use mainstay_domain::AccountId;

use super::{App, Mutation, Replayable, ScoringError, account_changes};
use crate::domain::account::Account;
use crate::storage::accounts;

/// Where an account is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Archival {
    IntoArchive,
    OutOfArchive,
}

impl Archival {
    fn is_done(self, account: &Account) -> bool {
        account.archived_at.is_some() == (self == Self::IntoArchive)
    }
}

/// Moves an account; one that is there already stays as it is, whatever the
/// `etag`: it may be that of a first call whose answer was lost.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    id: &AccountId,
    etag: Option<&str>,
    archival: Archival,
    answer: impl Fn(&Account) -> T + Sync,
) -> Result<T, ScoringError> {
    app.core
        .mutate(mutation, async |conn| {
            let now = app.core.clock.now();
            let locked = accounts::lock(conn, &[id.as_str()]).await?;
            let stored = locked.get(id).ok_or_else(|| ScoringError::AccountNotFound(id.clone()))?;
            if archival.is_done(stored) {
                return Ok(answer(stored));
            }
            if etag.is_some_and(|etag| !stored.etag().matches(etag)) {
                return Err(ScoringError::EtagMismatch);
            }
            let account = match archival {
                Archival::IntoArchive => stored.archived(now),
                Archival::OutOfArchive => stored.unarchived(now),
            };
            account_changes::store(app, conn, std::slice::from_ref(&account), &locked, now).await?;
            Ok(answer(&account))
        })
        .await
}
