//! Silence: whether a customer stopped, or the source that told of it.
//!
//! Activity is a usage count above 0, a user's activity, or the use of a feature. See `docs/adr/0017-risk-triggers.md`.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use mainstay_domain::INACTIVE_DAYS_MIN;

use super::risk_trigger::{Condition, RiskCause};
use super::series::{AccountSeries, DayNumber, SeriesKey, date_of, day_number};

/// A source without a signal from anybody for more days than this, one after the other, is taken to be silent itself.
const SOURCE_GAP_DAYS_MAX: i32 = 7;
/// With fewer accounts than these nobody can tell a silent source from silent customers: the customer is believed to be silent.
pub const COMPARABLE_ACCOUNTS_MIN: i64 = 5;

/// The first day on which an account whose last activity was on `last_activity_day` is inactive.
pub fn inactive_from(last_activity_day: NaiveDate) -> NaiveDate {
    last_activity_day
        .checked_add_days(Days::new(u64::from(INACTIVE_DAYS_MIN.unsigned_abs()) + 1))
        .unwrap_or(NaiveDate::MAX)
}

/// The condition of a silence as of `today`; none as long as it is too short. Today is not over, and does not count.
pub fn condition(last_activity_day: NaiveDate, today: NaiveDate) -> Option<Condition> {
    let inactive_days = day_number(today).saturating_sub(day_number(last_activity_day)).saturating_sub(1);
    (inactive_days >= INACTIVE_DAYS_MIN)
        .then_some(Condition { cause: RiskCause::Inactivity { last_activity_day, inactive_days }, occurrence_count: 1 })
}

/// From which day on an account is silent, as of `today`: its newest day with activity, of which its activation is one. Of an account
/// that never was active it is not before the day on which it became known: what it did until then may come yet.
pub fn silent_since(
    newest_activity_day: Option<NaiveDate>,
    activation_day: Option<NaiveDate>,
    created_day: NaiveDate,
    today: NaiveDate,
) -> Option<NaiveDate> {
    let activation_day = activation_day.filter(|day| *day <= today);
    match newest_activity_day {
        Some(_) => newest_activity_day.max(activation_day),
        None => activation_day.map(|day| day.max(created_day)),
    }
}

impl AccountSeries {
    /// The newest day with activity, up to and with `today`.
    pub fn newest_activity_day(&self, today: NaiveDate) -> Option<NaiveDate> {
        self.counts().filter_map(|values| values.newest_day(day_number(today))).max().map(date_of)
    }
}

/// On which days some account was active, by series; the days of the silence and no others.
#[derive(Debug, Default)]
pub struct ActiveDays(BTreeMap<SeriesKey, Vec<DayNumber>>);

impl ActiveDays {
    /// The days of which a silence of the shortest length that counts consists, as of `today`.
    pub fn window(today: NaiveDate) -> (NaiveDate, NaiveDate) {
        let day_before = |days: i32| date_of(day_number(today).saturating_sub(days));
        (day_before(INACTIVE_DAYS_MIN), day_before(1))
    }

    /// Adds a day; those of a series in their order.
    pub fn note(&mut self, series: SeriesKey, day: NaiveDate) {
        self.0.entry(series).or_default().push(day_number(day));
    }

    /// Whether some of these series told of other accounts throughout the window, without a gap that is itself a silence.
    pub fn any_lived<'a>(&self, series: impl IntoIterator<Item = &'a SeriesKey>, today: NaiveDate) -> bool {
        series.into_iter().any(|key| self.0.get(key).is_some_and(|days| lived(days, today)))
    }
}

fn lived(days: &[DayNumber], today: NaiveDate) -> bool {
    let (first, last) = ActiveDays::window(today);
    let (first, last) = (day_number(first), day_number(last));
    let within = days.iter().copied().filter(|day| (first..=last).contains(day));
    let mut before = first - 1;
    for day in within.chain([last + 1]) {
        if day - before - 1 > SOURCE_GAP_DAYS_MAX {
            return false;
        }
        before = day;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::series::SeriesKind;
    use super::*;

    fn day(number: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 3, number).expect("a day")
    }

    #[test]
    fn r93_a_silence_counts_from_the_end_of_the_last_activitys_day_for_14_whole_days() {
        assert_eq!(inactive_from(day(1)), day(16));
        assert_eq!(condition(day(1), day(15)), None);
        let inactive = condition(day(1), day(16)).expect("inactive");
        assert_eq!(inactive.cause, RiskCause::Inactivity { last_activity_day: day(1), inactive_days: 14 });
    }

    #[test]
    fn r93_a_silence_begins_with_the_last_activity_or_else_with_the_activation_of_an_account_that_is_known() {
        let since = |newest, activation, created| silent_since(newest, activation, day(created), day(20));
        assert_eq!(since(Some(day(3)), None, 10), Some(day(3)), "history of before the account was created");
        assert_eq!(since(Some(day(3)), Some(day(1)), 10), Some(day(3)));
        assert_eq!(since(Some(day(3)), Some(day(5)), 1), Some(day(5)), "a trial, then the activation");
        assert_eq!(since(None, Some(day(5)), 1), Some(day(5)));
        assert_eq!(since(None, Some(day(5)), 10), Some(day(10)), "brought by a CRM, its use is still to come");
        assert_eq!(since(None, Some(day(21)), 1), None, "activated from tomorrow on");
        assert_eq!(since(None, None, 1), None, "a prospect");
    }

    #[test]
    fn a_source_lived_if_it_never_was_silent_for_more_than_a_week() {
        let metric = SeriesKey { kind: SeriesKind::Usage, name: "emails".to_owned() };
        let lived_with = |days: &[u32]| {
            let mut active = ActiveDays::default();
            for &number in days {
                active.note(metric.clone(), day(number));
            }
            active.any_lived([&metric], day(16))
        };
        assert!(!lived_with(&[]));
        assert!(lived_with(&[8]), "days 2 to 7 before it, and 9 to 15 after");
        assert!(!lived_with(&[7]), "days 8 to 15 are more than a week");
        assert!(lived_with(&[5, 12]));
        assert!(!lived_with(&[1, 2, 3, 4, 5]), "silent since, as for everybody");
        assert!(!lived_with(&[10, 11, 12, 13, 14, 15]), "back since, but silent for nine days before");
        let other = SeriesKey { kind: SeriesKind::User, name: String::new() };
        assert!(!ActiveDays::default().any_lived([&other], day(16)));
    }
}
