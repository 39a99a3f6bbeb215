//! What an account did, day by day.
//!
//! Days are sorted and sparse, so a window is a slice found by binary search.
//! Building is commutative: the same signals in any order give the same series.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};

use super::story_series::{StoryDays, StoryRow, StorySeries};

/// A UTC day as the number of days since 1970-01-01.
pub type DayNumber = i32;

/// The number of a day.
#[expect(clippy::cast_possible_truncation, reason = "chrono's days lie within ±10^8")]
pub fn day_number(day: NaiveDate) -> DayNumber {
    day.signed_duration_since(NaiveDate::default()).num_days() as DayNumber
}

/// The day of a number; the last (first) day there is for numbers beyond it.
pub fn date_of(day: DayNumber) -> NaiveDate {
    let distance = Days::new(u64::from(day.unsigned_abs()));
    if day >= 0 {
        NaiveDate::default().checked_add_days(distance).unwrap_or(NaiveDate::MAX)
    } else {
        NaiveDate::default().checked_sub_days(distance).unwrap_or(NaiveDate::MIN)
    }
}

/// What kind of series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SeriesKind {
    /// Amounts of use by metric.
    Usage,
    /// Levels by metric.
    Gauge,
    /// Activities by user.
    User,
    /// Uses by feature.
    Feature,
    /// What stories tell, by [`StoryRow`].
    Story,
}

/// Which series of an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesKey {
    /// What kind.
    pub kind: SeriesKind,
    /// The metric, user or feature.
    pub name: String,
}

/// Totals by day, one for each day with a signal, even when it is 0.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DayValues(Vec<(DayNumber, i64)>);

impl DayValues {
    /// Adds to the totals of days, given in any order and any number of times.
    /// A total beyond an `i64` stays at its end. Totals of use are not negative, and
    /// those of stories are far from that end, so that the order is irrelevant.
    pub fn add(&mut self, days: &[(DayNumber, i64)]) {
        self.0.extend_from_slice(days);
        // Days mostly come in order, and a stable sort finds the runs that are.
        self.0.sort_by_key(|&(day, _)| day);
        self.0.dedup_by(|&mut (day, total), (kept_day, sum)| {
            let same = day == *kept_day;
            if same {
                *sum = sum.saturating_add(total);
            }
            same
        });
    }

    /// The days from `first` to `last`, both included.
    pub fn between(&self, first: DayNumber, last: DayNumber) -> &[(DayNumber, i64)] {
        slice_between(&self.0, |&(day, _)| day, first, last)
    }

    /// The newest day with a signal, up to and with `last`.
    pub fn newest_day(&self, last: DayNumber) -> Option<DayNumber> {
        self.between(DayNumber::MIN, last).last().map(|&(day, _)| day)
    }

    /// All days.
    pub fn days(&self) -> &[(DayNumber, i64)] {
        &self.0
    }
}

/// The newest level of a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// The day.
    pub day: DayNumber,
    /// The level; finite.
    pub level: f64,
    /// When it was measured, in microseconds since 1970.
    pub event_micros: i64,
}

/// Levels by day, the newest of each day.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GaugeDays(Vec<Level>);

impl GaugeDays {
    /// Notes a level. Of a day's levels the one measured last is kept; of two
    /// measured at the same time, the larger.
    pub fn add(&mut self, level: Level) {
        let place = match self.0.last() {
            Some(last) if last.day >= level.day => self.0.partition_point(|other| other.day < level.day),
            _ => self.0.len(),
        };
        match self.0.get_mut(place) {
            Some(kept) if kept.day == level.day => {
                let later = level.event_micros.cmp(&kept.event_micros).then(level.level.total_cmp(&kept.level));
                if later.is_gt() {
                    *kept = level;
                }
            }
            _ => self.0.insert(place, level),
        }
    }

    /// The days from `first` to `last`, both included.
    pub fn between(&self, first: DayNumber, last: DayNumber) -> &[Level] {
        slice_between(&self.0, |level| level.day, first, last)
    }

    /// The newest level up to and with the day `last`.
    pub fn newest(&self, last: DayNumber) -> Option<&Level> {
        self.between(DayNumber::MIN, last).last()
    }

    /// All levels.
    pub fn levels(&self) -> &[Level] {
        &self.0
    }
}

fn slice_between<T>(items: &[T], day_of: impl Fn(&T) -> DayNumber, first: DayNumber, last: DayNumber) -> &[T] {
    let end = items.partition_point(|item| day_of(item) <= last);
    let start = items[..end].partition_point(|item| day_of(item) < first);
    &items[start..end]
}

/// All series of an account.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AccountSeries {
    usage: BTreeMap<String, DayValues>,
    users: BTreeMap<String, DayValues>,
    features: BTreeMap<String, DayValues>,
    gauges: BTreeMap<String, GaugeDays>,
    stories: BTreeMap<StorySeries, StoryDays>,
    any_user: DayValues,
    any_feature: DayValues,
}

