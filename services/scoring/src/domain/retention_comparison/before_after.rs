//! Customers after a change of how the company works, those before it, and how many left month by month.

use std::collections::BTreeMap;

use chrono::{Datelike, Months, NaiveDate, TimeDelta};
use mainstay_domain::{Interval, MoneyError, Proportion, Segment, Violations, Z_95};

use super::comparison::RetentionComparison;
use super::{FollowUp, FollowedCustomers, FollowedPortfolio};
use crate::domain::cohort::UncountedReason;

/// How many months before that of the change are shown.
const MONTHS_BEFORE: u32 = 12;
/// How long ago a change may be, in months: all since then are shown.
const MONTHS_AGO_MAX: u32 = 60;

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// Something, on this day.
    Day(NaiveDate),
    /// The first customer was given this feature.
    Feature(String),
}

/// What is to be compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ChangeQuery {
    pub change: Change,
    /// In one of these segments; empty: any.
    pub segments: Vec<Segment>,
    /// How many days before and after the change are looked at.
    pub follow_days: u32,
}

/// A month of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChurnMonth {
    /// Its first day.
    pub month: NaiveDate,
    /// Who was a customer when it began, and how many of them left in it.
    pub churned: Proportion,
    /// Whether it is over.
    pub is_over: bool,
}

impl ChurnMonth {
    /// The share that left; none where there was nobody.
    pub(crate) fn rate(self) -> Option<f64> {
        self.churned.share()
    }

    /// Wilson's interval of the share.
    pub(crate) fn interval(self) -> Option<Interval> {
        self.churned.wilson(Z_95)
    }
}

/// Customers that started in the same month and were last seen in the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LifespanCount {
    /// The first day of the month in which they started.
    pub start_month: NaiveDate,
    /// The first day of the month in which they left or were last seen.
    pub end_month: NaiveDate,
    /// Whether they left.
    pub churned: bool,
    pub count: u64,
}

/// Retention before and after a change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BeforeAfter {
    pub change_day: NaiveDate,
    /// The days before the change, and as many from it on.
    pub before: FollowUp,
    pub after: FollowUp,
    /// Whether all days asked for after the change are over.
    pub is_complete: bool,
    /// After the change, compared with before.
    pub comparison: RetentionComparison,
    /// From a year before the change to today.
    pub months: Vec<ChurnMonth>,
    pub uncounted: BTreeMap<UncountedReason, u64>,
}

/// Notes a day that no change can be looked at that was made on it; gives it otherwise.
pub(crate) fn check_change_day(
    found: &mut Violations,
    field: &str,
    day: NaiveDate,
    today: NaiveDate,
) -> Option<NaiveDate> {
    let first = today - Months::new(MONTHS_AGO_MAX);
    let fits = (first..=today).contains(&day);
    found.require(fits, field, format!("{day} must be from {first} to {today}, which is today"));
    fits.then_some(day)
}

/// The days before a change and from it on, equally many: what is not seen yet after it is left out before it, so that both
/// show the same. None while the change is to come.
pub(crate) fn periods(change_day: NaiveDate, follow_days: u32, today: NaiveDate) -> Option<(FollowUp, FollowUp)> {
    let after = FollowUp::from(change_day, follow_days, today)?;
    let first_day = change_day - TimeDelta::days(i64::from(after.days));
    Some((FollowUp { first_day, ..after }, after))
}

/// The first month that is shown of a change.
pub(crate) fn first_month(change_day: NaiveDate) -> NaiveDate {
    month_of(change_day) - Months::new(MONTHS_BEFORE)
}

fn month_of(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

impl BeforeAfter {
    /// Of portfolios that were followed before and after a change.
    ///
    /// # Errors
    /// When an amount of money leaves its range.
    pub(crate) fn of(
        (before, before_portfolio): (FollowUp, &FollowedPortfolio),
        (after, after_portfolio): (FollowUp, FollowedPortfolio),
        lifespans: &[LifespanCount],
        follow_days: u32,
        today: NaiveDate,
    ) -> Result<Self, MoneyError> {
        let group: Vec<&FollowedCustomers> = after_portfolio.customers.iter().collect();
        let reference: Vec<&FollowedCustomers> = before_portfolio.customers.iter().collect();
        let (comparison, _) = RetentionComparison::of(&group, &reference, after.days)?;
        Ok(Self {
            change_day: after.first_day,
            before,
            after,
            is_complete: after.days == follow_days && after.last_day() < today,
            comparison,
            months: churn_months(after.first_day, lifespans, today),
            uncounted: after_portfolio.uncounted,
        })
    }
}

/// The months from a year before the change up to that of today.
fn churn_months(change_day: NaiveDate, lifespans: &[LifespanCount], today: NaiveDate) -> Vec<ChurnMonth> {
    let first = first_month(change_day);
    let months = std::iter::successors(Some(first), |month| month.checked_add_months(Months::new(1)));
    let churn = |month: NaiveDate| {
        let (mut customers, mut churned) = (0, 0);
        for lifespan in lifespans.iter().filter(|one| one.start_month < month && month <= one.end_month) {
            customers += lifespan.count;
            churned += if lifespan.churned && lifespan.end_month == month { lifespan.count } else { 0 };
        }
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        Proportion { count: number(churned), total: number(customers) }
    };
    let today_month = month_of(today);
    months
        .take_while(|month| *month <= today_month)
        .map(|month| ChurnMonth { month, churned: churn(month), is_over: month < today_month })
        .collect()
}

#[cfg(test)]
mod tests;
