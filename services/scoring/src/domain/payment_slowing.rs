//! Invoices that are paid later and later: the newest against those before.
//!
//! Invoices are counted, not days, so that who is billed each month and who is billed each quarter are judged by as many payments.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::risk_trigger::{Condition, RiskCause, Verdict};
use super::series::{AccountSeries, DayNumber, date_of, day_number};
use super::story_series::{StoryDays, StorySeries};

/// So many payments make the newest, and no fewer those before: one that is late is an oversight.
pub(super) const INVOICES_MIN: i64 = 3;
/// At most about so many make those before: a year of monthly invoices. Those of the day on which the last of them was paid all count.
pub(super) const EARLIER_INVOICES: i64 = 12;
/// When the newest payment is older, nothing is known of how the customer pays by now.
pub(super) const NEWEST_WITHIN_DAYS: DayNumber = 180;
/// It begins when the newest were paid so many days later than those before, in the mean, or more.
pub(super) const BEGINS_AT_DAYS: f64 = 7.0;
/// It ends when they were paid less than so many days later.
pub(super) const ENDS_BELOW_DAYS: f64 = 3.0;

/// How late an account pays by now, and how late it did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PaymentDelay {
    /// The day on which the newest was paid.
    pub newest_day: NaiveDate,
    /// How many of the newest were looked at.
    pub invoice_count: i64,
    /// Days between due and paid, in their mean; what is paid in time counts as 0.
    pub days_late: f64,
    /// How many of those before were looked at.
    pub earlier_invoice_count: i64,
    /// The same of those.
    pub earlier_days_late: f64,
}

impl PaymentDelay {
    /// That of an account as of `today`; none when too few invoices were paid, or none of late.
    pub fn of(series: &AccountSeries, today: NaiveDate) -> Option<Self> {
        let today = day_number(today);
        let told = series.story(StorySeries::PaymentDaysLate)?;
        let (newest_day, newest) = Payments::back_from(told, today, INVOICES_MIN)?;
        let (_, earlier) = Payments::back_from(told, newest.first_day - 1, EARLIER_INVOICES)?;
        let is_known = today - newest_day <= NEWEST_WITHIN_DAYS && earlier.count >= INVOICES_MIN;
        is_known.then(|| Self {
            newest_day: date_of(newest_day),
            invoice_count: newest.count,
            days_late: newest.mean(),
            earlier_invoice_count: earlier.count,
            earlier_days_late: earlier.mean(),
        })
    }

    /// By how many days later the newest were paid.
    pub fn days_later(&self) -> f64 {
        self.days_late - self.earlier_days_late
    }

    /// What it says.
    pub fn verdict(self) -> Verdict {
        let days_later = self.days_later();
        if days_later < ENDS_BELOW_DAYS {
            return Verdict::NotMet;
        }
        let condition = Condition { cause: RiskCause::PaymentSlowing(self), occurrence_count: 1 };
        if days_later >= BEGINS_AT_DAYS { Verdict::Met(condition) } else { Verdict::Between(condition) }
    }
}

/// Payments of some days in a row.
struct Payments {
    first_day: DayNumber,
    count: i64,
    days_late: f64,
}

impl Payments {
    /// Those of the newest days up to and with `last`, back to the day on which they are `wanted` or more; with the newest of these days.
    fn back_from(told: &StoryDays, last: DayNumber, wanted: i64) -> Option<(DayNumber, Self)> {
        let newest_day = told.newest_value_day(last)?;
        let mut payments = Self { first_day: newest_day, count: 0, days_late: 0.0 };
        for figures in told.figures_back_from(newest_day) {
            payments.first_day = figures.day;
            payments.count += figures.count;
            payments.days_late += figures.sum;
            if payments.count >= wanted {
                break;
            }
        }
        Some((newest_day, payments))
    }

    fn mean(&self) -> f64 {
        self.days_late / self.count as f64
    }
}

#[cfg(test)]
mod tests;
