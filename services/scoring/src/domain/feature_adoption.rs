//! Features that peers use, and a new customer never did.
//!
//! Peers are accounts of the same segment and plan that have been customers for longer than the time in which this is looked
//! at. Where plans are told, an account without one has no peers; where none is, the segment alone makes them. See `docs/adr/0017-risk-triggers.md`.

use chrono::{Days, NaiveDate};
use mainstay_domain::Segment;
use serde::{Deserialize, Serialize};

use super::risk_trigger::{Condition, RiskCause, Verdict};
use super::series::{AccountSeries, day_number};

/// Days from the activation until it is looked at for the first time.
pub(super) const DUE_DAYS: i32 = 30;
/// Days from the activation until it is looked at no more: what was not adopted by then is no news.
pub const LOOKED_AT_DAYS: i32 = 90;
/// With fewer peers than these it is not known what they use.
pub(super) const PEERS_MIN: i32 = 10;
/// Most peers that are asked.
pub const PEERS_MAX: i64 = 200;
/// Within so many days peers must have used a feature to be users of it, so that what went out of use is asked of nobody.
pub const PEER_USE_DAYS: u32 = 90;
/// A feature is one that peers use when so many percent of them do.
pub(super) const COMMON_AT_PERCENT: i32 = 50;
/// Most features that are named.
const FEATURES_MAX: usize = 20;

/// Which peers an account has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PeerGroup {
    /// Of this segment.
    pub segment: Segment,
    /// On this plan; empty: it is not known.
    pub plan: String,
}

/// What peers use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PeerUse {
    /// How many were asked.
    pub peer_count: i32,
    /// By feature, how many of them use it.
    pub users_by_feature: Vec<(String, i32)>,
}

/// A feature that peers use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerFeature {
    /// Its name.
    pub feature: String,
    /// How many of the peers use it.
    pub user_count: i32,
}

/// Features that an account never used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unadopted {
    /// The day of its activation.
    pub activation_day: NaiveDate,
    /// The features, those that most peers use first.
    pub features: Vec<PeerFeature>,
    /// How many peers were asked.
    pub peer_count: i32,
}

/// Whether an account activated on this day is looked at as of `today`.
pub fn is_looked_at(activation_day: NaiveDate, today: NaiveDate) -> bool {
    (DUE_DAYS..LOOKED_AT_DAYS).contains(&(day_number(today) - day_number(activation_day)))
}

/// When an account activated on this day is looked at next, after `today`: on its 30th and 60th day.
pub fn next_look(activation_day: NaiveDate, today: NaiveDate) -> Option<NaiveDate> {
    let look = |days: i32| activation_day.checked_add_days(Days::new(u64::from(days.unsigned_abs())));
    [DUE_DAYS, 2 * DUE_DAYS].into_iter().filter_map(look).find(|day| *day > today)
}

/// What an account's use says, beside that of its peers. Of an account of which no feature's use was ever told nothing is known:
/// nobody may be measuring it.
pub fn verdict(series: &AccountSeries, activation_day: NaiveDate, peers: &PeerUse) -> Verdict {
    if peers.peer_count < PEERS_MIN || series.any_feature().days().is_empty() {
        return Verdict::Unknown;
    }
    let features = unused_features(series, peers);
    Unadopted { activation_day, features, peer_count: peers.peer_count }.into_condition().into()
}

/// Features that [`COMMON_AT_PERCENT`] of the peers use and an account never did, those that most use first; none where the peers are too few.
pub(crate) fn unused_features(series: &AccountSeries, peers: &PeerUse) -> Vec<PeerFeature> {
    if peers.peer_count < PEERS_MIN {
        return Vec::new();
    }
    let is_common = |users: i32| users.saturating_mul(100) >= peers.peer_count.saturating_mul(COMMON_AT_PERCENT);
    let unused = peers.users_by_feature.iter().filter(|(name, users)| is_common(*users) && !has_used(series, name));
    let mut features: Vec<PeerFeature> =
        unused.map(|(feature, user_count)| PeerFeature { feature: feature.clone(), user_count: *user_count }).collect();
    features
        .sort_by(|left, right| right.user_count.cmp(&left.user_count).then_with(|| left.feature.cmp(&right.feature)));
    features.truncate(FEATURES_MAX);
    features
}

/// What an account's use says of features that it had never used. It ends with the time in which it is looked at, and where the
/// activation is taken back or moved so that its time has not come.
pub fn verdict_of_lasting(
    series: &AccountSeries,
    activation_day: Option<NaiveDate>,
    today: NaiveDate,
    last: &Unadopted,
) -> Verdict {
    if !activation_day.is_some_and(|day| is_looked_at(day, today)) {
        return Verdict::NotMet;
    }
    let mut unadopted = last.clone();
    unadopted.features.retain(|known| !has_used(series, &known.feature));
    unadopted.into_condition().map_or(Verdict::NotMet, Verdict::Between)
}

impl Unadopted {
    /// None without a feature.
    fn into_condition(self) -> Option<Condition> {
        (!self.features.is_empty())
            .then_some(Condition { cause: RiskCause::FeatureNotAdopted(self), occurrence_count: 1 })
    }

