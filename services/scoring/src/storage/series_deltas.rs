//! What new signals add to the days of series, by the rows they go into.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};

use super::pulses::PulseDay;
use crate::domain::signal::{Payload, Signal};
use crate::domain::story_series::StoryRow;
use crate::domain::{DayNumber, SeriesKind, date_of};

/// Days of a month.
pub(super) const MONTH_DAYS: usize = 31;

/// The sums of a month's days.
pub(super) type DaySums = [i64; MONTH_DAYS];
/// The newest level of each of a month's days, with its time in microseconds since 1970.
pub(super) type DayLevels = [Option<(i64, f64)>; MONTH_DAYS];

/// What new signals add.
#[derive(Debug, Default)]
pub(crate) struct SeriesDeltas<'a> {
    pub(super) counts: BTreeMap<CountKey<'a>, DaySums>,
    pub(super) gauges: BTreeMap<GaugeKey<'a>, DayLevels>,
    pub(super) pulse_days: BTreeSet<PulseDay<'a>>,
    first_days: BTreeMap<&'a str, NaiveDate>,
}

/// A month of a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CountKey<'a> {
    pub account: &'a str,
    pub kind: SeriesKind,
    pub name: &'a str,
    pub month: NaiveDate,
}

/// A month of a gauge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GaugeKey<'a> {
    pub account: &'a str,
    pub name: &'a str,
    pub month: NaiveDate,
}

/// First day of the month and place of the day in it, from 0.
fn month_and_place(day: NaiveDate) -> (NaiveDate, usize) {
    (day.with_day(1).unwrap_or(day), day.day0() as usize)
}

impl<'a> SeriesDeltas<'a> {
    /// What these signals, all of them new, add. Those of stories only say that their source lives: what they add is known when the
    /// stories are.
    pub(crate) fn of(signals: impl IntoIterator<Item = &'a Signal>) -> Self {
        let mut deltas = Self::default();
        for signal in signals {
            if let Some(source) = signal.payload.story_source() {
                let (name, day) = (source.name(), signal.event_at.date_naive());
                deltas.pulse_days.insert(PulseDay { kind: SeriesKind::Story, name, day });
            }
            if !signal.payload.tells_story() {
                deltas.add(signal);
            }
        }
        deltas
    }

    /// What stories enter into days.
    pub(crate) fn of_entries(entries: impl IntoIterator<Item = (&'a str, StoryRow, DayNumber, i64)>) -> Self {
        let mut deltas = Self::default();
        for (account, row, day, amount) in entries {
            let day = date_of(day);
            let first_day = deltas.first_days.entry(account).or_insert(day);
            *first_day = day.min(*first_day);
            deltas.add_to_day(account, SeriesKind::Story, row.name(), day, amount);
        }
        deltas
    }

    /// The counts that take away what these added. A level cannot be taken away.
    pub(super) fn negated(&self) -> Self {
        let counts = self.counts.iter().map(|(key, sums)| (*key, sums.map(i64::saturating_neg))).collect();
        Self { counts, ..Self::default() }
    }

    fn add(&mut self, signal: &'a Signal) {
        let account = signal.account.as_str();
        let day = signal.event_at.date_naive();
        if !matches!(signal.payload, Payload::CaseOutcome(_)) {
            let first_day = self.first_days.entry(account).or_insert(day);
            *first_day = day.min(*first_day);
        }
        match &signal.payload {
            Payload::Usage { metric, quantity } => self.count(account, SeriesKind::Usage, metric, day, *quantity),
            Payload::Gauge { metric, level } => self.level(account, metric, signal.event_at, *level),
            Payload::Activity { user_id, .. } => self.user(account, user_id, day),
            Payload::FeatureUse { feature, user_id, count } => {
                self.count(account, SeriesKind::Feature, feature, day, *count);
                self.pulse_days.insert(PulseDay { kind: SeriesKind::Feature, name: "", day });
                if !user_id.is_empty() {
                    self.user(account, user_id, day);
                }
            }
            Payload::SurveyAnswer(_)
            | Payload::Touch(_)
            | Payload::Pulse(_)
            | Payload::Credit(_)
            | Payload::FeatureRequest(_)
            | Payload::FeatureRelease(_)
            | Payload::Incident(_)
            | Payload::CaseOutcome(_) => {
                for (row, day, amount) in signal.payload.day_entries(signal.event_at).amounts() {
                    self.add_to_day(account, SeriesKind::Story, row.name(), date_of(day), amount);
                }
            }
            Payload::Ticket(_) | Payload::Invoice(_) | Payload::Dispute(_) | Payload::Lifecycle(_) => {}
        }
    }

    fn user(&mut self, account: &'a str, user_id: &'a str, day: NaiveDate) {
        self.add_to_day(account, SeriesKind::User, user_id, day, 1);
        self.pulse_days.insert(PulseDay { kind: SeriesKind::User, name: "", day });
    }

    fn count(&mut self, account: &'a str, kind: SeriesKind, name: &'a str, day: NaiveDate, amount: i64) {
        self.add_to_day(account, kind, name, day, amount);
        self.pulse_days.insert(PulseDay { kind, name, day });
    }

    fn add_to_day(&mut self, account: &'a str, kind: SeriesKind, name: &'a str, day: NaiveDate, amount: i64) {
        let (month, place) = month_and_place(day);
        let sums = self.counts.entry(CountKey { account, kind, name, month }).or_insert([0; MONTH_DAYS]);
        sums[place] = sums[place].saturating_add(amount);
    }

    fn level(&mut self, account: &'a str, name: &'a str, event_at: DateTime<Utc>, level: f64) {
        let day = event_at.date_naive();
        let (month, place) = month_and_place(day);
        let levels = self.gauges.entry(GaugeKey { account, name, month }).or_insert([None; MONTH_DAYS]);
        let newest = &mut levels[place];
        let given = (event_at.timestamp_micros(), level);
        let is_newer = newest.is_none_or(|known| given.0 > known.0 || (given.0 == known.0 && given.1 > known.1));
        if is_newer {
            *newest = Some(given);
        }
    }

    /// The days that have levels of these, by metric.
    pub(super) fn level_days(&self) -> Vec<(&'a str, NaiveDate)> {
        let of_month = |(key, days): (&GaugeKey<'a>, &DayLevels)| {
            let (name, month) = (key.name, key.month);
            let places = (0..).zip(*days).filter_map(|(place, level)| level.map(|_| place));
            places.filter_map(move |place| Some((name, month.checked_add_days(Days::new(place))?))).collect::<Vec<_>>()
        };
        self.gauges.iter().flat_map(of_month).collect()
    }

    /// The earliest day that each account's new signals belong to.
    pub(crate) fn first_days(&self) -> &BTreeMap<&'a str, NaiveDate> {
        &self.first_days
    }

    /// The days on which the new signals say that a source lived.
    pub(crate) fn pulse_days(&self) -> &BTreeSet<PulseDay<'a>> {
        &self.pulse_days
    }
}
