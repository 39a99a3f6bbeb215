//! Takes in what vendors tell of accounts: the newest counts, whichever comes first.

use std::collections::{BTreeMap, HashMap};

use mainstay_domain::{AccountId, Violations};
use mainstay_storage::transact;
use sqlx::PgConnection;

use super::{App, ScoringError, account_changes, note_claims};
use crate::domain::NewsKey;
use crate::domain::account::{Account, AccountFacts, GivenAccount};
use crate::domain::field_claim::Teller;
use crate::storage::{account_news, accounts};

/// Something that is told of an account.
#[derive(Debug, Clone)]
pub(crate) struct ToldAccount {
    /// Of which account, about what, and how new it is.
    pub key: NewsKey,
    /// It says only that there is such an account: one that exists stays as it is.
    pub is_only_existence: bool,
    /// Who says so, and of which field; none where it is of no field.
    pub teller: Option<Teller>,
}

/// What became of accounts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ToldAccounts {
    pub created: usize,
    pub changed: usize,
    /// Those that were so already, or of which something newer was told before.
    pub unchanged: usize,
}

impl ToldAccounts {
    /// Adds what became of others.
    pub(crate) const fn add(&mut self, others: Self) {
        self.created += others.created;
        self.changed += others.changed;
        self.unchanged += others.unchanged;
    }
}

/// Takes in what is told, in its order. `facts` says what an account is then, made of what is known of it, or of nothing when
/// there is none; it gives none when that is not enough for a new account.
pub(crate) async fn execute(
    app: &App,
    told: &[ToldAccount],
    facts: impl Fn(usize, Option<&AccountFacts>) -> Option<Result<AccountFacts, Violations>> + Sync,
) -> Result<ToldAccounts, ScoringError> {
    let facts = &facts;
    let outcome = transact(&app.core.pool, async |conn| take(app, conn, told, facts).await).await?;
    app.core.work_arrived.notify_one();
    Ok(outcome)
}

async fn take(
    app: &App,
    conn: &mut PgConnection,
    told: &[ToldAccount],
    facts: &(impl Fn(usize, Option<&AccountFacts>) -> Option<Result<AccountFacts, Violations>> + Sync),
) -> Result<ToldAccounts, ScoringError> {
    let now = app.core.clock.now();
    let mut ids: Vec<&str> = told.iter().map(|told| told.key.account.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let stored = accounts::lock(conn, &ids).await?;
    let mut known: BTreeMap<&AccountId, AccountFacts> = BTreeMap::new();
    for (place, ToldAccount { key, is_only_existence, teller }) in told.iter().enumerate() {
        let id = &key.account;
        if stored.get(id).is_some_and(|account| account.archived_at.is_some()) {
            return Err(ScoringError::AccountArchived(id.clone()));
        }
        let before = known.get(id).or_else(|| stored.get(id).map(|account| &account.facts));
        if *is_only_existence && before.is_some() {
            continue;
        }
        let Some(after) = facts(place, before) else {
            return Err(ScoringError::AccountNotFound(id.clone()));
        };
        let after = after.map_err(ScoringError::Invalid)?;
        if account_news::note_if_newer(conn, key).await? {
            note_claims::execute(conn, teller.as_ref(), std::iter::once((id, &after)), now).await?;
            known.insert(id, after);
        }
    }
    let changed: Vec<Account> = known
        .into_iter()
        .filter_map(|(id, facts)| match stored.get(id) {
            None => Some(Account::created(&GivenAccount { id: id.clone(), facts }, now)),
            Some(account) if account.facts == facts => None,
            Some(account) => Some(account.changed(facts, now)),
        })
        .collect();
    account_changes::store(app, conn, &changed, &stored, now).await?;
    Ok(outcome(ids.len(), &changed, &stored))
}

fn outcome(told: usize, changed: &[Account], stored: &HashMap<AccountId, Account>) -> ToldAccounts {
    let created = changed.iter().filter(|account| !stored.contains_key(&account.id)).count();
    ToldAccounts { created, changed: changed.len() - created, unchanged: told - changed.len() }
}
