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

/// Outcomes of an account that turned out not to be true, as the date of a renewal was corrected, or the customer is back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Withdrawal {
    pub account: AccountId,
    /// No contract that was due later than this was renewed.
    pub not_renewed_since: DateTime<Utc>,
    /// None of these that was due before this was lost either: it is the one that is open.
    pub not_churned_until: DateTime<Utc>,
}

impl Withdrawal {
    /// Of a customer with a renewal that is due at this time: renewed can only be what was due [`RENEWED_BY`] earlier.
    fn of(account: &AccountId, due_at: DateTime<Utc>) -> Self {
        Self {
            account: account.clone(),
            not_renewed_since: due_at - RENEWED_BY,
            not_churned_until: due_at + RENEWED_BY,
        }
    }
}

/// Another date of a renewal. What was called of the same contract under another one is called of this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewDate {
    pub account: AccountId,
    pub due_at: DateTime<Utc>,
    /// Where no outcome is kept, dates later than this are of the same contract,
    pub same_after: DateTime<Utc>,
    /// up to before this.
    pub same_before: DateTime<Utc>,
}

impl NewDate {
    fn of(account: &AccountId, due_at: DateTime<Utc>) -> Self {
        Self { account: account.clone(), due_at, same_after: due_at - RENEWED_BY, same_before: due_at + RENEWED_BY }
    }
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
    pub withdrawn: Vec<Withdrawal>,
    pub new_dates: Vec<NewDate>,
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
        let (was_due_at, due_at) = (before.facts.renewal_at, after.facts.renewal_at);
        match (is_churned(before), is_churned(after)) {
            (true, true) => return,
            (true, false) => {
                self.withdrawn.extend(due_at.map(|due_at| Withdrawal::of(&after.id, due_at)));
                self.note_date(&after.id, was_due_at, due_at);
                return;
            }
            (false, _) => {
                let corrected = due_at.filter(|due_at| was_due_at.is_none_or(|was_due_at| *due_at < was_due_at));
                self.withdrawn.extend(corrected.map(|due_at| Withdrawal::of(&after.id, due_at)));
            }
        }
        let Some(was_due_at) = was_due_at else { return self.note_date(&after.id, None, due_at) };
        let moved_on = due_at.is_some_and(|due_at| due_at - was_due_at >= RENEWED_BY);
        let outcome = match (is_churned(after), moved_on) {
            (true, _) => Outcome::Churned,
            (false, true) => Outcome::Renewed,
            (false, false) => return self.note_date(&after.id, Some(was_due_at), due_at),
        };
        // A date that is corrected as the customer leaves is that of the contract it leaves.
        let due_at = due_at.filter(|_| !moved_on).unwrap_or(was_due_at);
        let arr = before.facts.annual_revenue();
        self.decisions.push(Decision { account: after.id.clone(), due_at, outcome, arr });
        self.note_date(&after.id, Some(was_due_at), Some(due_at));
    }

    fn note_date(&mut self, account: &AccountId, was_due_at: Option<DateTime<Utc>>, due_at: Option<DateTime<Utc>>) {
        let new = due_at.filter(|_| due_at != was_due_at);
        self.new_dates.extend(new.map(|due_at| NewDate::of(account, due_at)));
    }
}
