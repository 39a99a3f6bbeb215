//! What of an account, beside its signals, decides its score.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use mainstay_domain::Segment;

use super::account_group::{AccountGroup, AccountGroupKind};

/// Facts of an account that scores are made of.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScoringFacts {
    /// Its segment.
    pub segment: Segment,
    /// Its industry, in the caller's words; empty: not known.
    pub industry: String,
    /// The plan it is on; empty: not known.
    pub plan: String,
    /// Limits of its plan by metric, each above 0.
    pub plan_limits: BTreeMap<String, f64>,
}

impl ScoringFacts {
    /// All groups that the account is in.
    pub fn groups(&self) -> impl Iterator<Item = AccountGroup> {
        AccountGroupKind::ALL.into_iter().filter_map(|kind| self.group(kind))
    }

    /// The accounts that are alike in this, with this one among them; none when it is not known of this one.
    pub fn group(&self, kind: AccountGroupKind) -> Option<AccountGroup> {
        match kind {
            AccountGroupKind::Segment => Some(AccountGroup::Segment(self.segment)),
            AccountGroupKind::Industry => AccountGroup::industry(&self.industry),
            AccountGroupKind::Plan => AccountGroup::plan(&self.plan),
        }
    }
}

/// The facts of an account over time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScoringFactsByDay(Vec<(NaiveDate, ScoringFacts)>);

impl ScoringFactsByDay {
    /// Adds what holds from a day on; days come in their order.
    pub fn push(&mut self, from_day: NaiveDate, facts: ScoringFacts) {
        debug_assert!(self.0.last().is_none_or(|(last, _)| *last < from_day), "days rise");
        self.0.push((from_day, facts));
    }

    /// All that ever held.
    pub fn all(&self) -> impl Iterator<Item = &ScoringFacts> {
        self.0.iter().map(|(_, facts)| facts)
    }

    /// What held on a day: the first facts also hold for the days before them, as nothing else is known of those.
    pub fn on(&self, day: NaiveDate) -> Option<&ScoringFacts> {
        let later = self.0.partition_point(|(from_day, _)| *from_day <= day);
        self.0.get(later.saturating_sub(1)).map(|(_, facts)| facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 3, number).expect("a day")
    }

    #[test]
    fn facts_hold_until_the_next_ones_and_the_first_for_all_days_before() {
        let mut facts = ScoringFactsByDay::default();
        assert_eq!(facts.on(day(1)), None);
        for (number, segment) in [(5, Segment::Smb), (9, Segment::Enterprise)] {
            facts.push(day(number), ScoringFacts { segment, ..ScoringFacts::default() });
        }
        let segments = [1, 5, 8, 9, 20].map(|number| facts.on(day(number)).map(|facts| facts.segment));
        let [smb, enterprise] = [Some(Segment::Smb), Some(Segment::Enterprise)];
        assert_eq!(segments, [smb, smb, smb, enterprise, enterprise]);
    }
}
