//! Days with users' activity, in four weeks against the four weeks before.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::risk_trigger::{Condition, RiskCause, Verdict};
use super::series::{AccountSeries, DayNumber, date_of, day_number};

/// Days of each of the two windows: whole weeks, so that weekends make no difference.
pub const WINDOW_DAYS: DayNumber = 28;
/// Below so many active days of the earlier window, two a week, nobody came often enough to come less often.
pub(super) const EARLIER_DAYS_MIN: i32 = 8;
/// A drop begins at this many percent of the earlier days or fewer.
pub(super) const BEGINS_AT_PERCENT: i32 = 50;
/// A drop ends at this many percent of the earlier days or more, which a new habit reaches by itself when it has become the earlier
/// window.
pub(super) const ENDS_AT_PERCENT: i32 = 75;

/// On how many days users were active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginDays {
    /// The last day of the later window.
    pub last_day: NaiveDate,
    /// Of the 28 days up to and with that one.
    pub active_days: i32,
    /// Of the 28 days before those.
    pub earlier_active_days: i32,
}

impl LoginDays {
    /// Those of an account as of `today`, which is not over and does not count.
    pub fn of(series: &AccountSeries, today: NaiveDate) -> Self {
        let last = day_number(today).saturating_sub(1);
        let active_days = |last: DayNumber| {
            let days = series.any_user().between(last - WINDOW_DAYS + 1, last);
            i32::try_from(days.iter().filter(|(_, total)| *total > 0).count()).unwrap_or(WINDOW_DAYS)
        };
        Self {
            last_day: date_of(last),
            active_days: active_days(last),
            earlier_active_days: active_days(last - WINDOW_DAYS),
        }
    }

    /// The later window as a share of the earlier one; none when that had too few days to tell.
    pub fn share(&self) -> Option<f64> {
        let tells = self.earlier_active_days >= EARLIER_DAYS_MIN;
        tells.then(|| f64::from(self.active_days) / f64::from(self.earlier_active_days))
    }

    /// What they say.
    pub fn verdict(&self) -> Verdict {
        if self.active_days * 100 >= self.earlier_active_days * ENDS_AT_PERCENT {
            return Verdict::NotMet;
        }
        let condition = Condition { cause: RiskCause::LoginDrop(*self), occurrence_count: 1 };
        let has_dropped = self.active_days * 100 <= self.earlier_active_days * BEGINS_AT_PERCENT;
        if has_dropped && self.earlier_active_days >= EARLIER_DAYS_MIN {
            Verdict::Met(condition)
        } else {
            Verdict::Between(condition)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::risk_trigger::{Step, step};
    use super::super::series::{SeriesKey, SeriesKind};
    use super::*;

    fn days(active_days: i32, earlier_active_days: i32) -> LoginDays {
        LoginDays { last_day: NaiveDate::default(), active_days, earlier_active_days }
    }

    fn word(days: LoginDays) -> &'static str {
        match days.verdict() {
            Verdict::Met(_) => "met",
            Verdict::Between(_) => "between",
            Verdict::NotMet => "not met",
            Verdict::Unknown => "unknown",
        }
    }

    fn series_of(days: impl IntoIterator<Item = DayNumber>) -> AccountSeries {
        let mut series = AccountSeries::default();
        for (place, day) in days.into_iter().enumerate() {
            let name = if place % 2 == 0 { "ada" } else { "bo" }.to_owned();
            series.add_counts(&SeriesKey { kind: SeriesKind::User, name }, [(day, 1)]);
        }
        series
    }

    #[test]
    fn r69_a_drop_begins_at_half_of_the_days_before_and_ends_at_three_quarters() {
        assert_eq!(word(days(10, 20)), "met");
        assert_eq!(word(days(11, 20)), "between");
        assert_eq!(word(days(14, 20)), "between");
        assert_eq!(word(days(15, 20)), "not met");
        assert_eq!(word(days(28, 20)), "not met");
        assert_eq!(word(days(0, 0)), "not met");
    }

    #[test]
    fn r69_who_came_on_fewer_than_two_days_a_week_does_not_drop() {
        assert_eq!(word(days(4, 8)), "met");
        assert_eq!(word(days(0, 7)), "between");
        assert_eq!((days(0, 7).share(), days(4, 8).share()), (None, Some(0.5)));
    }

    #[test]
    fn windows_are_of_28_days_and_end_yesterday() {
        let day = 20_000;
        let series = series_of([day, day - 1, day - 28, day - 29, day - 56, day - 57]);
        let counted = LoginDays::of(&series, date_of(day));
        assert_eq!(counted, LoginDays { last_day: date_of(day - 1), active_days: 2, earlier_active_days: 2 });
    }

    proptest! {
        #[test]
        fn days_in_any_order_say_the_same(
            (sorted, shuffled) in proptest::collection::vec(19_900i32..20_000, 0..60)
                .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        ) {
            let today = date_of(20_000);
            let verdict = |all: Vec<DayNumber>| LoginDays::of(&series_of(all), today).verdict();
            prop_assert_eq!(verdict(sorted), verdict(shuffled));
        }

        #[test]
        fn one_habit_in_place_of_another_is_told_once_and_ends(
            before in 1i32..8, after in 0i32..8,
        ) {
            let weekly = |from: DayNumber, to: DayNumber, each: i32| (from..to).filter(move |day| day.rem_euclid(7) < each);
            let series = series_of(weekly(19_600, 20_000, before).chain(weekly(20_000, 20_200, after)));
            let (mut lasting, mut raised): (Option<Condition>, u32) = (None, 0);
            for day in 19_700..20_200 {
                match step(lasting.as_ref(), LoginDays::of(&series, date_of(day)).verdict()) {
                    Some(Step::Raise(condition)) => {
                        prop_assert!(day > 20_000, "raised before anything changed");
                        raised += 1;
                        lasting = Some(condition);
                    }
                    Some(Step::Update(condition)) => lasting = Some(condition),
                    Some(Step::Clear) => lasting = None,
                    None => {}
                }
            }
            let expected = u32::from(before >= 2 && after * 2 <= before);
            prop_assert_eq!((raised, lasting), (expected, None));
        }
    }
}
