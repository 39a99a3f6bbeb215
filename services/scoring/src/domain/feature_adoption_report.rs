//! Which features customers use, period by period.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::{Proportion, Segment};

use super::adoption_period::AdoptionGrain;
use super::customer_filter::CustomerFilter;

/// Most periods of a report; the periods that are kept reach further.
pub(crate) const PERIODS_MAX: i32 = 26;

/// Which periods, customers and features.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FeatureAdoptionQuery {
    pub grain: AdoptionGrain,
    /// How many, the one under way among them.
    pub periods: usize,
    pub customers: CustomerFilter,
    pub list_size: usize,
}

/// Customers of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CustomerCount {
    pub start: NaiveDate,
    pub segment: Segment,
    pub account_count: i64,
}

/// When an account was a customer, in periods before the newest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CustomerSpan {
    /// The oldest.
    pub from_ago: i32,
    /// The newest; not above `from_ago`.
    pub to_ago: i32,
}

/// A feature, as an account used it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FeatureUse {
    /// Bit n: it was used n periods before the newest one.
    pub bits: i64,
    /// How many periods before the newest one it was used first.
    pub first_ago: i32,
    pub customer: CustomerSpan,
}

/// Customers of a segment who used a feature, by periods before the newest one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct UserTally(Vec<FeatureUsers>);

impl UserTally {
    /// Of so many periods.
    pub(crate) fn of(periods: usize) -> Self {
        Self(vec![FeatureUsers::default(); periods])
    }

    /// Counts an account in those periods in which it was a customer.
    pub(crate) fn add(&mut self, used: FeatureUse) {
        let span = used.customer.to_ago..=used.customer.from_ago;
        for (ago, counts) in (0..).zip(&mut self.0).filter(|(ago, _)| span.contains(ago)) {
            let is_used = |ago: i32| used.bits & 1 << ago != 0;
            match (is_used(ago), is_used(ago + 1)) {
                (true, before) => {
                    counts.users += 1;
                    if used.first_ago == ago {
                        counts.new += 1;
                    } else if !before {
                        counts.returned += 1;
                    }
                }
                (false, true) => counts.lapsed += 1,
                (false, false) => {}
            }
        }
    }

    /// Of the period so long before the newest one.
    fn counts(&self, ago: usize) -> FeatureUsers {
        self.0.get(ago).copied().unwrap_or_default()
    }

    fn is_used(&self) -> bool {
        self.0.iter().any(|counts| counts.users > 0)
    }
}

/// By feature and segment.
pub(crate) type UserTallies = BTreeMap<String, BTreeMap<Segment, UserTally>>;

/// Who used a feature in a period, and who came and went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct FeatureUsers {
    pub users: i64,
    /// Of these, who never used it before.
    pub new: i64,
    /// Of these, who used it before, but not in the period before.
    pub returned: i64,
    /// Customers who used it in the period before, and not in this one.
    pub lapsed: i64,
}

impl FeatureUsers {
    fn add(&mut self, other: Self) {
        self.users += other.users;
        self.new += other.new;
        self.returned += other.returned;
        self.lapsed += other.lapsed;
    }
}

/// A period of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AdoptionPeriod {
    pub start: NaiveDate,
    /// The first day after it.
    pub end: NaiveDate,
    /// Who was a customer on some day of it.
    pub account_count: i64,
}

/// A feature in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FeaturePeriod {
    pub counts: FeatureUsers,
    /// How many of the customers used it.
    pub share: Proportion,
}

/// A feature of the customers of a segment in the newest period that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FeatureSegment {
    pub segment: Segment,
    pub share: Proportion,
}

/// A feature, period by period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AdoptedFeature {
    pub feature: String,
    /// One for each period of the report.
    pub periods: Vec<FeaturePeriod>,
    /// Segments with customers in the newest period that is over.
    pub segments: Vec<FeatureSegment>,
}

