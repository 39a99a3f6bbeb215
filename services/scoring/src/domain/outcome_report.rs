//! What customers get out of the product: how targets stand, and customers by what they reached.

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::{AccountId, Band, Money, MoneyError, MoneySums, Points, Proportion, Segment};

use super::adoption_target::{AccountOutcome, KeptTarget, OutcomeGroup};
use super::customer_filter::CustomerFilter;

/// Customers whose time for a target ended within so many days tell how it stands.
pub(crate) const DUE_DAYS: i64 = 365;

/// How the customers of a segment stand with a target.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct TargetCounts {
    /// Whose time is over.
    pub due: i64,
    /// Of these, who reached it in time.
    pub in_time: i64,
    /// Of these, who reached it late.
    pub late: i64,
    /// Who reached it and has time.
    pub ahead: i64,
    /// Who did not reach it and has time.
    pub open: i64,
    /// Median of the days from the activation to it, of those due who reached it.
    pub days_median: Option<f64>,
}

impl TargetCounts {
    /// Of those whose time is over, how many reached it in time.
    pub(crate) const fn in_time_share(&self) -> Proportion {
        Proportion { count: self.in_time, total: self.due }
    }
}

/// A target and how it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TargetProgress {
    pub target: KeptTarget,
    pub all: TargetCounts,
    pub segments: Vec<(Segment, TargetCounts)>,
}

/// Customers of an outcome group whose revenue is in one currency, or not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutcomeCount {
    pub group: OutcomeGroup,
    pub account_count: i64,
    pub scored_count: i64,
    /// Of the scores, in units of 1/128.
    pub score_sum: i64,
    pub at_risk_count: i64,
    pub arr: Option<Money>,
}

/// Customers who stand alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutcomeGroupReport {
    pub group: OutcomeGroup,
    pub account_count: i64,
    pub scored_count: i64,
    pub score_sum: i64,
    pub at_risk_count: i64,
    pub arr: MoneySums,
}

impl OutcomeGroupReport {
    /// Of those that have one, in points.
    pub(crate) fn mean_score(&self) -> Option<f64> {
        let mean = || self.score_sum as f64 / self.scored_count as f64 / f64::from(Points::UNITS_PER_POINT);
        (self.scored_count > 0).then(mean)
    }

    /// Customers of all groups, those furthest first. An error when an amount of money leaves its range.
    pub(crate) fn of(counts: &[OutcomeCount]) -> Result<Vec<Self>, MoneyError> {
        let groups = [OutcomeGroup::Achieved, OutcomeGroup::OnTheWay, OutcomeGroup::Behind, OutcomeGroup::NoTarget];
        let report = |group: OutcomeGroup| {
            let mut report = Self {
                group,
                account_count: 0,
                scored_count: 0,
                score_sum: 0,
                at_risk_count: 0,
                arr: MoneySums::default(),
            };
            for count in counts.iter().filter(|count| count.group == group) {
                report.account_count += count.account_count;
                report.scored_count += count.scored_count;
                report.score_sum += count.score_sum;
                report.at_risk_count += count.at_risk_count;
                if let Some(arr) = count.arr {
                    report.arr.add(arr)?;
                }
            }
            Ok(report)
        };
        groups.into_iter().map(report).collect()
    }
}

/// What customers get out of the product.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OutcomeReport {
    pub as_of: DateTime<Utc>,
    /// Customers whose time ended on this day or later tell how targets stand.
    pub due_since: NaiveDate,
    pub targets: Vec<TargetProgress>,
    pub groups: Vec<OutcomeGroupReport>,
}

/// Which customers a list is of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct CustomerOutcomeFilter {
    pub customers: CustomerFilter,
    /// Empty: any.
    pub groups: Vec<OutcomeGroup>,
}

/// A customer and what it reached.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CustomerOutcome {
    pub account: AccountId,
    pub display_name: String,
    pub segment: Segment,
    pub group: OutcomeGroup,
    pub outcomes: Vec<AccountOutcome>,
    pub arr: Option<Money>,
    pub score: Option<Points>,
    pub band: Option<Band>,
}

#[cfg(test)]
mod tests {
    use mainstay_domain::Currency;

    use super::*;

    #[test]
    fn r82_groups_sum_over_currencies_and_an_empty_one_has_no_mean() {
        let count = |group, account_count, code: &str, minor_units| OutcomeCount {
            group,
            account_count,
            scored_count: account_count - 1,
            score_sum: 128 * 60 * (account_count - 1),
            at_risk_count: 1,
            arr: Some(Money { currency: Currency::parse(code).expect("a currency"), minor_units }),
        };
        let counts = [count(OutcomeGroup::Behind, 3, "EUR", 100), count(OutcomeGroup::Behind, 2, "USD", 50)];
        let groups = OutcomeGroupReport::of(&counts).expect("small amounts");
        let behind = groups.iter().find(|report| report.group == OutcomeGroup::Behind).expect("a group");
        assert_eq!((behind.account_count, behind.at_risk_count, behind.mean_score()), (5, 2, Some(60.0)));
        assert_eq!(behind.arr.iter().count(), 2);
        assert_eq!((groups.len(), groups[0].group, groups[0].mean_score()), (4, OutcomeGroup::Achieved, None));
    }
}
