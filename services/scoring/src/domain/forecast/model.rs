//! What was learnt, as it is kept, and what it says of an account.

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::{Interval, ModelId};
use serde::{Deserialize, Serialize};

use super::inputs::{CustomerDay, HorizonThird, InputKind, RenewalTime};
use crate::domain::HealthModel;

/// A forecast model as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ForecastModel {
    /// Rises with each; 0 where it is not kept.
    pub number: i64,
    pub created_at: DateTime<Utc>,
    /// The caller who had it learnt.
    pub creator: String,
    pub health_model: ModelId,
    pub definition: ForecastDefinition,
}

/// What was learnt, and how good it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ForecastDefinition {
    pub horizon_days: u32,
    /// Log-odds of leaving where each input is 0.
    pub intercept: f64,
    pub inputs: Vec<ForecastInput>,
    /// Inputs that say nothing.
    pub unused_inputs: Vec<InputKind>,
    pub training: RowCounts,
    pub accuracy: Accuracy,
}

/// An input, and what it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ForecastInput {
    pub kind: InputKind,
    /// What one unit more adds to the log-odds.
    pub per_unit: f64,
    /// What a standard deviation more adds to them.
    pub per_deviation: f64,
    pub mean: f64,
    pub deviation: f64,
    /// What stands for a missing value.
    pub substitute: Option<f64>,
    /// Share of the rows without a value.
    pub missing_share: f64,
}

/// Customers at the beginnings of months.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RowCounts {
    pub first_month: NaiveDate,
    pub last_month: NaiveDate,
    pub rows: u64,
    /// Rows that were followed by churn.
    pub churned_rows: u64,
    /// Customers that left, each once.
    pub churned_accounts: u64,
}

/// How good forecasts were of months that were not learnt from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Accuracy {
    pub learnt_from: RowCounts,
    pub judged_on: RowCounts,
    pub auc: f64,
    /// Its 95 % interval.
    pub auc_low: f64,
    pub auc_high: f64,
    pub brier: f64,
    /// Of always saying the share of those learnt from.
    pub brier_of_base_rate: f64,
    pub reliability: Vec<ReliabilityPart>,
}

/// Rows with similar probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct ReliabilityPart {
    pub mean_probability: f64,
    pub rows: i64,
    pub churned_rows: i64,
    /// The 95 % interval of the share that left.
    pub low: f64,
    pub high: f64,
}

/// How likely an account is to leave.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ChurnForecast {
    /// Within the model's horizon, 0 to 1.
    pub probability: f64,
    /// Each input, its value, and by how much it moves the log-odds against the mean customer; those that move it most first.
    pub reasons: Vec<(InputKind, Option<f64>, f64)>,
}

impl ForecastDefinition {
    /// What it says of an account; `health_model` is the one it learnt from.
    pub(crate) fn forecast(&self, health_model: &HealthModel, customer: &CustomerDay) -> ChurnForecast {
        let renewal = customer.renewal_time(self.horizon_days);
        let mut log_odds = self.intercept;
        let mut reasons = Vec::with_capacity(self.inputs.len());
        for input in &self.inputs {
            let value = input.kind.value(health_model, customer, renewal);
            let used = input.used(value);
            log_odds += input.per_unit * used;
            reasons.push((input.kind.clone(), value, input.per_unit * (used - input.mean)));
        }
        reasons.sort_by(|(_, _, one), (_, _, other)| other.abs().total_cmp(&one.abs()));
        ChurnForecast { probability: logistic(log_odds), reasons }
    }

    /// Of accounts of which about as much was forecast, the 95 % interval of the share that left within the horizon.
    pub(crate) fn observed(&self, probability: f64) -> Option<Interval> {
        let distance = |part: &ReliabilityPart| (part.mean_probability - probability).abs();
        let parts = self.accuracy.reliability.iter();
        let nearest = parts.min_by(|one, other| distance(one).total_cmp(&distance(other)))?;
        Some(Interval { low: nearest.low, high: nearest.high })
    }

    /// The probability of leaving within the horizon, were the renewal at this time.
    fn probability_with(&self, health_model: &HealthModel, customer: &CustomerDay, renewal: RenewalTime) -> f64 {
        let of = |input: &ForecastInput| {
            input.per_unit * input.used(input.kind.value(health_model, customer, Some(renewal)))
        };
        logistic(self.intercept + self.inputs.iter().map(of).sum::<f64>())
    }

    /// The probability of leaving within `days`, 365 at most: by a constant rate, and what a renewal adds when it is due.
    pub(crate) fn within(&self, health_model: &HealthModel, customer: &CustomerDay, days: u32) -> f64 {
        let probability = self.forecast(health_model, customer).probability;
        if days == self.horizon_days {
            return probability;
        }
        match customer.days_to_renewal() {
            Some(due) => {
                let renewal = self.renewal(health_model, customer, due);
                1.0 - renewal.stays(days, if due <= days { renewal.churn_when_due } else { renewal.churn_without })
            }
            None => 1.0 - stays(probability, days, self.horizon_days),
        }
    }

    /// What a renewal so many days from now means. Of those beyond the horizon nothing was learnt: they count as those in its middle.
    pub(crate) fn renewal(&self, health_model: &HealthModel, customer: &CustomerDay, due: u32) -> RenewalRisk {
        let time = match RenewalTime::after(due, self.horizon_days) {
            RenewalTime::Later => RenewalTime::Within(HorizonThird::Second),
            within @ RenewalTime::Within(_) => within,
        };
        RenewalRisk {
            horizon_days: self.horizon_days,
            churn_without: self.probability_with(health_model, customer, RenewalTime::Later),
            churn_when_due: self.probability_with(health_model, customer, time),
        }
    }
}

impl ForecastInput {
    /// The value, or what stands for it.
    fn used(&self, value: Option<f64>) -> f64 {
        value.or(self.substitute).unwrap_or(self.mean)
    }
}

/// How likely a customer is to leave within the horizon with a renewal in it, and without.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RenewalRisk {
    horizon_days: u32,
    churn_without: f64,
    pub churn_when_due: f64,
}

impl RenewalRisk {
    /// The probability of staying for `days` in which a renewal is due that has `churn` within the horizon: what it adds is not
    /// spread over the days, for it is there on one of them.
    pub(crate) fn stays(&self, days: u32, churn: f64) -> f64 {
        let horizon_without = (1.0 - self.churn_without).max(f64::EPSILON);
        (stays(self.churn_without, days, self.horizon_days) * (1.0 - churn) / horizon_without).clamp(0.0, 1.0)
    }
}

/// The probability of staying for `days`, by a constant rate from that of leaving within the horizon.
pub(super) fn stays(probability: f64, days: u32, horizon_days: u32) -> f64 {
    (1.0 - probability).powf(f64::from(days) / f64::from(horizon_days))
}

/// The probability of log-odds, without overflow for either sign.
fn logistic(log_odds: f64) -> f64 {
    let small = (-log_odds.abs()).exp();
    if log_odds >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) }
}
