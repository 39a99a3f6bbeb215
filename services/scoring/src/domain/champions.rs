//! Champions: people who carry the product inside the customer, and what it means when one goes silent.

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

use super::risk_trigger::{Condition, RiskCause, Verdict};
use super::series::{AccountSeries, DayNumber, DayValues, date_of, day_number};

/// Whole days without activity that make a champion silent: more than a holiday of two weeks with its weekends.
pub(super) const SILENT_DAYS_MIN: i32 = 21;
/// The days before the silence in which the champion must have been active regularly.
pub(super) const REGULAR_WINDOW_DAYS: DayNumber = 28;
/// On so many of them, once a week.
pub(super) const REGULAR_DAYS_MIN: u8 = 4;
/// Within so many days others of the account must have been active: else it is not the champion who is silent.
pub(super) const OTHERS_DAYS_MAX: DayNumber = 7;

/// A contact who is the account's champion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Champion {
    /// The contact's id.
    pub id: String,
    /// Their name; may be empty.
    pub display_name: String,
    /// Their mail address; may be empty.
    pub email: String,
}

/// The silence of a champion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChampionSilence {
    /// Their name; may be empty.
    pub display_name: String,
    /// Their last day with activity.
    pub last_activity_day: NaiveDate,
    /// Whole days since then.
    pub silent_days: i32,
    /// How many other users of the account were active in the last 7 days, today included.
    pub other_users: i32,
}

impl Champion {
    /// Whether signals mean this person by `user_id`: the contact's id, or the mail address in whatever case.
    fn is_user(&self, user_id: &str) -> bool {
        user_id == self.id || (!self.email.is_empty() && user_id.eq_ignore_ascii_case(&self.email))
    }

    /// What the account's signals say of the champion's silence as of `today`. Who was never active is not silent, and who came now
    /// and then may still come.
    pub fn verdict(&self, series: &AccountSeries, today: NaiveDate) -> Verdict {
        let last = day_number(today);
        let Some(last_activity) = self.newest_day(series, last) else { return Verdict::NotMet };
        let silent_days = last.saturating_sub(last_activity).saturating_sub(1);
        if silent_days < SILENT_DAYS_MIN {
            return Verdict::NotMet;
        }
        let others = series.users().filter(|(user_id, _)| !self.is_user(user_id));
        let other_users = others.filter(|(_, days)| days.newest_day(last) > Some(last - OTHERS_DAYS_MAX)).count();
        let cause = RiskCause::ChampionSilent(ChampionSilence {
            display_name: self.display_name.clone(),
            last_activity_day: date_of(last_activity),
            silent_days,
            other_users: i32::try_from(other_users).unwrap_or(i32::MAX),
        });
        let condition = Condition { cause, occurrence_count: 1 };
        if other_users > 0 && self.was_regular(series, last_activity) {
            Verdict::Met(condition)
        } else {
            Verdict::Between(condition)
        }
    }

    /// The first day after `today` on which the champion is silent if nothing comes; none when that is so already, or nothing is
    /// known.
    pub fn next_look(&self, series: &AccountSeries, today: NaiveDate) -> Option<NaiveDate> {
        let last_activity = date_of(self.newest_day(series, day_number(today))?);
        let silent_from = last_activity.checked_add_days(Days::new(u64::from(SILENT_DAYS_MIN.unsigned_abs()) + 1))?;
        (silent_from > today).then_some(silent_from)
    }

    fn own<'a>(&'a self, series: &'a AccountSeries) -> impl Iterator<Item = &'a DayValues> {
        series.users().filter(|(user_id, _)| self.is_user(user_id)).map(|(_, days)| days)
    }

    fn newest_day(&self, series: &AccountSeries, last: DayNumber) -> Option<DayNumber> {
        self.own(series).filter_map(|days| days.newest_day(last)).max()
    }