impl AccountSeries {
    /// Adds days of one series of counts, in any order.
    ///
    /// # Panics
    /// With the key of a gauge or a story: those have [`AccountSeries::add_levels`] and [`AccountSeries::add_story_days`].
    pub fn add_counts(&mut self, key: &SeriesKey, days: impl IntoIterator<Item = (DayNumber, i64)>) {
        let (series, all) = match key.kind {
            SeriesKind::Usage => (&mut self.usage, None),
            SeriesKind::User => (&mut self.users, Some(&mut self.any_user)),
            SeriesKind::Feature => (&mut self.features, Some(&mut self.any_feature)),
            SeriesKind::Gauge | SeriesKind::Story => panic!("{} is no series of counts", key.name),
        };
        let days: Vec<_> = days.into_iter().collect();
        if days.is_empty() {
            return;
        }
        series.entry(key.name.clone()).or_default().add(&days);
        if let Some(all) = all {
            all.add(&days);
        }
    }

    /// Adds levels of one gauge, in any order.
    pub fn add_levels(&mut self, metric: &str, levels: impl IntoIterator<Item = Level>) {
        let mut levels = levels.into_iter().peekable();
        if levels.peek().is_some() {
            let own = self.gauges.entry(metric.to_owned()).or_default();
            levels.for_each(|level| own.add(level));
        }
    }

    /// Adds days of one row of a story's series, in any order.
    pub fn add_story_days(&mut self, row: StoryRow, days: &[(DayNumber, i64)]) {
        let (StoryRow::Sum(series) | StoryRow::Count(series)) = row;
        if !days.is_empty() {
            self.stories.entry(series).or_default().add(row, days);
        }
    }

    /// Adds all of another; which of the two comes first makes no difference.
    pub fn merge(&mut self, other: &Self) {
        for (kind, series) in [
            (SeriesKind::Usage, &other.usage),
            (SeriesKind::User, &other.users),
            (SeriesKind::Feature, &other.features),
        ] {
            for (name, values) in series {
                self.add_counts(&SeriesKey { kind, name: name.clone() }, values.days().iter().copied());
            }
        }
        for (metric, gauge) in &other.gauges {
            self.add_levels(metric, gauge.levels().iter().copied());
        }
        for (&series, told) in &other.stories {
            self.stories.entry(series).or_default().merge(told);
        }
    }

    /// Amounts of use of a metric.
    pub fn usage(&self, metric: &str) -> Option<&DayValues> {
        self.usage.get(metric)
    }

    /// The usage metrics that there are.
    pub fn usage_metrics(&self) -> impl Iterator<Item = &str> {
        self.usage.keys().map(String::as_str)
    }

    /// Activities by user.
    pub fn users(&self) -> impl Iterator<Item = (&str, &DayValues)> {
        self.users.iter().map(|(user_id, days)| (user_id.as_str(), days))
    }

    /// Levels of a metric.
    pub fn gauge(&self, metric: &str) -> Option<&GaugeDays> {
        self.gauges.get(metric)
    }

    /// Uses of a feature.
    pub fn feature(&self, name: &str) -> Option<&DayValues> {
        self.features.get(name)
    }

    /// Uses by feature.
    pub fn features(&self) -> impl Iterator<Item = (&str, &DayValues)> {
        self.features.iter().map(|(name, days)| (name.as_str(), days))
    }

    /// What stories tell of one kind of thing.
    pub fn story(&self, series: StorySeries) -> Option<&StoryDays> {
        self.stories.get(&series)
    }

    /// Activities of all users together.
    pub fn any_user(&self) -> &DayValues {
        &self.any_user
    }

    /// Uses of all features together.
    pub fn any_feature(&self) -> &DayValues {
        &self.any_feature
    }

    /// How many users were seen from `first` to `last`, both included.
    pub fn distinct_users(&self, first: DayNumber, last: DayNumber) -> usize {
        seen_between(&self.users, first, last)
    }

    /// How many features were used from `first` to `last`, both included.
    pub fn distinct_features(&self, first: DayNumber, last: DayNumber) -> usize {
        seen_between(&self.features, first, last)
    }

    /// The oldest day with a signal of any kind.
    pub fn first_signal_day(&self) -> Option<DayNumber> {
        let counts = self.counts().filter_map(|values| values.days().first().map(|&(day, _)| day));
        let levels = self.gauges.values().filter_map(|gauge| gauge.levels().first().map(|level| level.day));
        let told = self.stories.values().filter_map(StoryDays::first_day);
        counts.chain(levels).chain(told).min()
    }

    /// The newest day with a signal of any kind, up to and with `last`.
    pub fn newest_signal_day(&self, last: DayNumber) -> Option<DayNumber> {
        let counts = self.counts().filter_map(|values| values.newest_day(last));
        let levels = self.gauges.values().filter_map(|gauge| gauge.newest(last).map(|level| level.day));
        let told = self.stories.values().filter_map(|told| told.newest_day(last));
        counts.chain(levels).chain(told).max()
    }

