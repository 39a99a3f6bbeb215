//! Signals that are taken back.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, Violations, is_key};

use super::account::KEY_RULE;
use super::lifecycle::LifecycleSignal;
use super::signal::{Payload, check_opaque_id};

/// Most signals of one withdrawal.
const WITHDRAWN_MAX: usize = 1_000;
/// Most characters of a reason.
const REASON_LENGTH_MAX: usize = 1_000;

/// That a signal was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// The caller, as authenticated.
    pub withdrawn_by: String,
    /// Why, in the caller's words.
    pub reason: String,
    /// When.
    pub withdrawn_at: DateTime<Utc>,
}

/// Which signals of an account and a source are to be taken back, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WithdrawnIds {
    pub account: AccountId,
    pub source: String,
    /// As they were given, which error messages count by.
    pub source_ids: Vec<String>,
    pub reason: String,
}

impl WithdrawnIds {
    /// Notes what is wrong with all but the account.
    pub(crate) fn check(found: &mut Violations, source: &str, source_ids: &[String], reason: &str) {
        found.require(is_key(source), "source", KEY_RULE);
        let count = source_ids.len();
        found.require(
            (1..=WITHDRAWN_MAX).contains(&count),
            "source_ids",
            format!("has {count} entries, 1 to {WITHDRAWN_MAX} are allowed"),
        );
        for (place, id) in source_ids.iter().enumerate().take(WITHDRAWN_MAX) {
            check_opaque_id(found, &format!("source_ids[{place}]"), id);
        }
        found.require(!reason.trim().is_empty(), "reason", "is required");
        found.check_text("reason", reason, REASON_LENGTH_MAX);
    }

    /// The ids in the order of their keys, each once.
    pub(crate) fn in_order(&self) -> Vec<&str> {
        let ids: BTreeSet<&str> = self.source_ids.iter().map(String::as_str).collect();
        ids.into_iter().collect()
    }

    /// A fault for each place at which one of these ids stands.
    pub(crate) fn faults(&self, ids: &BTreeSet<&str>, description: &str) -> Violations {
        let mut found = Violations::new();
        for (place, _) in self.source_ids.iter().enumerate().filter(|(_, id)| ids.contains(id.as_str())) {
            found.add(format!("source_ids[{place}]"), description);
        }
        found
    }
}

impl Payload {
    /// Whether it changed the account itself, so that what the account said before is not known any more.
    pub(crate) const fn changes_account(&self) -> bool {
        matches!(self, Self::Lifecycle(told) if !matches!(told, LifecycleSignal::Milestone { .. }))
    }
}
