//! What a change of accounts says of renewals and of revenue.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_domain::{AccountId, Money};

use super::Outcome;
use crate::domain::account::{Account, LifecycleStage};

/// By how much a renewal date moves at least when a contract is renewed; by less it was corrected.
const RENEWED_BY: TimeDelta = TimeDelta::days(28);

/// A renewal that is decided.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decision {
    pub account: AccountId,
    pub due_at: DateTime<Utc>,
    pub outcome: Outcome,
    /// Of a year, before the decision.
    pub arr: Option<Money>,
}

/// The yearly revenue of an account that changed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ArrChange {
    pub account: AccountId,
    pub arr: Option<Money>,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct RenewalChanges {
    pub decisions: Vec<Decision>,
    /// Renewals that are open again, as the customer is back.
    pub reopened: Vec<(AccountId, DateTime<Utc>)>,
    pub arr: Vec<ArrChange>,
}

impl RenewalChanges {
    /// What of accounts that were `stored` and are `changed` now changed.
    pub(crate) fn of(changed: &[Account], stored: &HashMap<AccountId, Account>) -> Self {
        let mut changes = Self::default();
        for after in changed {
            let before = stored.get(&after.id);
            let arr = after.facts.annual_revenue();
            if before.map_or(arr.is_some(), |before| before.facts.annual_revenue() != arr) {
                changes.arr.push(ArrChange { account: after.id.clone(), arr });
            }
            if let Some(before) = before {
                changes.note_renewal(before, after);
            }
        }
        changes
    }

    fn note_renewal(&mut self, before: &Account, after: &Account) {
        let is_churned = |account: &Account| account.facts.lifecycle_stage == LifecycleStage::Churned;
        if is_churned(before) {
            let reopened = after.facts.renewal_at.filter(|_| !is_churned(after));
            self.reopened.extend(reopened.map(|due_at| (after.id.clone(), due_at)));
            return;
        }
        let Some(due_at) = before.facts.renewal_at else { return };
        let moved_on = after.facts.renewal_at.is_some_and(|next| next - due_at >= RENEWED_BY);
        let outcome = match (is_churned(after), moved_on) {
            (true, _) => Outcome::Churned,
            (false, true) => Outcome::Renewed,
            (false, false) => return,
        };
        let arr = before.facts.annual_revenue();
        self.decisions.push(Decision { account: after.id.clone(), due_at, outcome, arr });
    }
}
