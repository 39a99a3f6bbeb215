//! How all customers are, and what changed: the sums of a report, from groups of accounts that fall together.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::{AccountId, Band, Money, MoneyError, MoneySums, Points, Segment};

use super::customer_filter::CustomerFilter;
use super::risk_trigger::RiskTriggerKind;

/// Over how long changes are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ReportPeriod {
    Day,
    Week,
    #[default]
    Month,
}

impl ReportPeriod {
    pub(crate) const fn days(self) -> i32 {
        match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
        }
    }
}

/// Which customers, and how much of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ReportQuery {
    pub period: ReportPeriod,
    pub customers: CustomerFilter,
    pub list_size: i64,
    /// From which change on a customer is listed as fallen or risen.
    pub change_at_least: Points,
}

/// Customers that have all of this in common.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ReportGroup {
    pub segment: Segment,
    pub band: Option<Band>,
    /// By the score of before.
    pub band_before: Option<Band>,
    pub account_count: i64,
    /// Sum of the scores, in units of 1/128.
    pub score_sum: i64,
    /// Of those that have a score now and had one then.
    pub compared_count: i64,
    /// Sum of their changes, in units of 1/128.
    pub change_sum: i64,
    pub arr: Option<Money>,
    /// The oldest day of their newest scores; none when they have none.
    pub oldest_day: Option<NaiveDate>,
}

/// The customers of a band.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct BandReport {
    pub account_count: i64,
    pub account_count_before: i64,
    pub arr: MoneySums,
}

/// Customers that came from one band into another.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct BandTransition {
    pub account_count: i64,
    pub arr: MoneySums,
}

/// The customers of a segment.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct SegmentReport {
    pub account_count: i64,
    pub mean_score: Option<f64>,
    pub mean_change: Option<f64>,
    pub at_risk_count: i64,
    pub at_risk_arr: MoneySums,
}

/// The sums of a report.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ReportSums {
    pub account_count: i64,
    pub mean_score: Option<f64>,
    /// The oldest day of the newest scores.
    pub oldest_day: Option<NaiveDate>,
    /// Every band, and none for customers without a score.
    pub bands: BTreeMap<Option<Band>, BandReport>,
    /// From and to.
    pub moves: BTreeMap<(Option<Band>, Option<Band>), BandTransition>,
    /// Those that have customers.
    pub segments: BTreeMap<Segment, SegmentReport>,
}

/// A mean in the making.
#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: i64,
    count: i64,
}

impl Mean {
    fn add(&mut self, sum: i64, count: i64) {
        self.sum += sum;
        self.count += count;
    }

    /// In points.
    fn points(self) -> Option<f64> {
        let mean = || self.sum as f64 / self.count as f64 / f64::from(Points::UNITS_PER_POINT);
        (self.count > 0).then(mean)
    }
}

impl ReportSums {
    /// The sums of the groups; an error when an amount of money leaves its range.
    pub(crate) fn of(groups: &[ReportGroup]) -> Result<Self, MoneyError> {
        let all = [None, Some(Band::Critical), Some(Band::AtRisk), Some(Band::Stable), Some(Band::Healthy)];
        let mut bands: BTreeMap<_, BandReport> = all.map(|band| (band, BandReport::default())).into();
        let mut moves: BTreeMap<_, BandTransition> = BTreeMap::new();
        let mut segments: BTreeMap<Segment, (SegmentReport, Mean, Mean)> = BTreeMap::new();
        let mut scores = Mean::default();
        for group in groups {
            let scored = if group.band.is_some() { group.account_count } else { 0 };
            scores.add(group.score_sum, scored);
            let now = bands.entry(group.band).or_default();
            now.account_count += group.account_count;
            if let Some(arr) = group.arr {
                now.arr.add(arr)?;
            }
            bands.entry(group.band_before).or_default().account_count_before += group.account_count;
            if group.band != group.band_before {
                let moved = moves.entry((group.band_before, group.band)).or_default();
                moved.account_count += group.account_count;
                if let Some(arr) = group.arr {
                    moved.arr.add(arr)?;
                }
            }
            let (segment, segment_scores, changes) = segments.entry(group.segment).or_default();
            segment.account_count += group.account_count;
            segment_scores.add(group.score_sum, scored);
            changes.add(group.change_sum, group.compared_count);
            if matches!(group.band, Some(Band::Critical | Band::AtRisk)) {
                segment.at_risk_count += group.account_count;
                if let Some(arr) = group.arr {
                    segment.at_risk_arr.add(arr)?;
                }
            }
        }
        let segments = segments.into_iter().map(|(segment, (report, scores, changes))| {
            (segment, SegmentReport { mean_score: scores.points(), mean_change: changes.points(), ..report })
        });
        Ok(Self {
            account_count: bands.values().map(|band| band.account_count).sum(),
            mean_score: scores.points(),
            oldest_day: groups.iter().filter_map(|group| group.oldest_day).min(),
            bands,
            moves,
            segments: segments.collect(),
        })
    }
}

