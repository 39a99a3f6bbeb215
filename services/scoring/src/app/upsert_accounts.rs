//! Creates or replaces many accounts.

use std::collections::{BTreeMap, HashMap};

use mainstay_domain::{AccountId, Violations};
use sqlx::PgConnection;

use super::{App, Mutation, Replayable, ScoringError, account_changes, parent_checks};
use crate::domain::GivenParent;
use crate::domain::account::{Account, GivenAccount};
use crate::storage::accounts;

/// What became of a batch.
#[derive(Debug, Default)]
pub(crate) struct UpsertedAccounts {
    pub created: usize,
    pub updated: usize,
    pub unchanged: usize,
    /// Items that were refused, by their place.
    pub refused: BTreeMap<usize, ScoringError>,
}

/// Stores a batch of accounts with distinct ids; with `all_or_nothing` one wrong item refuses it
/// all. `answer` makes of the outcome what the caller is told, and told again.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    items: &[Result<GivenAccount, Violations>],
    all_or_nothing: bool,
    answer: impl Fn(UpsertedAccounts) -> T + Sync,
) -> Result<T, ScoringError> {
    app.mutate(mutation, async |conn| {
        let now = app.clock.now();
        let ids: Vec<&str> = items.iter().flatten().map(|given| given.id.as_str()).collect();
        let stored = accounts::lock(conn, &ids).await?;
        let (accepted, refused) = sort_out(conn, items, &stored).await?;
        if all_or_nothing && !refused.is_empty() {
            return Err(refuse_all(refused));
        }
        let mut outcome = UpsertedAccounts { refused, ..UpsertedAccounts::default() };
        let mut changed = Vec::with_capacity(accepted.len());
        for given in accepted {
            match stored.get(&given.id) {
                None => {
                    outcome.created += 1;
                    changed.push(Account::created(given, now));
                }
                Some(account) if account.facts == given.facts => outcome.unchanged += 1,
                Some(account) => {
                    outcome.updated += 1;
                    changed.push(account.changed(given.facts.clone(), now));
                }
            }
        }
        account_changes::store(app, conn, &changed, now).await?;
        Ok(answer(outcome))
    })
    .await
}

/// The accounts that can be stored, and the errors of the others by place.
async fn sort_out<'a>(
    conn: &mut PgConnection,
    items: &'a [Result<GivenAccount, Violations>],
    stored: &HashMap<AccountId, Account>,
) -> Result<(Vec<&'a GivenAccount>, BTreeMap<usize, ScoringError>), ScoringError> {
    let mut accepted = Vec::with_capacity(items.len());
    let mut refused = BTreeMap::new();
    for (place, item) in items.iter().enumerate() {
        match item.as_ref().map_err(|found| ScoringError::Invalid(found.clone())).and_then(|given| {
            check_stored(given, stored.get(&given.id))?;
            Ok(given)
        }) {
            Ok(given) => accepted.push((place, given)),
            Err(error) => {
                refused.insert(place, error);
            }
        }
    }
    let parents: Vec<GivenParent<'_>> = accepted
        .iter()
        .map(|(_, given)| GivenParent { account: &given.id, parent: given.facts.parent.as_ref() })
        .collect();
    let faults = parent_checks::check(conn, stored, &parents).await?;
    let mut storable = Vec::with_capacity(accepted.len());
    let mut faults = faults.into_iter().peekable();
    for (index, (place, given)) in accepted.into_iter().enumerate() {
        match faults.next_if(|(at, _)| *at == index) {
            Some((_, found)) => {
                refused.insert(place, ScoringError::Invalid(found));
            }
            None => storable.push(given),
        }
    }
    Ok((storable, refused))
}

fn check_stored(given: &GivenAccount, stored: Option<&Account>) -> Result<(), ScoringError> {
    if stored.is_some_and(|account| account.archived_at.is_some()) {
        return Err(ScoringError::AccountArchived(given.id.clone()));
    }
    match &given.etag {
        Some(etag) if !stored.is_some_and(|account| account.etag().matches(etag)) => Err(ScoringError::EtagMismatch),
        _ => Ok(()),
    }
}

/// One error for the whole batch, which names the fields of all items at fault.
fn refuse_all(refused: BTreeMap<usize, ScoringError>) -> ScoringError {
    let mut found = Violations::new();
    for (place, error) in refused {
        let prefix = format!("accounts[{place}]");
        match error {
            ScoringError::Invalid(violations) => found.absorb(&prefix, violations),
            ScoringError::AccountArchived(_) => found.add(format!("{prefix}.name"), error.to_string()),
            ScoringError::EtagMismatch => found.add(format!("{prefix}.etag"), error.to_string()),
            other => return other,
        }
    }
    ScoringError::Invalid(found)
}