    fn was_regular(&self, series: &AccountSeries, last_activity: DayNumber) -> bool {
        let first = last_activity - REGULAR_WINDOW_DAYS + 1;
        let days = self.own(series).flat_map(|days| days.between(first, last_activity)).map(|&(day, _)| day);
        days.collect::<std::collections::BTreeSet<_>>().len() >= usize::from(REGULAR_DAYS_MIN)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::risk_trigger::{Step, step};
    use super::super::series::{SeriesKey, SeriesKind};
    use super::*;

    const DAY: DayNumber = 20_000;

    fn ada() -> Champion {
        let email = "ada@acme.example".to_owned();
        Champion { id: "c-1".to_owned(), display_name: "Ada".to_owned(), email }
    }

    fn series_of(days: &[(&str, DayNumber)]) -> AccountSeries {
        let mut series = AccountSeries::default();
        for (name, day) in days {
            series.add_counts(&SeriesKey { kind: SeriesKind::User, name: (*name).to_owned() }, [(*day, 1)]);
        }
        series
    }

    /// Weekly activity of Ada up to and with the day 0, and others' on these days.
    fn with_others(days: &[DayNumber]) -> AccountSeries {
        let own = [("c-1", DAY - 21), ("ada@acme.example", DAY - 14), ("Ada@Acme.example", DAY - 7), ("c-1", DAY)];
        let others: Vec<_> = days.iter().map(|day| ("bo", DAY + day)).collect();
        series_of(&[own.as_slice(), others.as_slice()].concat())
    }

    fn silence(verdict: Verdict) -> Option<(i32, i32)> {
        match verdict {
            Verdict::Met(Condition { cause: RiskCause::ChampionSilent(silence), .. }) => {
                Some((silence.silent_days, silence.other_users))
            }
            _ => None,
        }
    }

    #[test]
    fn a_champion_is_silent_after_21_whole_days_while_others_go_on() {
        let series = with_others(&[10, 19]);
        assert_eq!(ada().verdict(&series, date_of(DAY + 21)), Verdict::NotMet);
        assert_eq!(silence(ada().verdict(&series, date_of(DAY + 22))), Some((21, 1)));
        assert_eq!(ada().next_look(&series, date_of(DAY + 3)), Some(date_of(DAY + 22)));
        assert_eq!(ada().next_look(&series, date_of(DAY + 22)), None);
    }

    #[test]
    fn when_nobody_goes_on_it_is_not_the_champion_who_is_silent() {
        let today = date_of(DAY + 22);
        assert!(matches!(ada().verdict(&with_others(&[15]), today), Verdict::Between(_)), "a week ago");
        assert_eq!(silence(ada().verdict(&with_others(&[16]), today)), Some((21, 1)));
    }

    #[test]
    fn who_came_less_than_weekly_or_never_is_not_missed() {
        let rare = series_of(&[("c-1", DAY), ("c-1", DAY - 9), ("c-1", DAY - 18), ("c-1", DAY - 28), ("bo", DAY + 20)]);
        assert!(matches!(ada().verdict(&rare, date_of(DAY + 25)), Verdict::Between(_)));
        assert_eq!(ada().verdict(&series_of(&[("bo", DAY)]), date_of(DAY)), Verdict::NotMet);
    }

    proptest! {
        #[test]
        fn silence_is_told_once_while_it_lasts_and_ends_with_the_next_activity(
            (days, shuffled) in proptest::collection::btree_set(0i32..150, 1..50)
                .prop_map(|days| days.into_iter().map(|day| ("c-1", DAY + day)).collect::<Vec<_>>())
                .prop_flat_map(|days| (Just(days.clone()), Just(days).prop_shuffle())),
        ) {
            let others: Vec<_> = (0..150).map(|day| ("bo", DAY + day)).collect();
            let series = series_of(&[days, others.clone()].concat());
            prop_assert_eq!(&series_of(&[others, shuffled].concat()), &series);
            let mut lasting: Option<Condition> = None;
            for today in DAY..DAY + 150 {
                let newest = ada().newest_day(&series, today);
                match step(lasting.as_ref(), ada().verdict(&series, date_of(today))) {
                    Some(Step::Raise(condition)) => {
                        prop_assert!(newest.is_some_and(|day| today - day > SILENT_DAYS_MIN));
                        lasting = Some(condition);
                    }
                    Some(Step::Update(_)) => prop_assert!(false, "days that pass are no news"),
                    Some(Step::Clear) => {
                        prop_assert_eq!(newest, Some(today));
                        lasting = None;
                    }
                    None => {}
                }
            }
        }
    }
}
