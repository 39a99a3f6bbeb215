//! Periods by which adoption is told: months and fortnights of the calendar.

use chrono::{Datelike, Days, Months, NaiveDate};

use super::series::day_number;

/// Day 4 is Monday, 5 January 1970: fortnights begin on Mondays.
const FIRST_MONDAY: i32 = 4;
const FORTNIGHT_DAYS: i32 = 14;

/// How long the periods are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AdoptionGrain {
    Month,
    Fortnight,
}

impl AdoptionGrain {
    /// The number of the period of a day: periods that follow one another have numbers that do.
    pub(crate) fn period_of(self, day: NaiveDate) -> i32 {
        match self {
            Self::Month => 12 * (day.year() - 1970) + i32::try_from(day.month0()).unwrap_or(0),
            Self::Fortnight => (day_number(day) - FIRST_MONDAY).div_euclid(FORTNIGHT_DAYS),
        }
    }

    /// The first day of the period of a day.
    pub(crate) fn start_of(self, day: NaiveDate) -> NaiveDate {
        match self {
            Self::Month => day.with_day(1).unwrap_or(day),
            Self::Fortnight => {
                let past = (day_number(day) - FIRST_MONDAY).rem_euclid(FORTNIGHT_DAYS);
                day.checked_sub_days(Days::new(u64::from(past.unsigned_abs()))).unwrap_or(day)
            }
        }
    }

    /// The first day of the period after the one that begins on `start`.
    pub(crate) fn next(self, start: NaiveDate) -> NaiveDate {
        let next = match self {
            Self::Month => start.checked_add_months(Months::new(1)),
            Self::Fortnight => start.checked_add_days(Days::new(u64::from(FORTNIGHT_DAYS.unsigned_abs()))),
        };
        next.unwrap_or(start)
    }

    /// The first days of the newest `count` periods, that of `today` last.
    pub(crate) fn newest(self, today: NaiveDate, count: usize) -> Vec<NaiveDate> {
        let day_before = |start: &NaiveDate| start.pred_opt().map(|day| self.start_of(day));
        let mut starts: Vec<NaiveDate> =
            std::iter::successors(Some(self.start_of(today)), day_before).take(count).collect();
        starts.reverse();
        starts
    }
}

#[cfg(test)]
mod tests {
    use chrono::Weekday;
    use proptest::prelude::*;

    use super::super::series::date_of;
    use super::*;

    const GRAINS: [AdoptionGrain; 2] = [AdoptionGrain::Month, AdoptionGrain::Fortnight];

    #[test]
    fn fortnights_begin_on_mondays_and_months_on_their_first() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        assert_eq!(AdoptionGrain::Fortnight.start_of(day("1970-01-05")), day("1970-01-05"));
        assert_eq!(AdoptionGrain::Fortnight.start_of(day("1970-01-18")), day("1970-01-05"));
        assert_eq!(AdoptionGrain::Fortnight.start_of(day("2026-03-04")).weekday(), Weekday::Mon);
        let months = AdoptionGrain::Month.newest(day("2026-02-14"), 3);
        assert_eq!(months, [day("2025-12-01"), day("2026-01-01"), day("2026-02-01")]);
    }

    proptest! {
        #[test]
        fn periods_follow_one_another_without_gaps(number in -30_000..60_000i32) {
            let day = date_of(number);
            for grain in GRAINS {
                let start = grain.start_of(day);
                let next = grain.next(start);
                prop_assert!(start <= day && day < next);
                prop_assert_eq!(grain.start_of(next), next);
                prop_assert_eq!(grain.period_of(start), grain.period_of(day));
                prop_assert_eq!(grain.period_of(next), grain.period_of(day) + 1);
            }
        }
    }
}
