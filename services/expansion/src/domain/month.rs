//! Months of a calendar, as reviews and reports of usage count them.

use std::fmt;

use chrono::{DateTime, Datelike, Months, NaiveDate, TimeDelta, Utc};
use mainstay_domain::start_of_day;

/// A month of the UTC calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(NaiveDate);

impl Month {
    /// The month of a day.
    pub fn of_day(day: NaiveDate) -> Self {
        Self(day.with_day(1).unwrap_or(day))
    }

    /// Reads `YYYY-MM`.
    ///
    /// # Errors
    /// A sentence that says what it should be.
    pub fn parse(text: &str) -> Result<Self, String> {
        let day = NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").ok();
        let month = day.filter(|day| (1..=9999).contains(&day.year())).map(Self);
        month.filter(|month| month.to_string() == text).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            format!("`{shown}` is not a month such as `2026-01`")
        })
    }

    /// Its first day.
    pub const fn first_day(self) -> NaiveDate {
        self.0
    }

    /// The month so many months earlier.
    #[must_use]
    pub fn minus(self, months: u32) -> Self {
        Self(self.0.checked_sub_months(Months::new(months)).unwrap_or(self.0))
    }

    /// The month after.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.checked_add_months(Months::new(1)).unwrap_or(self.0))
    }

    /// When it is over.
    pub fn end(self) -> DateTime<Utc> {
        start_of_day(self.next().0)
    }

    /// When its review runs by itself: on the third day after it, when its usage has been reported.
    pub fn review_due_at(self) -> DateTime<Utc> {
        self.end() + TimeDelta::days(2)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_follow_each_other_over_the_year() {
        let december = Month::parse("1997-12").expect("a month");
        assert_eq!(december.next().to_string(), "1998-01");
        assert_eq!(december.next().minus(1), december);
        assert_eq!(december.minus(12).to_string(), "1996-12");
        assert_eq!(december.end().to_string(), "1998-01-01 00:00:00 UTC");
        assert_eq!(december.review_due_at().to_string(), "1998-01-03 00:00:00 UTC");
    }

    #[test]
    fn a_month_is_written_in_one_way() {
        for bad in ["", "1997", "1997-1", "1997-13", "97-01", "1997-01-01", "+1997-01", "0000-01"] {
            assert!(Month::parse(bad).is_err(), "{bad}");
        }
    }
}