    /// The series in which the account was active, as pulses have them.
    pub fn active_series(&self) -> impl Iterator<Item = SeriesKey> {
        let metrics = self.usage.keys().map(|metric| (SeriesKind::Usage, metric.clone()));
        let any_user = (!self.users.is_empty()).then(|| (SeriesKind::User, String::new()));
        let any_feature = (!self.features.is_empty()).then(|| (SeriesKind::Feature, String::new()));
        metrics.chain(any_user).chain(any_feature).map(|(kind, name)| SeriesKey { kind, name })
    }

    pub(super) fn counts(&self) -> impl Iterator<Item = &DayValues> {
        self.usage.values().chain([&self.any_user, &self.any_feature])
    }
}

fn seen_between(series: &BTreeMap<String, DayValues>, first: DayNumber, last: DayNumber) -> usize {
    series.values().filter(|values| values.newest_day(last).is_some_and(|day| day >= first)).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(kind: SeriesKind, name: &str) -> SeriesKey {
        SeriesKey { kind, name: name.to_owned() }
    }

    #[test]
    fn days_have_numbers_since_1970() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        assert_eq!(day_number(day("1970-01-01")), 0);
        assert_eq!(day_number(day("1997-09-30")), 10_134);
        for number in [-1, 0, 10_134, 20_000] {
            assert_eq!(day_number(date_of(number)), number);
        }
        assert_eq!(date_of(DayNumber::MAX), NaiveDate::MAX);
    }

    #[test]
    fn windows_have_both_their_ends() {
        let mut values = DayValues::default();
        values.add(&[(5, 1), (1, 2), (9, 4), (5, 8)]);
        assert_eq!(values.days(), [(1, 2), (5, 9), (9, 4)]);
        assert_eq!(values.between(1, 5), [(1, 2), (5, 9)]);
        assert_eq!(values.between(2, 4), []);
        assert_eq!(values.between(9, 1), []);
        assert_eq!(values.newest_day(8), Some(5));
        assert_eq!(values.newest_day(0), None);
    }

    #[test]
    fn the_level_measured_last_is_the_level_of_the_day() {
        let mut gauge = GaugeDays::default();
        for (level, event_micros) in [(7.0, 30), (9.0, 20), (8.0, 30)] {
            gauge.add(Level { day: 3, level, event_micros });
        }
        assert_eq!(gauge.levels(), [Level { day: 3, level: 8.0, event_micros: 30 }]);
    }

    #[test]
    fn distinct_users_are_counted_within_the_window() {
        let mut series = AccountSeries::default();
        series.add_counts(&key(SeriesKind::User, "ann"), [(1, 1), (20, 1)]);
        series.add_counts(&key(SeriesKind::User, "bob"), [(10, 3)]);
        assert_eq!(series.distinct_users(1, 20), 2);
        assert_eq!(series.distinct_users(2, 19), 1);
        assert_eq!(series.distinct_users(11, 19), 0);
        assert_eq!(series.any_user().days(), [(1, 1), (10, 3), (20, 1)]);
        assert_eq!((series.first_signal_day(), series.newest_signal_day(19)), (Some(1), Some(10)));
    }

    #[derive(Debug, Clone)]
    enum Given {
        Count(SeriesKind, u8, DayNumber, i64),
        Level(u8, Level),
    }

    fn given() -> impl Strategy<Value = Given> {
        let kind = prop_oneof![Just(SeriesKind::Usage), Just(SeriesKind::User), Just(SeriesKind::Feature)];
        prop_oneof![
            (kind, 0u8..3, 0i32..20, prop_oneof![0i64..5, Just(i64::MAX)])
                .prop_map(|(kind, name, day, total)| Given::Count(kind, name, day, total)),
            (0u8..3, 0i32..20, -3.0f64..3.0, 0i64..4)
                .prop_map(|(name, day, level, event_micros)| Given::Level(name, Level { day, level, event_micros })),
        ]
    }

    fn series_of(all: &[Given]) -> AccountSeries {
        let mut series = AccountSeries::default();
        for one in all {
            match one {
                Given::Count(kind, name, day, total) => {
                    series.add_counts(&key(*kind, &name.to_string()), [(*day, *total)]);
                }
                Given::Level(name, level) => series.add_levels(&name.to_string(), [*level]),
            }
        }
        series
    }

    proptest! {
        #[test]
        fn signals_in_any_order_give_the_same_series(
            (sorted, shuffled) in proptest::collection::vec(given(), 0..40)
                .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
            cut in 0usize..40,
        ) {
            let whole = series_of(&sorted);
            prop_assert_eq!(&series_of(&shuffled), &whole);
            let (head, tail) = shuffled.split_at(cut.min(shuffled.len()));
            let mut merged = series_of(tail);
            merged.merge(&series_of(head));
            prop_assert_eq!(merged, whole);
        }
    }
}