    /// The names of the features.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.features.iter().map(|known| known.feature.as_str())
    }
}

fn has_used(series: &AccountSeries, feature: &str) -> bool {
    series.feature(feature).is_some_and(|values| values.days().iter().any(|(_, total)| *total > 0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::series::{SeriesKey, SeriesKind, date_of};
    use super::*;

    const ACTIVATED: i32 = 20_000;

    fn series_of<'a>(features: impl IntoIterator<Item = &'a str>) -> AccountSeries {
        let mut series = AccountSeries::default();
        for (place, name) in (0..).zip(features) {
            let key = SeriesKey { kind: SeriesKind::Feature, name: name.to_owned() };
            series.add_counts(&key, [(ACTIVATED + place, 1)]);
        }
        series
    }

    fn peers(peer_count: i32, features: &[(&str, i32)]) -> PeerUse {
        let users_by_feature = features.iter().map(|(name, users)| ((*name).to_owned(), *users)).collect();
        PeerUse { peer_count, users_by_feature }
    }

    fn unadopted(verdict: Verdict) -> Vec<String> {
        match verdict {
            Verdict::Met(Condition { cause: RiskCause::FeatureNotAdopted(unadopted), .. }) => {
                unadopted.names().map(str::to_owned).collect()
            }
            Verdict::NotMet => Vec::new(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn r69_features_that_half_of_the_peers_use_and_the_account_never_did_are_named() {
        let peers = peers(11, &[("exports", 6), ("api", 5), ("reports", 11), ("roles", 6), ("search", 11)]);
        let series = series_of(["search"]);
        let named = unadopted(verdict(&series, date_of(ACTIVATED), &peers));
        assert_eq!(named, ["reports", "exports", "roles"], "5 of 11 are less than half");
    }

    #[test]
    fn with_few_peers_or_features_that_nobody_measures_nothing_is_known() {
        let day = date_of(ACTIVATED);
        let (few, enough) = (peers(9, &[("exports", 9)]), peers(10, &[("exports", 10)]));
        assert_eq!(verdict(&series_of(["search"]), day, &few), Verdict::Unknown);
        assert_eq!(verdict(&series_of([]), day, &enough), Verdict::Unknown);
        assert_eq!(unadopted(verdict(&series_of(["search"]), day, &enough)), ["exports"]);
    }

    #[test]
    fn it_is_looked_at_on_the_30th_and_60th_day_and_not_after_the_90th() {
        let next = |days: i32| next_look(date_of(ACTIVATED), date_of(ACTIVATED + days));
        assert_eq!(next(-5), Some(date_of(ACTIVATED + 30)));
        assert_eq!(next(29), Some(date_of(ACTIVATED + 30)));
        assert_eq!(next(30), Some(date_of(ACTIVATED + 60)));
        assert_eq!(next(60), None);
        let looked_at = |days: i32| is_looked_at(date_of(ACTIVATED), date_of(ACTIVATED + days));
        assert_eq!([29, 30, 89, 90].map(looked_at), [false, true, true, false]);
    }

    #[test]
    fn what_lasts_ends_with_the_time_in_which_it_is_looked_at_and_without_an_activation() {
        let features = vec![PeerFeature { feature: "exports".to_owned(), user_count: 9 }];
        let last = Unadopted { activation_day: date_of(ACTIVATED), features, peer_count: 10 };
        let lasts = |activation_day: Option<i32>, today: i32| {
            let verdict = verdict_of_lasting(&series_of([]), activation_day.map(date_of), date_of(today), &last);
            matches!(verdict, Verdict::Between(_))
        };
        assert!(lasts(Some(ACTIVATED), ACTIVATED + 30) && lasts(Some(ACTIVATED), ACTIVATED + 89));
        assert!(!lasts(Some(ACTIVATED), ACTIVATED + 90), "after that it is no news");
        assert!(!lasts(None, ACTIVATED + 40), "the activation was taken back");
        assert!(!lasts(Some(ACTIVATED + 20), ACTIVATED + 40), "it has ten more days");
    }

    proptest! {
        #[test]
        fn what_lasts_shrinks_with_each_use_whatever_their_order_and_ends_with_the_last(
            order in Just(vec!["api", "exports", "reports"]).prop_shuffle(),
            used in 0usize..4,
        ) {
            let enough = peers(10, &[("api", 7), ("exports", 9), ("reports", 8)]);
            let Verdict::Met(Condition { cause: RiskCause::FeatureNotAdopted(last), .. }) =
                verdict(&series_of(["search"]), date_of(ACTIVATED), &enough) else { panic!("met") };
            let series = series_of(order[..used].iter().copied().chain(["search"]));
            let left: Vec<&str> = last.names().filter(|name| !order[..used].contains(name)).collect();
            match verdict_of_lasting(&series, Some(date_of(ACTIVATED)), date_of(ACTIVATED + 40), &last) {
                Verdict::Between(Condition { cause: RiskCause::FeatureNotAdopted(now), .. }) => {
                    prop_assert_eq!(now.names().collect::<Vec<_>>(), left);
                }
                Verdict::NotMet => prop_assert!(left.is_empty()),
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }
}
