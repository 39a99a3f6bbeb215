//! What customers ask for, and whose revenue hangs on it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use mainstay_domain::{Currency, Money, MoneyError, MoneySums, Points};

use super::customer_filter::CustomerFilter;

/// Requests within so many days are recent ones.
pub(crate) const RECENT_DAYS: i64 = 28;
/// So many days after a customer got a feature its score is compared with the one before.
pub(crate) const EFFECT_DAYS: i32 = 28;

/// Of so many accounts in all, of each feature as many, scores are compared: each takes two looks into the history.
pub(crate) const COMPARED_MAX: i64 = 20_000;

/// Which accounts, and how many features.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FeatureRequestQuery {
    pub window_days: i64,
    pub customers: CustomerFilter,
    pub list_size: usize,
}

/// Those who asked for a feature and whose revenue is in one currency, or not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AskerGroup {
    pub feature: String,
    pub request_count: i64,
    pub account_count: i64,
    pub recent_request_count: i64,
    pub recent_account_count: i64,
    pub first_at: DateTime<Utc>,
    pub last_at: DateTime<Utc>,
    /// Of those who are customers.
    pub arr: Option<Money>,
    pub at_risk_account_count: i64,
    pub at_risk_arr: Option<Money>,
    pub left_account_count: i64,
}

/// What became of those who got a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Given {
    /// Whether they asked or not.
    pub released_to: i64,
    /// Of those who asked, after they did.
    pub askers: i64,
    /// Of how many of these the scores of before and after are known.
    pub compared_count: i64,
    /// Sum of their changes, in units of 1/128.
    pub change_sum: i64,
}

impl Given {
    /// In points; none when of nobody both scores are known.
    pub(crate) fn mean_change(self) -> Option<f64> {
        let mean = || self.change_sum as f64 / self.compared_count as f64 / f64::from(Points::UNITS_PER_POINT);
        (self.compared_count > 0).then(mean)
    }
}

/// A feature that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestedFeature {
    pub feature: String,
    pub request_count: i64,
    pub account_count: i64,
    pub recent_request_count: i64,
    pub recent_account_count: i64,
    pub first_at: DateTime<Utc>,
    pub last_at: DateTime<Utc>,
    pub arr: MoneySums,
    pub at_risk_account_count: i64,
    pub at_risk_arr: MoneySums,
    pub left_account_count: i64,
    pub given: Given,
}

/// What customers ask for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FeatureRequestReport {
    pub as_of: DateTime<Utc>,
    pub start: DateTime<Utc>,
    pub recent_start: DateTime<Utc>,
    pub feature_count: usize,
    pub features: Vec<RequestedFeature>,
}

/// The features that were asked for, in their order: by the best place that one has by revenue at risk in any currency, for amounts
/// of different currencies cannot be compared; then by customers at risk, by accounts, and by name. An error when an amount of money
/// leaves its range.
pub(crate) fn ranked(groups: Vec<AskerGroup>) -> Result<Vec<RequestedFeature>, MoneyError> {
    let mut features: BTreeMap<String, RequestedFeature> = BTreeMap::new();
    for group in groups {
        let feature = features.entry(group.feature.clone()).or_insert_with(|| RequestedFeature {
            feature: group.feature,
            request_count: 0,
            account_count: 0,
            recent_request_count: 0,
            recent_account_count: 0,
            first_at: group.first_at,
            last_at: group.last_at,
            arr: MoneySums::default(),
            at_risk_account_count: 0,
            at_risk_arr: MoneySums::default(),
            left_account_count: 0,
            given: Given::default(),
        });
        feature.request_count += group.request_count;
        feature.account_count += group.account_count;
        feature.recent_request_count += group.recent_request_count;
        feature.recent_account_count += group.recent_account_count;
        feature.first_at = feature.first_at.min(group.first_at);
        feature.last_at = feature.last_at.max(group.last_at);
        feature.at_risk_account_count += group.at_risk_account_count;
        feature.left_account_count += group.left_account_count;
        if let Some(arr) = group.arr {
            feature.arr.add(arr)?;
        }
        if let Some(arr) = group.at_risk_arr {
            feature.at_risk_arr.add(arr)?;
        }
    }
    let mut features: Vec<RequestedFeature> = features.into_values().collect();
    let places = best_places(&features);
    features.sort_by_cached_key(|one| {
        let place = places.get(&one.feature).copied().unwrap_or(usize::MAX);
        (place, -one.at_risk_account_count, -one.account_count, one.feature.clone())
    });
    Ok(features)
}

