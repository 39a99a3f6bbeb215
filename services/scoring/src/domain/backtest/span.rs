//! The days of the past as of which accounts are scored.

use chrono::{Days, NaiveDate};
use mainstay_domain::Violations;

/// Days from one to the next when the caller does not say.
const STEP_DAYS_DEFAULT: i32 = 30;
/// Most days from one to the next.
const STEP_DAYS_MAX: i32 = 366;
/// Within how many days leaving counts when the caller does not say.
const HORIZON_DAYS_DEFAULT: i32 = 90;
/// Most days within which leaving counts.
const HORIZON_DAYS_MAX: i32 = 730;
/// Most days as of which accounts are scored: ten years of months.
const DAYS_MAX: usize = 120;
/// Most account-days that are scored: they are held in memory while they are judged.
pub const ACCOUNT_DAYS_MAX: usize = 1_000_000;

/// The days as a caller asked for them; 0 for defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanDraft {
    /// No day is before it.
    pub start_day: NaiveDate,
    /// The last day. Absent: the newest of which it is known who left after it.
    pub end_day: Option<NaiveDate>,
    /// Days from one to the next.
    pub step_days: i32,
    /// Within how many days after each leaving counts.
    pub horizon_days: i32,
}

/// The days as of which accounts are scored, and how long after each of them leaving counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BacktestSpan {
    days: Vec<NaiveDate>,
    horizon_days: u32,
}

impl BacktestSpan {
    /// The days of stored backtests, which were checked before they were stored.
    pub fn from_stored(days: Vec<NaiveDate>, horizon_days: u32) -> Self {
        Self { days, horizon_days }
    }

    /// Checks what was asked for on a day; the faults are named by the request's fields.
    pub fn from_draft(draft: SpanDraft, today: NaiveDate) -> Result<Self, Violations> {
        let mut found = Violations::new();
        let step = or_default(draft.step_days, STEP_DAYS_DEFAULT);
        let horizon = or_default(draft.horizon_days, HORIZON_DAYS_DEFAULT);
        let in_range = |days: i32, most: i32| u32::try_from(days).ok().filter(|_| (1..=most).contains(&days));
        let (step, horizon) = (in_range(step, STEP_DAYS_MAX), in_range(horizon, HORIZON_DAYS_MAX));
        found.require(
            step.is_some(),
            "step_days",
            format!("must be 1 to {STEP_DAYS_MAX}, or 0 for {STEP_DAYS_DEFAULT}"),
        );
        found.require(
            horizon.is_some(),
            "horizon_days",
            format!("must be 1 to {HORIZON_DAYS_MAX}, or 0 for {HORIZON_DAYS_DEFAULT}"),
        );
        let (Some(step), Some(horizon_days)) = (step, horizon) else { return Err(found) };
        // Of a horizon that ends today it is not known yet who leaves today.
        let newest = today.checked_sub_days(Days::new(u64::from(horizon_days) + 1)).unwrap_or(NaiveDate::MIN);
        let end_day = draft.end_day.unwrap_or(newest);
        found.require(
            end_day <= newest,
            "end_day",
            format!("{end_day} is too late: the {horizon_days} days after it, within which leaving counts, are not over; choose {newest} or earlier"),
        );
        let (path, what) = match draft.end_day {
            Some(_) => ("end_day", format!("must not be before start_day, {}", draft.start_day)),
            None => (
                "start_day",
                format!("must be {newest} or earlier, so that it is known who left within {horizon_days} days"),
            ),
        };
        found.require(draft.start_day <= end_day, path, what);
        let mut days: Vec<NaiveDate> = (0..=DAYS_MAX)
            .map_while(|count| end_day.checked_sub_days(Days::new(u64::from(step) * count as u64)))
            .take_while(|day| *day >= draft.start_day)
            .collect();
        found.require(
            days.len() <= DAYS_MAX,
            "step_days",
            format!(
                "gives more than {DAYS_MAX} days from {} to {end_day}: choose a longer step, or a later start",
                draft.start_day
            ),
        );
        days.reverse();
        found.into_result(Self { days, horizon_days })
    }

    /// The days, rising; at least one.
    pub fn days(&self) -> &[NaiveDate] {
        &self.days
    }

    /// Within how many days after each leaving counts; 1 or more.
    pub fn horizon_days(&self) -> u32 {
        self.horizon_days
    }

    /// That this is too much for so many accounts.
    pub fn check_size(&self, account_count: usize) -> Result<(), Violations> {
        let account_days = account_count.saturating_mul(self.days.len());
        let mut found = Violations::new();
        found.require(
            account_days <= ACCOUNT_DAYS_MAX,
            "step_days",
            format!(
                "{account_count} accounts on {} days are {account_days} scores, {ACCOUNT_DAYS_MAX} are allowed: choose a longer step, or a later start",
                self.days.len()
            ),
        );
        found.into_result(())
    }
}

fn or_default(given: i32, default: i32) -> i32 {
    if given == 0 { default } else { given }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn draft(start_day: &str, end_day: Option<&str>) -> SpanDraft {
        SpanDraft { start_day: day(start_day), end_day: end_day.map(day), step_days: 0, horizon_days: 0 }
    }

    fn faults(draft: SpanDraft) -> Vec<String> {
        let found = BacktestSpan::from_draft(draft, day("2026-06-01")).expect_err("refused");
        found.iter().map(|violation| violation.field.clone()).collect()
    }

    #[test]
    fn days_go_back_from_the_newest_of_which_it_is_known_who_left() {
        let span = BacktestSpan::from_draft(draft("2026-01-01", None), day("2026-06-01")).expect("fine");
        assert_eq!(span.days(), ["2026-01-01", "2026-01-31", "2026-03-02"].map(day));
        assert_eq!(span.horizon_days(), 90);
        let one_day = draft("2026-03-02", Some("2026-03-02"));
        assert_eq!(BacktestSpan::from_draft(one_day, day("2026-06-01")).expect("fine").days(), [day("2026-03-02")]);
    }

    #[test]
    fn days_of_which_it_is_not_known_who_left_are_refused() {
        assert_eq!(faults(draft("2026-01-01", Some("2026-03-03"))), ["end_day"]);
        assert_eq!(faults(draft("2026-03-03", None)), ["start_day"]);
        assert_eq!(faults(draft("2026-02-01", Some("2026-01-31"))), ["end_day"]);
    }

    #[test]
    fn steps_and_horizons_have_their_ranges() {
        assert_eq!(
            faults(SpanDraft { step_days: -1, horizon_days: 731, ..draft("2026-01-01", None) }),
            ["step_days", "horizon_days"]
        );
        assert_eq!(faults(SpanDraft { step_days: 1, ..draft("2025-01-01", None) }), ["step_days"]);
        let span = BacktestSpan::from_draft(draft("2026-01-01", None), day("2026-06-01")).expect("fine");
        assert!(span.check_size(333_333).is_ok() && span.check_size(333_334).is_err());
    }
}
