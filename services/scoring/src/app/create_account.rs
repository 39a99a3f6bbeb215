//! Creates an account.

use std::collections::HashMap;

use mainstay_domain::Violations;

use super::{App, Mutation, Replayable, ScoringError, account_changes, note_claims, parent_checks};
use crate::domain::GivenParent;
use crate::domain::account::{Account, GivenAccount};
use crate::domain::field_claim::Teller;
use crate::storage::accounts;

/// Creates an account whose facts are checked by themselves, and notes that `teller` says so. `answer` makes of it what the caller is told.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    given: &GivenAccount,
    teller: Option<&Teller>,
    answer: impl Fn(&Account) -> T + Sync,
) -> Result<T, ScoringError> {
    app.core
        .mutate(mutation, async |conn| {
            let now = app.core.clock.now();
            if accounts::lookup(conn, &given.id).await?.is_some() {
                return Err(ScoringError::AccountExists(given.id.clone()));
            }
            let parent = GivenParent { account: &given.id, parent: given.facts.parent.as_ref() };
            if let Some(fault) = parent_checks::check(conn, &HashMap::new(), &[parent]).await?.remove(&0) {
                let mut found = Violations::new();
                found.absorb("account", fault);
                return Err(ScoringError::Invalid(found));
            }
            let account = Account::created(given, now);
            account_changes::store(app, conn, std::slice::from_ref(&account), &HashMap::new(), now).await?;
            note_claims::execute(conn, teller, std::iter::once((&given.id, &given.facts)), now).await?;
            Ok(answer(&account))
        })
        .await
}
