//! Creates or changes many accounts.

use std::collections::{BTreeMap, HashMap};

use mainstay_domain::{AccountId, Violations};
use sqlx::PgConnection;

use super::refused_batch::{BatchFields, refuse_all};
use super::{App, Mutation, Replayable, ScoringError, account_changes, note_claims, parent_checks};
use crate::domain::GivenParent;
use crate::domain::account::{Account, AccountFacts, BatchItem, GivenAccount};
use crate::domain::field_claim::Teller;
use crate::storage::accounts;

const FIELDS: BatchFields = BatchFields { items: "accounts", account: "name" };

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
/// all. `facts` says what the account of an item, by its place, is to be: made of the stored one, or
/// new; or all that is wrong with it. That `teller` says so is noted. `answer` makes of the outcome what the caller is told, and told again.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    items: &[BatchItem],
    facts: impl Fn(usize, Option<&Account>) -> Result<AccountFacts, Violations> + Sync,
    all_or_nothing: bool,
    teller: Option<&Teller>,
    answer: impl Fn(UpsertedAccounts) -> T + Sync,
) -> Result<T, ScoringError> {
    app.core
        .mutate(mutation, async |conn| {
            let now = app.core.clock.now();
            let ids: Vec<&str> = items.iter().filter_map(|item| item.id.as_ref()).map(AccountId::as_str).collect();
            let stored = accounts::lock(conn, &ids).await?;
            let given = items.iter().enumerate().map(|(place, item)| {
                let account = item.id.as_ref().and_then(|id| stored.get(id));
                given_account(item, facts(place, account), account)
            });
            let (accepted, refused) = sort_out(conn, given, &stored).await?;
            if all_or_nothing && !refused.is_empty() {
                return Err(refuse_all(FIELDS, refused));
            }
            let mut outcome = UpsertedAccounts { refused, ..UpsertedAccounts::default() };
            let mut changed = Vec::with_capacity(accepted.len());
            for given in &accepted {
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
            account_changes::store(app, conn, &changed, &stored, now).await?;
            note_claims::execute(conn, teller, accepted.iter().map(|given| (&given.id, &given.facts)), now).await?;
            Ok(answer(outcome))
        })
        .await
}

/// The accounts that can be stored, and the errors of the others by place.
async fn sort_out(
    conn: &mut PgConnection,
    given: impl ExactSizeIterator<Item = Result<GivenAccount, ScoringError>>,
    stored: &HashMap<AccountId, Account>,
) -> Result<(Vec<GivenAccount>, BTreeMap<usize, ScoringError>), ScoringError> {
    let mut accepted = Vec::with_capacity(given.len());
    let mut refused = BTreeMap::new();
    for (place, given) in given.enumerate() {
        match given {
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

/// The account that an item is to become, or why it may not, save for what its parent decides.
fn given_account(
    item: &BatchItem,
    facts: Result<AccountFacts, Violations>,
    stored: Option<&Account>,
) -> Result<GivenAccount, ScoringError> {
    let (id, facts) = match (&item.id, facts) {
        (Some(id), Ok(facts)) if item.faults.is_empty() => (id.clone(), facts),
        (_, facts) => {
            let mut found = item.faults.clone();
            found.extend(facts.err().unwrap_or_default());
            return Err(ScoringError::Invalid(found));
        }
    };
    if stored.is_some_and(|account| account.archived_at.is_some()) {
        return Err(ScoringError::AccountArchived(id));
    }
    if item.etag.as_ref().is_some_and(|etag| !stored.is_some_and(|account| account.etag().matches(etag))) {
        return Err(ScoringError::EtagMismatch);
    }
    Ok(GivenAccount { id, facts })
}
