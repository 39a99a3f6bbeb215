//! Calendar quarters, in UTC.

use std::fmt;

use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use mainstay_domain::start_of_day;

/// A calendar quarter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Quarter {
    first_day: NaiveDate,
}

impl Quarter {
    /// The quarter of a day.
    pub(crate) fn of(day: NaiveDate) -> Self {
        let first_month0 = day.month0() / 3 * 3;
        let first_day = day.with_day(1).and_then(|first| first.with_month0(first_month0));
        Self { first_day: first_day.unwrap_or(day) }
    }

    /// The one after it.
    pub(crate) fn next(self) -> Self {
        Self { first_day: self.first_day.checked_add_months(Months::new(3)).unwrap_or(NaiveDate::MAX) }
    }

    /// So many quarters before it.
    pub(crate) fn minus(self, count: u32) -> Self {
        let first_day = self.first_day.checked_sub_months(Months::new(3 * count));
        Self { first_day: first_day.unwrap_or(NaiveDate::MIN) }
    }

    /// Its first day.
    pub(crate) fn first_day(self) -> NaiveDate {
        self.first_day
    }

    /// The midnight at which it begins.
    pub(crate) fn start(self) -> DateTime<Utc> {
        start_of_day(self.first_day)
    }
}

impl fmt::Display for Quarter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-Q{}", self.first_day.year(), self.first_day.month0() / 3 + 1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quarters_have_the_names_that_people_use() {
        let of = |year, month, day| Quarter::of(NaiveDate::from_ymd_opt(year, month, day).expect("a day")).to_string();
        assert_eq!(of(2026, 1, 1), "2026-Q1");
        assert_eq!(of(2026, 3, 31), "2026-Q1");
        assert_eq!(of(2024, 2, 29), "2024-Q1");
        assert_eq!(of(2026, 8, 31), "2026-Q3");
        assert_eq!(of(2026, 12, 31), "2026-Q4");
    }

    proptest! {
        #[test]
        fn each_day_lies_in_its_quarter_and_quarters_touch(days in 0i64..40_000) {
            let day = NaiveDate::from_ymd_opt(1990, 1, 1).expect("a day") + chrono::TimeDelta::days(days);
            let quarter = Quarter::of(day);
            prop_assert!(quarter.first_day() <= day && day < quarter.next().first_day());
            prop_assert_eq!(quarter.next().minus(1), quarter);
            prop_assert_eq!(Quarter::of(quarter.next().first_day() - chrono::TimeDelta::days(1)), quarter);
        }
    }
}