impl AdoptedFeature {
    /// By how much the share changed from the second newest period that is over to the newest; none without customers in both.
    pub(crate) fn change(&self) -> Option<f64> {
        let over = self.periods.len().checked_sub(1)?;
        let (newest, before) = (self.periods.get(over.checked_sub(1)?)?, self.periods.get(over.checked_sub(2)?)?);
        Some(newest.share.share()? - before.share.share()?)
    }

    fn newest_over(&self) -> i64 {
        self.periods.iter().rev().nth(1).map_or(0, |period| period.counts.users)
    }
}

/// Which features customers use.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FeatureAdoptionReport {
    pub as_of: DateTime<Utc>,
    pub periods: Vec<AdoptionPeriod>,
    /// How many features were used in any of the periods.
    pub feature_count: usize,
    pub features: Vec<AdoptedFeature>,
}

impl FeatureAdoptionReport {
    /// Those with most users in the newest period that is over come first. The newest of `starts` is under way.
    pub(crate) fn of(
        query: &FeatureAdoptionQuery,
        as_of: DateTime<Utc>,
        starts: &[NaiveDate],
        customers: &[CustomerCount],
        tallies: UserTallies,
    ) -> Self {
        let of_period = |start: NaiveDate| customers.iter().filter(move |count| count.start == start);
        let periods: Vec<AdoptionPeriod> = starts
            .iter()
            .map(|&start| AdoptionPeriod {
                start,
                end: query.grain.next(start),
                account_count: of_period(start).map(|count| count.account_count).sum(),
            })
            .collect();
        let newest_over = starts.iter().rev().nth(1).copied();
        let segments: Vec<&CustomerCount> = newest_over.into_iter().flat_map(of_period).collect();
        let used = tallies.into_iter().filter(|(_, of_segments)| of_segments.values().any(UserTally::is_used));
        let mut features: Vec<AdoptedFeature> =
            used.map(|(feature, tallies)| adopted(feature, &periods, &segments, &tallies)).collect();
        let feature_count = features.len();
        features.sort_by_key(|feature| std::cmp::Reverse(feature.newest_over()));
        features.truncate(query.list_size);
        Self { as_of, periods, feature_count, features }
    }
}

