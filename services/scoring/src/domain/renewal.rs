//! Renewals: how likely contracts are renewed, by the model and by people, and what became of them.

mod forecast;
mod history;
mod report;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use mainstay_domain::{AccountId, Band, Interval, Money, Points, Segment, day_of};
use serde::{Deserialize, Serialize};

use super::HealthModel;
use super::account::Owner;
use super::forecast::{CustomerDay, ForecastDefinition};

pub(crate) use forecast::{QuarterForecast, QuarterRevenue, quarter_forecasts};
pub(crate) use history::RenewalChanges;
pub(crate) use report::{RenewalReport, RenewedRevenue};

/// Most characters of a note.
pub(crate) const NOTE_LENGTH_MAX: usize = 2_000;
/// Most quarters of a forecast.
pub(crate) const QUARTERS_MAX: u32 = 12;
/// The target of R51.
pub(crate) const TARGET_RATE: f64 = 0.85;

/// How long after it is due a renewal is awaited, in days: who leaves later left for another reason.
const GRACE_DAYS: u32 = 30;

/// What a person expects of a renewal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Expectation {
    Commit,
    Likely,
    AtRisk,
    Churn,
}

impl Expectation {
    /// The probability for which it stands.
    pub(crate) const fn likelihood(self) -> f64 {
        match self {
            Self::Commit => 0.95,
            Self::Likely => 0.75,
            Self::AtRisk => 0.4,
            Self::Churn => 0.05,
        }
    }
}

/// What became of a renewal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Renewed,
    Churned,
}

/// What a person said of a renewal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub account: AccountId,
    pub due_at: DateTime<Utc>,
    pub expectation: Expectation,
    pub note: String,
    pub author_email: String,
    /// The caller who made it.
    pub creator: String,
    pub called_at: DateTime<Utc>,
    /// What the model said then.
    pub likelihood: Option<f64>,
}

/// How likely a customer is to renew.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Likelihood {
    pub value: f64,
    /// Of accounts of which about as much was forecast, the 95 % interval of the share that stayed as long.
    pub observed: Option<Interval>,
}

/// A contract that is due for renewal, or was.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Renewal {
    pub account: AccountId,
    pub display_name: String,
    pub segment: Segment,
    pub owners: Vec<Owner>,
    pub due_at: DateTime<Utc>,
    /// Of a year.
    pub arr: Option<Money>,
    pub score: Option<Points>,
    pub band: Option<Band>,
    /// Today's health, where it is by the health model of the forecast.
    pub today: Option<CustomerDay>,
    pub call: Option<Call>,
    /// What became of it, and when that was known.
    pub outcome: Option<(Outcome, DateTime<Utc>)>,
}

impl Renewal {
    /// How likely it renews; none where it is decided, or there is no health to tell by.
    pub(crate) fn likelihood(&self, model: &ForecastDefinition, health_model: &HealthModel) -> Option<Likelihood> {
        let today = self.today.as_ref().filter(|_| self.outcome.is_none())?;
        Some(likelihood(model, health_model, today, self.due_at))
    }
}

/// How likely a customer is to renew: that it does not leave until some time after the renewal is due.
pub(crate) fn likelihood(
    model: &ForecastDefinition,
    health_model: &HealthModel,
    today: &CustomerDay,
    due_at: DateTime<Utc>,
) -> Likelihood {
    let due = u32::try_from((day_of(due_at) - today.day).num_days().max(0)).unwrap_or(u32::MAX);
    let renewal = model.renewal(health_model, today, due);
    let stays = |churn: f64| renewal.stays(due.saturating_add(GRACE_DAYS), churn);
    let observed = model.observed(renewal.churn_when_due);
    let observed = observed.map(|left| Interval { low: stays(left.high), high: stays(left.low) });
    Likelihood { value: stays(renewal.churn_when_due), observed }
}

/// Place in a list of renewals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RenewalCursor {
    pub due_micros: i64,
    pub account_id: String,
}

impl RenewalCursor {
    /// The place after a renewal.
    pub(crate) fn after(renewal: &Renewal) -> Self {
        Self { due_micros: renewal.due_at.timestamp_micros(), account_id: renewal.account.as_str().to_owned() }
    }
}

/// A quarter of a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Quarter {
    year: i32,
    /// From 0.
    number: u32,
}

impl Quarter {
    /// The one in which a day lies.
    pub(crate) fn of(day: NaiveDate) -> Self {
        Self { year: day.year(), number: day.month0() / 3 }
    }

    /// The one after.
    #[must_use]
    pub(crate) const fn next(self) -> Self {
        match self.number {
            3 => Self { year: self.year + 1, number: 0 },
            number => Self { year: self.year, number: number + 1 },
        }
    }

    /// Its first day.
    pub(crate) fn first_day(self) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(self.year, self.number * 3 + 1, 1)
    }

    /// `2026-Q3`.
    pub(crate) fn name(self) -> String {
        format!("{:04}-Q{}", self.year, self.number + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters_follow_one_another() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        let last = Quarter::of(day("2026-12-31"));
        assert_eq!((last.name().as_str(), last.first_day()), ("2026-Q4", Some(day("2026-10-01"))));
        assert_eq!(last.next(), Quarter::of(day("2027-01-01")));
        assert_eq!(Quarter::of(day("2026-03-31")).next().name(), "2026-Q2");
    }
}
