//! The health of all accounts: which of them, in what order, and in numbers.

use std::collections::BTreeMap;

use mainstay_domain::{Band, Money, MoneyError, MoneySums, Points, Segment};
use serde::{Deserialize, Serialize};

use super::health::HealthView;

/// Which accounts; all conditions given must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct HealthFilter {
    /// In one of these bands, none standing for accounts without a score; empty: any.
    pub bands: Vec<Option<Band>>,
    /// In one of these segments; empty: any.
    pub segments: Vec<Segment>,
    /// Looked after by this person, in any role.
    pub owner_email: Option<String>,
    pub change_30d_at_most: Option<Points>,
    pub change_30d_at_least: Option<Points>,
}

/// Order of a list; accounts without the figure come last, equal ones by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum HealthOrder {
    #[default]
    ScoreAscending,
    ScoreDescending,
    Change30dAscending,
    Change30dDescending,
    /// By currency, the largest revenue of each first.
    ArrDescending,
}

/// Place in a list: the order's figure of the last account before it, and the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HealthCursor {
    pub figure: Option<i64>,
    /// With the order by revenue.
    pub currency: Option<String>,
    pub account_id: String,
}

impl HealthCursor {
    /// The place after a row of a list.
    pub(crate) fn after(view: &HealthView, order: HealthOrder) -> Self {
        let points = |points: Option<Points>| points.map(|points| i64::from(points.units()));
        let figure = match order {
            HealthOrder::ScoreAscending | HealthOrder::ScoreDescending => points(view.record.score),
            HealthOrder::Change30dAscending | HealthOrder::Change30dDescending => points(view.changes.month),
            HealthOrder::ArrDescending => view.arr.map(|arr| arr.minor_units),
        };
        Self {
            figure,
            currency: view.arr.filter(|_| order == HealthOrder::ArrDescending).map(|arr| arr.currency.to_string()),
            account_id: view.record.account.as_str().to_owned(),
        }
    }
}

/// Accounts that fall together in a summary.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SummaryGroup {
    pub band: Option<Band>,
    /// Place in the histogram, from 0; none without a score.
    pub bucket: Option<i32>,
    pub account_count: i64,
    /// Sum of the scores, in units of 1/128.
    pub score_sum: i64,
    pub arr: Option<Money>,
}

/// The portfolio in numbers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HealthSummary {
    /// Every band, and none for the accounts without a score.
    pub bands: BTreeMap<Option<Band>, BandSummary>,
    /// Accounts by score, in buckets of [`Self::BUCKET_POINTS`] from 0; the last holds 100 too.
    pub histogram: Vec<i64>,
    /// Of the accounts that have a score.
    pub mean_score: Option<f64>,
    pub account_count: i64,
}

/// The accounts of one band in numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct BandSummary {
    pub account_count: i64,
    pub arr: MoneySums,
}

impl HealthSummary {
    /// Buckets of the histogram.
    pub(crate) const BUCKETS: i32 = 20;
    /// How many points a bucket is wide.
    pub(crate) const BUCKET_POINTS: i32 = 5;

    /// The sum of the groups; an error when an amount of money leaves its range.
    pub(crate) fn of(groups: &[SummaryGroup]) -> Result<Self, MoneyError> {
        let bands = [None, Some(Band::Critical), Some(Band::AtRisk), Some(Band::Stable), Some(Band::Healthy)];
        let mut bands: BTreeMap<_, BandSummary> = bands.map(|band| (band, BandSummary::default())).into();
        let mut histogram: Vec<i64> = (0..Self::BUCKETS).map(|_| 0).collect();
        let (mut scored_count, mut score_sum) = (0, 0);
        for group in groups {
            let band = bands.entry(group.band).or_default();
            band.account_count += group.account_count;
            if let Some(amount) = group.arr {
                band.arr.add(amount)?;
            }
            if let Some(bucket) = group.bucket.and_then(|bucket| histogram.get_mut(usize::try_from(bucket).ok()?)) {
                *bucket += group.account_count;
                scored_count += group.account_count;
                score_sum += group.score_sum;
            }
        }
        let account_count = bands.values().map(|band| band.account_count).sum();
        let mean = score_sum as f64 / scored_count as f64 / f64::from(Points::UNITS_PER_POINT);
        Ok(Self { bands, histogram, mean_score: (scored_count > 0).then_some(mean), account_count })
    }
}