fn adopted(
    feature: String,
    periods: &[AdoptionPeriod],
    segments: &[&CustomerCount],
    tallies: &BTreeMap<Segment, UserTally>,
) -> AdoptedFeature {
    let of_periods = periods.iter().rev().enumerate().map(|(ago, period)| {
        let mut counts = FeatureUsers::default();
        tallies.values().for_each(|tally| counts.add(tally.counts(ago)));
        FeaturePeriod { counts, share: Proportion { count: counts.users, total: period.account_count } }
    });
    let mut of_periods: Vec<FeaturePeriod> = of_periods.collect();
    of_periods.reverse();
    // The newest period that is over is the one before the newest.
    let segment = |customers: &&CustomerCount| FeatureSegment {
        segment: customers.segment,
        share: Proportion {
            count: tallies.get(&customers.segment).map_or(0, |tally| tally.counts(1).users),
            total: customers.account_count,
        },
    };
    AdoptedFeature { feature, periods: of_periods, segments: segments.iter().map(segment).collect() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    const ALWAYS: CustomerSpan = CustomerSpan { from_ago: 60, to_ago: 0 };

    /// So many customers who used it so many periods ago, and long before.
    fn used(tallies: &mut UserTallies, feature: &str, ago: i32, segment: Segment, users: usize) {
        let tally = tallies.entry(feature.to_owned()).or_default().entry(segment).or_insert_with(|| UserTally::of(3));
        (0..users).for_each(|_| tally.add(FeatureUse { bits: 1 << ago, first_ago: 50, customer: ALWAYS }));
    }

    #[test]
    fn r72_shares_are_of_the_customers_of_the_period_and_the_segment() {
        let starts = ["2026-01-01", "2026-02-01", "2026-03-01"].map(day);
        let customers: Vec<CustomerCount> = starts
            .iter()
            .flat_map(|&start| {
                [(Segment::Smb, 10), (Segment::Enterprise, 4)].map(|(segment, account_count)| CustomerCount {
                    start,
                    segment,
                    account_count,
                })
            })
            .collect();
        let query = FeatureAdoptionQuery {
            grain: AdoptionGrain::Month,
            periods: 3,
            customers: CustomerFilter::default(),
            list_size: 2,
        };
        let mut users = UserTallies::new();
        used(&mut users, "export", 2, Segment::Smb, 7);
        used(&mut users, "export", 1, Segment::Enterprise, 1);
        used(&mut users, "export", 1, Segment::Smb, 6);
        used(&mut users, "sso", 1, Segment::Enterprise, 4);
        used(&mut users, "audit", 0, Segment::Enterprise, 4);
        let report = FeatureAdoptionReport::of(&query, DateTime::UNIX_EPOCH, &starts, &customers, users);
        assert_eq!(report.feature_count, 3);
        let names: Vec<&str> = report.features.iter().map(|feature| feature.feature.as_str()).collect();
        assert_eq!(names, ["export", "sso"], "by the users of February; March is under way");
        let export = &report.features[0];
        assert_eq!(export.periods[1].share, Proportion { count: 7, total: 14 });
        assert_eq!(export.change(), Some(0.0));
        assert_eq!(report.features[1].change(), Some(4.0 / 14.0));
        let shares: Vec<_> =
            export.segments.iter().map(|one| (one.segment, one.share.count, one.share.total)).collect();
        assert_eq!(shares, [(Segment::Smb, 6, 10), (Segment::Enterprise, 1, 4)]);
        assert_eq!(report.periods[2].end, day("2026-04-01"));
    }

    #[test]
    fn a_report_of_the_period_under_way_tells_no_change() {
        let start = day("2026-03-01");
        let customers = [CustomerCount { start, segment: Segment::Smb, account_count: 5 }];
        let query = FeatureAdoptionQuery {
            grain: AdoptionGrain::Month,
            periods: 1,
            customers: CustomerFilter::default(),
            list_size: 5,
        };
        let mut users = UserTallies::new();
        used(&mut users, "export", 0, Segment::Smb, 2);
        let report = FeatureAdoptionReport::of(&query, DateTime::UNIX_EPOCH, &[start], &customers, users);
        assert_eq!((report.features[0].change(), report.features[0].segments.len()), (None, 0));
    }

    #[test]
    fn r72_who_came_returned_and_lapsed_follows_from_the_periods_of_use() {
        let mut tally = UserTally::of(4);
        // Used 3 and 0 periods ago, for the first time 3 ago; left before the newest.
        tally.add(FeatureUse { bits: 0b1001, first_ago: 3, customer: CustomerSpan { from_ago: 9, to_ago: 1 } });
        // Used 5, 1 and 0 ago, for the first time 5 ago.
        tally.add(FeatureUse { bits: 0b10_0011, first_ago: 5, customer: ALWAYS });
        let counts: Vec<[i64; 4]> = tally.0.iter().map(|one| [one.users, one.new, one.returned, one.lapsed]).collect();
        assert_eq!(counts, [[1, 0, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1], [1, 1, 0, 0]]);
    }

    proptest! {
        #[test]
        fn r72_users_of_a_period_are_those_of_the_one_before_with_who_came_and_without_who_lapsed(
            uses in proptest::collection::vec((0i64..1 << 12, 0i32..20), 0..50),
        ) {
            let mut tally = UserTally::of(10);
            for (bits, first) in uses {
                // The first use is the oldest bit, or older than the bits.
                let oldest = 63 - i32::try_from((bits | 1).leading_zeros()).expect("small");
                let first_ago = if first < 10 { oldest } else { first + 12 };
                tally.add(FeatureUse { bits, first_ago, customer: ALWAYS });
            }
            for pair in tally.0.windows(2) {
                let [now, before] = pair else { continue };
                prop_assert_eq!(now.users, before.users + now.new + now.returned - now.lapsed);
            }
        }
    }
}
