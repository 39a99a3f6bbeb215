//! Whether accounts may belong to the parents they are given.

use std::collections::{BTreeMap, HashMap, HashSet};

use mainstay_domain::{AccountId, Violations};
use sqlx::PgConnection;

use super::ScoringError;
use crate::domain::account::Account;
use crate::domain::{ACCOUNTS_ABOVE_MAX, GivenParent, ParentFault, moves, parent_faults};
use crate::storage::accounts;

/// What is wrong with the parents of accounts that are to be stored together,
/// by their place in `given`. `locked` has those of them that are stored already.
pub(super) async fn check(
    conn: &mut PgConnection,
    locked: &HashMap<AccountId, Account>,
    given: &[GivenParent<'_>],
) -> Result<BTreeMap<usize, Violations>, ScoringError> {
    let mut stored: HashMap<AccountId, Option<AccountId>> =
        locked.values().map(|account| (account.id.clone(), account.facts.parent.clone())).collect();
    let moved: Vec<&GivenParent<'_>> = given.iter().filter(|item| moves(item, &stored)).collect();
    if moved.is_empty() {
        return Ok(BTreeMap::new());
    }
    if moved.iter().any(|item| stored.contains_key(item.account)) {
        accounts::lock_tree(conn).await?;
    }
    load_above(conn, given, &mut stored).await?;
    let faults = parent_faults(given, &stored);
    Ok(faults.into_iter().map(|(place, fault)| (place, violation(given[place], fault))).collect())
}

/// Adds the stored accounts above all of these, a level at a time.
async fn load_above(
    conn: &mut PgConnection,
    given: &[GivenParent<'_>],
    stored: &mut HashMap<AccountId, Option<AccountId>>,
) -> Result<(), ScoringError> {
    let mut wanted: HashSet<AccountId> =
        given.iter().filter_map(|item| item.parent).chain(stored.values().flatten()).cloned().collect();
    for _ in 0..=ACCOUNTS_ABOVE_MAX {
        wanted.retain(|id| !stored.contains_key(id));
        if wanted.is_empty() {
            break;
        }
        let ids: Vec<&str> = wanted.iter().map(AccountId::as_str).collect();
        let level = accounts::parents(conn, &ids).await?;
        wanted = level.values().flatten().cloned().collect();
        stored.extend(level);
    }
    Ok(())
}

fn violation(given: GivenParent<'_>, fault: ParentFault) -> Violations {
    let parent = given.parent.map(AccountId::name).unwrap_or_default();
    let said = match fault {
        ParentFault::Missing => format!("{parent} does not exist"),
        ParentFault::Circle => format!("{parent} is below this account: that would be a circle"),
        ParentFault::TooDeep => format!("{parent} has {ACCOUNTS_ABOVE_MAX} accounts above it, as many as there can be"),
    };
    let mut found = Violations::new();
    found.add("parent", said);
    found
}
