//! Accounts that belong to other accounts: every parent exists, and there are no circles.

use std::collections::{BTreeMap, HashMap};

use mainstay_domain::AccountId;

/// Most accounts above an account.
pub(crate) const ACCOUNTS_ABOVE_MAX: usize = 32;

/// What is wrong with the parent of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParentFault {
    /// There is no such account.
    Missing,
    /// The account is above its own parent.
    Circle,
    /// More than [`ACCOUNTS_ABOVE_MAX`] accounts are above.
    TooDeep,
}

/// An account and its parent, as they are to be stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GivenParent<'a> {
    /// The account.
    pub account: &'a AccountId,
    /// The account above it.
    pub parent: Option<&'a AccountId>,
}

/// What is wrong with the parents of accounts that are to be stored together,
/// by their place in `given`. `stored` has the parents of all stored accounts
/// that matter. A parent that stays as it is stored is not looked at.
///
/// An account with a fault is not stored; what hung on it is looked at again
/// without it, so that the rest can be stored as it stands.
pub(crate) fn parent_faults(
    given: &[GivenParent<'_>],
    stored: &HashMap<AccountId, Option<AccountId>>,
) -> BTreeMap<usize, ParentFault> {
    let mut to_store: HashMap<&AccountId, Option<&AccountId>> =
        given.iter().map(|item| (item.account, item.parent)).collect();
    let mut faults = BTreeMap::new();
    loop {
        let found: Vec<(usize, ParentFault)> = given
            .iter()
            .enumerate()
            .filter(|(place, item)| !faults.contains_key(place) && moves(item, stored))
            .filter_map(|(place, item)| Some((place, parent_fault(*item, &to_store, stored)?)))
            .collect();
        if found.is_empty() {
            return faults;
        }
        for (place, fault) in found {
            to_store.remove(given[place].account);
            faults.insert(place, fault);
        }
    }
}

/// Whether an account gets a parent that it has not yet.
pub(crate) fn moves(given: &GivenParent<'_>, stored: &HashMap<AccountId, Option<AccountId>>) -> bool {
    given.parent.is_some() && stored.get(given.account).is_none_or(|stored| stored.as_ref() != given.parent)
}

fn parent_fault(
    given: GivenParent<'_>,
    to_store: &HashMap<&AccountId, Option<&AccountId>>,
    stored: &HashMap<AccountId, Option<AccountId>>,
) -> Option<ParentFault> {
    let parent_of = |id: &AccountId| to_store.get(id).copied().or_else(|| stored.get(id).map(Option::as_ref));
    let mut above = given.parent;
    let mut passed = Vec::new();
    while let Some(id) = above {
        if id == given.account {
            return Some(ParentFault::Circle);
        }
        if passed.contains(&id) {
            return None;
        }
        if passed.len() == ACCOUNTS_ABOVE_MAX {
            return Some(ParentFault::TooDeep);
        }
        let Some(next) = parent_of(id) else {
            return passed.is_empty().then_some(ParentFault::Missing);
        };
        passed.push(id);
        above = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> AccountId {
        AccountId::parse(text).expect("an id")
    }

    /// The faults of `given`, written `child parent`, with `-` for none.
    fn faults(given: &[&str], stored: &[&str]) -> Vec<(usize, ParentFault)> {
        let read = |pair: &&str| {
            let (child, parent) = pair.split_once(' ').expect("two words");
            (id(child), (parent != "-").then(|| id(parent)))
        };
        let given: Vec<_> = given.iter().map(read).collect();
        let items: Vec<_> =
            given.iter().map(|(account, parent)| GivenParent { account, parent: parent.as_ref() }).collect();
        parent_faults(&items, &stored.iter().map(read).collect()).into_iter().collect()
    }

    #[test]
    fn a_parent_is_stored_or_in_the_same_batch() {
        assert_eq!(faults(&["a b", "b c", "d -"], &["c -"]), []);
        assert_eq!(faults(&["a b"], &[]), [(0, ParentFault::Missing)]);
    }

    #[test]
    fn whoever_hangs_on_a_refused_new_account_is_refused_too() {
        assert_eq!(faults(&["a b", "b c", "d e", "e -"], &[]), [(0, ParentFault::Missing), (1, ParentFault::Missing)]);
        assert_eq!(faults(&["a b", "b c"], &["b -"]), [(1, ParentFault::Missing)]);
    }

    #[test]
    fn circles_are_refused_and_only_their_members() {
        let circle = ParentFault::Circle;
        assert_eq!(faults(&["a b", "b a"], &[]), [(0, circle), (1, circle)]);
        assert_eq!(faults(&["a c"], &["a -", "b a", "c b"]), [(0, circle)]);
        assert_eq!(faults(&["a b", "b a", "d a"], &["a -", "b -"]), [(0, circle), (1, circle)]);
        assert_eq!(faults(&["a -", "b a"], &["a b", "b -"]), [], "turned around");
    }

    #[test]
    fn a_parent_that_stays_is_not_looked_at() {
        assert_eq!(faults(&["a b"], &["a b"]), []);
    }

    #[test]
    fn at_most_32_accounts_are_above() {
        let chain = |length: usize| -> Vec<String> {
            (1..=length).map(|number| format!("a{number} a{}", number - 1)).collect()
        };
        let found = |length: usize| {
            let chain = chain(length);
            faults(&chain.iter().map(String::as_str).collect::<Vec<_>>(), &["a0 -"])
        };
        assert_eq!(found(ACCOUNTS_ABOVE_MAX), []);
        assert_eq!(found(ACCOUNTS_ABOVE_MAX + 1), [(ACCOUNTS_ABOVE_MAX, ParentFault::TooDeep)]);
    }
}
