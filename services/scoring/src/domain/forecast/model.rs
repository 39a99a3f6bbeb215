//! What was learnt, as it is kept, and what it says of an account.

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::{Interval, ModelId};
use serde::{Deserialize, Serialize};

use super::inputs::{CustomerDay, InputKind};
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
        let mut log_odds = self.intercept;
        let mut reasons = Vec::with_capacity(self.inputs.len());
        for input in &self.inputs {
            let value = input.kind.value(health_model, customer, self.horizon_days);
            let used = value.or(input.substitute).unwrap_or(input.mean);
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

    /// The probability of leaving within `days`, by a constant rate from that within the horizon.
    pub(crate) fn within(&self, probability: f64, days: u32) -> f64 {
        if days == self.horizon_days {
            return probability;
        }
        let periods = f64::from(days) / f64::from(self.horizon_days);
        1.0 - (1.0 - probability).powf(periods)
    }
}

/// The probability of log-odds, without overflow for either sign.
fn logistic(log_odds: f64) -> f64 {
    let small = (-log_odds.abs()).exp();
    if log_odds >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) }
}
