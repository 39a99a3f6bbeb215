//! When signals of a series came in, from any account.

use std::collections::HashMap;

use super::model::{HealthModel, Input};
use super::series::{DayNumber, SeriesKey, SeriesKind};

/// When signals came in last, from any account: what tells a silent source
/// from a silent customer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pulses {
    kinds: HashMap<SeriesKind, DayNumber>,
    series: HashMap<SeriesKind, HashMap<String, DayNumber>>,
}

impl Pulses {
    /// Notes that some account had a signal of this metric or feature on a
    /// day. The caller gives only days up to the day that is scored.
    pub fn note(&mut self, kind: SeriesKind, name: &str, day: DayNumber) {
        self.note_kind(kind, day);
        let named = self.series.entry(kind).or_default();
        match named.get_mut(name) {
            Some(newest) => *newest = day.max(*newest),
            None => drop(named.insert(name.to_owned(), day)),
        }
    }

    /// Notes that some account had a signal of this kind on a day: enough for users.
    pub fn note_kind(&mut self, kind: SeriesKind, day: DayNumber) {
        let newest = self.kinds.entry(kind).or_insert(day);
        *newest = day.max(*newest);
    }

    /// The newest day with a signal of a kind.
    pub fn of_kind(&self, kind: SeriesKind) -> Option<DayNumber> {
        self.kinds.get(&kind).copied()
    }

    /// The newest day with a signal of one metric or feature.
    pub fn of_series(&self, kind: SeriesKind, name: &str) -> Option<DayNumber> {
        self.series.get(&kind)?.get(name).copied()
    }
}

/// A day that joined those on which some account sent a signal of a series. Of several that join at once each is seen with
/// those that were there before: the first day that any of them changes is the first that all of them change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JoinedDay {
    /// The day.
    pub day: DayNumber,
    /// The last of those before it.
    pub before: Option<DayNumber>,
    /// The first of those after it.
    pub after: Option<DayNumber>,
}

impl JoinedDay {
    /// The first day up to `today` on which the source was silent so far, for a measure with this limit, and now is not.
    ///
    /// On days on which it was not silent the newest signal is newer now, which changes no score.
    pub fn first_day_changed(&self, freshness_limit_days: i32, today: DayNumber) -> Option<DayNumber> {
        let first_silent = match self.before {
            None => self.day,
            Some(before) => self.day.max(before.saturating_add(freshness_limit_days).saturating_add(1)),
        };
        let last_changed = self.after.map_or(today, |after| today.min(after - 1));
        (first_silent <= last_changed).then_some(first_silent)
    }
}

impl Input {
    /// The series whose signals, from any account, say that the input's source lives; none for all of a kind.
    pub fn pulse(&self) -> SeriesKey {
        let (kind, name) = match self {
            Self::Metric(metric) => (SeriesKind::Usage, metric.as_str()),
            Self::Feature(feature) => (SeriesKind::Feature, feature.as_str()),
            Self::AnyFeature => (SeriesKind::Feature, ""),
            Self::AnyUser => (SeriesKind::User, ""),
            Self::Story(series) => (SeriesKind::Story, series.source().name()),
        };
        SeriesKey { kind, name: name.to_owned() }
    }
}

impl HealthModel {
    /// The smallest freshness limit, in days, of the measures that a pulse of this series keeps alive; none without such a
    /// measure.
    pub fn freshness_limit_of(&self, series: &SeriesKey) -> Option<i32> {
        self.measures()
            .filter(|(_, measure)| measure.input.pulse() == *series)
            .map(|(_, measure)| measure.freshness_limit_days)
            .min()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_silent(days: &[DayNumber], limit: i32, on: DayNumber) -> bool {
        days.iter().filter(|&&day| day <= on).max().is_none_or(|newest| on - newest > limit)
    }

    proptest! {
        #[test]
        fn the_first_day_changed_is_the_first_that_is_no_longer_silent(
            known in proptest::collection::btree_set(-20..40i32, 0..6),
            joining in proptest::collection::btree_set(-20..40i32, 1..6),
            limit in 0..12i32,
            today in 0..40i32,
        ) {
            let before: Vec<DayNumber> = known.iter().copied().collect();
            let after: Vec<DayNumber> = known.union(&joining).copied().collect();
            let first_day_changed = joining
                .difference(&known)
                .filter_map(|&day| {
                    let joined = JoinedDay {
                        day,
                        before: known.range(..day).next_back().copied(),
                        after: known.range(day + 1..).next().copied(),
                    };
                    joined.first_day_changed(limit, today)
                })
                .min();
            let expected = (-20..=today).find(|&on| is_silent(&before, limit, on) != is_silent(&after, limit, on));
            prop_assert_eq!(first_day_changed, expected);
        }
    }
}
