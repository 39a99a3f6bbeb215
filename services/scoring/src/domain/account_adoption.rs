//! Which features an account uses, and which its peers do.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::AccountId;

use super::adoption_target::{AccountOutcome, OutcomeGroup};
use super::feature_adoption::PeerFeature;
use super::series::{AccountSeries, DayNumber, DayValues, date_of, day_number};

/// Uses of so many days are told beside those of as many days before.
const WINDOW_DAYS: DayNumber = 28;

/// A feature that an account used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UsedFeature {
    pub feature: String,
    pub first_day: NaiveDate,
    pub last_day: NaiveDate,
    pub use_count: i64,
    pub use_count_before: i64,
    pub day_count: usize,
}

/// What an account uses and reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountAdoption {
    pub account: AccountId,
    pub as_of: DateTime<Utc>,
    pub activation_day: Option<NaiveDate>,
    pub outcomes: Vec<AccountOutcome>,
    pub features: Vec<UsedFeature>,
    pub unused: Vec<PeerFeature>,
    pub peer_count: i32,
    pub milestones: BTreeMap<String, NaiveDate>,
}

impl AccountAdoption {
    /// Where it stands on the day it was looked at.
    pub(crate) fn group(&self) -> OutcomeGroup {
        OutcomeGroup::of(&self.outcomes, self.as_of.date_naive())
    }
}

/// The features that were used up to today, those used last first.
pub(crate) fn used_features(series: &AccountSeries, today: NaiveDate) -> Vec<UsedFeature> {
    let today = day_number(today);
    let mut features: Vec<UsedFeature> =
        series.features().filter_map(|(feature, values)| used_feature(feature, values, today)).collect();
    features.sort_by_key(|feature| (std::cmp::Reverse((feature.last_day, feature.use_count)), feature.feature.clone()));
    features
}

fn used_feature(feature: &str, values: &DayValues, today: DayNumber) -> Option<UsedFeature> {
    let used = || values.between(DayNumber::MIN, today).iter().filter(|(_, uses)| *uses > 0);
    let within = |first: DayNumber, last: DayNumber| used().filter(move |(day, _)| (first..=last).contains(day));
    let uses = |first, last| within(first, last).fold(0, |sum: i64, (_, uses)| sum.saturating_add(*uses));
    let window_start = today - WINDOW_DAYS + 1;
    Some(UsedFeature {
        feature: feature.to_owned(),
        first_day: date_of(used().next()?.0),
        last_day: date_of(used().next_back()?.0),
        use_count: uses(window_start, today),
        use_count_before: uses(window_start - WINDOW_DAYS, window_start - 1),
        day_count: within(window_start, today).count(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::series::{SeriesKey, SeriesKind};
    use super::*;

    const TODAY: i32 = 20_000;

    fn series_of(features: &[(&str, &[(i32, i64)])]) -> AccountSeries {
        let mut series = AccountSeries::default();
        for (name, days) in features {
            let key = SeriesKey { kind: SeriesKind::Feature, name: (*name).to_owned() };
            series.add_counts(&key, days.iter().copied());
        }
        series
    }

    #[test]
    fn r72_the_uses_of_a_feature_stand_beside_those_of_the_days_before() {
        let export: &[(i32, i64)] = &[(TODAY - 90, 1), (TODAY - 28, 5), (TODAY - 27, 2), (TODAY, 3), (TODAY + 1, 100)];
        let series = series_of(&[("export", export), ("sso", &[(TODAY - 40, 1)]), ("later", &[(TODAY + 2, 1)])]);
        let features = used_features(&series, date_of(TODAY));
        assert_eq!(features.iter().map(|one| one.feature.as_str()).collect::<Vec<_>>(), ["export", "sso"]);
        let export = &features[0];
        assert_eq!((export.use_count, export.use_count_before, export.day_count), (5, 5, 2));
        assert_eq!((export.first_day, export.last_day), (date_of(TODAY - 90), date_of(TODAY)));
        assert_eq!((features[1].use_count, features[1].use_count_before), (0, 1));
    }
}