/// Where features with revenue at risk stand, from 0, each by the currency in which it stands best.
fn best_places(features: &[RequestedFeature]) -> BTreeMap<String, usize> {
    let mut by_currency: BTreeMap<Currency, Vec<(i64, &str)>> = BTreeMap::new();
    for one in features {
        for arr in one.at_risk_arr.iter().filter(|arr| arr.minor_units > 0) {
            by_currency.entry(arr.currency).or_default().push((arr.minor_units, &one.feature));
        }
    }
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for amounts in by_currency.values_mut() {
        amounts.sort_unstable_by_key(|(minor_units, _)| std::cmp::Reverse(*minor_units));
        for (minor_units, feature) in amounts.iter() {
            // Of the same amount, the same place.
            let place = amounts.partition_point(|(other, _)| other > minor_units);
            let best = places.entry((*feature).to_owned()).or_insert(place);
            *best = place.min(*best);
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(code: &str, minor_units: i64) -> Money {
        Money { currency: Currency::parse(code).expect("a currency"), minor_units }
    }

    fn group(feature: &str, accounts: i64, at_risk_arr: Option<Money>) -> AskerGroup {
        AskerGroup {
            feature: feature.to_owned(),
            request_count: 2 * accounts,
            account_count: accounts,
            recent_request_count: 0,
            recent_account_count: 0,
            first_at: DateTime::UNIX_EPOCH,
            last_at: DateTime::UNIX_EPOCH,
            arr: at_risk_arr,
            at_risk_account_count: i64::from(at_risk_arr.is_some()),
            at_risk_arr,
            left_account_count: 0,
        }
    }

    fn names(features: &[RequestedFeature]) -> Vec<&str> {
        features.iter().map(|one| one.feature.as_str()).collect()
    }

    #[test]
    fn r192_features_stand_by_revenue_at_risk_without_comparing_currencies() {
        let groups = vec![
            group("export", 1, Some(money("EUR", 500))),
            group("export", 4, Some(money("USD", 1))),
            group("sso", 1, Some(money("EUR", 900))),
            group("audit", 1, Some(money("USD", 300))),
            group("audit", 1, Some(money("EUR", 1))),
            group("dark-mode", 40, None),
            group("api", 50, None),
        ];
        let features = ranked(groups).expect("small amounts");
        // `sso` is first in euros, `audit` in dollars and has more customers at risk, `export` second in both.
        assert_eq!(names(&features), ["audit", "sso", "export", "api", "dark-mode"]);
        let audit = &features[0];
        assert_eq!((audit.request_count, audit.account_count, audit.at_risk_account_count), (4, 2, 2));
        assert_eq!(audit.at_risk_arr.iter().collect::<Vec<_>>(), [money("EUR", 1), money("USD", 300)]);
    }

    #[test]
    fn a_mean_is_of_those_of_whom_both_scores_are_known() {
        let given = Given { released_to: 9, askers: 5, compared_count: 4, change_sum: 128 * 10 };
        assert_eq!(given.mean_change(), Some(2.5));
        assert_eq!(Given { compared_count: 0, change_sum: 0, ..given }.mean_change(), None);
    }

    proptest! {
        #[test]
        fn with_one_currency_the_order_is_that_of_the_revenue_at_risk(amounts in proptest::collection::vec(0..1_000i64, 0..30)) {
            let groups = amounts.iter().enumerate().map(|(place, units)| group(&format!("f{place}"), 1, Some(money("EUR", *units))));
            let features = ranked(groups.collect()).expect("small amounts");
            let given: Vec<i64> = features.iter().flat_map(|one| one.at_risk_arr.iter()).map(|arr| arr.minor_units).collect();
            prop_assert!(given.is_sorted_by(|one, next| one >= next), "{given:?}");
            prop_assert_eq!(features.len(), amounts.len());
        }
    }
}
