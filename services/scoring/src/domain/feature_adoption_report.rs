//! Which features customers use, period by period.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::Proportion;

use super::adoption_period::AdoptionGrain;
use super::customer_filter::CustomerFilter;
use super::segment::Segment;

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

/// Customers of a segment who used a feature in a period or the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserCount {
    pub feature: String,
    pub start: NaiveDate,
    pub segment: Segment,
    pub counts: FeatureUsers,
}

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
        users: Vec<UserCount>,
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
        let mut by_feature: BTreeMap<String, Vec<UserCount>> = BTreeMap::new();
        for count in users {
            by_feature.entry(count.feature.clone()).or_default().push(count);
        }
        let newest_over = starts.iter().rev().nth(1).copied();
        let segments: Vec<&CustomerCount> = newest_over.into_iter().flat_map(of_period).collect();
        let mut features: Vec<AdoptedFeature> =
            by_feature.into_iter().map(|(feature, counts)| adopted(feature, &periods, &segments, &counts)).collect();
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
    counts: &[UserCount],
) -> AdoptedFeature {
    let sum = |start: NaiveDate, segment: Option<Segment>| {
        let wanted = |count: &&UserCount| count.start == start && segment.is_none_or(|only| only == count.segment);
        let mut sum = FeatureUsers::default();
        counts.iter().filter(wanted).for_each(|count| sum.add(count.counts));
        sum
    };
    let period = |period: &AdoptionPeriod| {
        let counts = sum(period.start, None);
        FeaturePeriod { counts, share: Proportion { count: counts.users, total: period.account_count } }
    };
    let segment = |customers: &&CustomerCount| FeatureSegment {
        segment: customers.segment,
        share: Proportion {
            count: sum(customers.start, Some(customers.segment)).users,
            total: customers.account_count,
        },
    };
    AdoptedFeature {
        feature,
        periods: periods.iter().map(period).collect(),
        segments: segments.iter().map(segment).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn used(feature: &str, start: &str, segment: Segment, users: i64) -> UserCount {
        let counts = FeatureUsers { users, ..Default::default() };
        UserCount { feature: feature.to_owned(), start: day(start), segment, counts }
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
        let users = vec![
            used("export", "2026-01-01", Segment::Smb, 7),
            used("export", "2026-02-01", Segment::Enterprise, 1),
            used("export", "2026-02-01", Segment::Smb, 6),
            used("sso", "2026-02-01", Segment::Enterprise, 4),
            used("audit", "2026-03-01", Segment::Enterprise, 4),
        ];
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
        let users = vec![used("export", "2026-03-01", Segment::Smb, 2)];
        let report = FeatureAdoptionReport::of(&query, DateTime::UNIX_EPOCH, &[start], &customers, users);
        assert_eq!((report.features[0].change(), report.features[0].segments.len()), (None, 0));
    }
}