/// The customers of today on a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TrendPoint {
    pub day: NaiveDate,
    pub scored_count: i64,
    /// Sum of the scores, in units of 1/128.
    pub score_sum: i64,
    pub at_risk_count: i64,
    pub critical_count: i64,
}

impl TrendPoint {
    /// In points; none when nobody had a score.
    pub(crate) fn mean_score(&self) -> Option<f64> {
        Mean { sum: self.score_sum, count: self.scored_count }.points()
    }
}

/// A customer in a list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CustomerReport {
    pub account: AccountId,
    pub display_name: String,
    pub segment: Segment,
    pub csm_email: Option<String>,
    pub score: Option<Points>,
    pub band: Option<Band>,
    pub change: Option<Points>,
    pub arr: Option<Money>,
    pub renewal_at: Option<DateTime<Utc>>,
    /// The limit of its plan that it is nearest to, if it is near one.
    pub near_limit: Option<NearLimit>,
}

/// A limit of a plan that is nearly used, or more than that.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NearLimit {
    pub metric: String,
    /// What was used, as a share of the limit.
    pub share: f64,
}

/// Customers who have room to grow: neither at risk nor far from a limit of their plan.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ReadyToGrow {
    pub account_count: i64,
    pub arr: MoneySums,
}

/// Conditions of one kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RiskTriggerReport {
    pub kind: RiskTriggerKind,
    pub lasting_count: i64,
    pub raised_count: i64,
    pub cleared_count: i64,
}

/// How long customers took from signing up to activation.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct TimeToValue {
    pub days_median: Option<f64>,
    pub activated_count: i64,
}

/// How all customers are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HealthReport {
    pub as_of: DateTime<Utc>,
    pub day: NaiveDate,
    pub compare_day: NaiveDate,
    pub sums: ReportSums,
    pub trend: Vec<TrendPoint>,
    pub fallen: Vec<CustomerReport>,
    pub risen: Vec<CustomerReport>,
    pub at_risk: Vec<CustomerReport>,
    pub risk_triggers: Vec<RiskTriggerReport>,
    pub time_to_value: TimeToValue,
    pub referenceable_count: i64,
    pub ready_to_grow: ReadyToGrow,
    pub near_limit: Vec<CustomerReport>,
}

#[cfg(test)]
mod tests {
    use mainstay_domain::Currency;
    use proptest::prelude::*;

    use super::*;

    fn band() -> impl Strategy<Value = Option<Band>> {
        prop_oneof![
            Just(None),
            Just(Some(Band::Critical)),
            Just(Some(Band::AtRisk)),
            Just(Some(Band::Stable)),
            Just(Some(Band::Healthy))
        ]
    }

    fn group() -> impl Strategy<Value = ReportGroup> {
        let segment = prop_oneof![Just(Segment::Unknown), Just(Segment::Enterprise), Just(Segment::Smb)];
        (segment, band(), band(), 1i64..50, 0i64..12_800).prop_map(|(segment, band, band_before, count, score)| {
            let currency = Currency::parse("EUR").expect("a currency");
            let compared = band.is_some() && band_before.is_some();
            ReportGroup {
                segment,
                band,
                band_before,
                account_count: count,
                score_sum: if band.is_some() { score * count } else { 0 },
                compared_count: if compared { count } else { 0 },
                change_sum: 0,
                oldest_day: None,
                arr: Some(Money { currency, minor_units: 100 * count }),
            }
        })
    }

    proptest! {
        #[test]
        fn nobody_is_lost_or_counted_twice(groups in proptest::collection::vec(group(), 0..20)) {
            let all: i64 = groups.iter().map(|group| group.account_count).sum();
            let sums = ReportSums::of(&groups).expect("small amounts");
            prop_assert_eq!(sums.account_count, all);
            prop_assert_eq!(sums.bands.values().map(|band| band.account_count_before).sum::<i64>(), all);
            prop_assert_eq!(sums.segments.values().map(|segment| segment.account_count).sum::<i64>(), all);
            let arr: i64 = sums.bands.values().flat_map(|band| band.arr.iter()).map(|arr| arr.minor_units).sum();
            prop_assert_eq!(arr, 100 * all);
            for (band, report) in &sums.bands {
                let came: i64 = sums.moves.iter().filter(|((_, to), _)| to == band).map(|(_, moved)| moved.account_count).sum();
                let went: i64 = sums.moves.iter().filter(|((from, _), _)| from == band).map(|(_, moved)| moved.account_count).sum();
                prop_assert_eq!(report.account_count_before + came - went, report.account_count);
            }
            prop_assert!(sums.mean_score.is_none_or(|mean| (0.0..=100.0).contains(&mean)));
        }
    }
}
