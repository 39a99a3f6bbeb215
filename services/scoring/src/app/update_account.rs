//! Changes some of the facts of an account.

use mainstay_domain::{AccountId, Violations};

use super::{App, Mutation, Replayable, ScoringError, account_changes, note_claims, parent_checks};
use crate::domain::GivenParent;
use crate::domain::account::{Account, AccountFacts};
use crate::domain::field_claim::Teller;
use crate::storage::accounts;

/// Gives the account `id` the facts that `change` makes of it, or says all that
/// is wrong with them, and notes that `teller` says so; facts equal to the stored ones change nothing. With an
/// `etag`, the stored account must have it.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    id: &AccountId,
    etag: Option<&str>,
    teller: Option<&Teller>,
    change: impl Fn(&Account) -> Result<AccountFacts, Violations> + Sync,
    answer: impl Fn(&Account) -> T + Sync,
) -> Result<T, ScoringError> {
    app.core
        .mutate(mutation, async |conn| {
            let now = app.core.clock.now();
            let locked = accounts::lock(conn, &[id.as_str()]).await?;
            let stored = locked.get(id).ok_or_else(|| ScoringError::AccountNotFound(id.clone()))?;
            if stored.archived_at.is_some() {
                return Err(ScoringError::AccountArchived(id.clone()));
            }
            if etag.is_some_and(|etag| !stored.etag().matches(etag)) {
                return Err(ScoringError::EtagMismatch);
            }
            let facts = change(stored).map_err(invalid)?;
            if facts == stored.facts {
                note_claims::execute(conn, teller, std::iter::once((id, &facts)), now).await?;
                return Ok(answer(stored));
            }
            let parent = GivenParent { account: id, parent: facts.parent.as_ref() };
            if let Some(fault) = parent_checks::check(conn, &locked, &[parent]).await?.remove(&0) {
                return Err(invalid(fault));
            }
            let account = stored.changed(facts, now);
            account_changes::store(app, conn, std::slice::from_ref(&account), &locked, now).await?;
            note_claims::execute(conn, teller, std::iter::once((id, &account.facts)), now).await?;
            Ok(answer(&account))
        })
        .await
}

fn invalid(faults: Violations) -> ScoringError {
    let mut found = Violations::new();
    found.absorb("account", faults);
    ScoringError::Invalid(found)
}
