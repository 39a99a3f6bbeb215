//! Learning who leaves, and judging it on later months.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use mainstay_domain::{AccountId, Proportion};
use mainstay_statistics::classification::{Binning, Case, Forecast, RESAMPLES, auc, auc_interval, brier, reliability};
use mainstay_statistics::logistic::{Example, FitError, Input, LogisticModel, LogisticRegression, PredictError};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::inputs::{CustomerDay, InputKind};
use super::model::{Accuracy, ForecastDefinition, ForecastInput, ReliabilityPart, RowCounts};
use crate::domain::backtest::Tenure;
use crate::domain::{HealthModel, day_number};

/// Of so many months one is judged on, the last ones.
const MONTHS_FOR_ONE_JUDGED: usize = 3;
/// With fewer rows of either outcome to judge on, figures say nothing.
pub(crate) const JUDGED_ROWS_MIN: usize = 10;
/// With fewer customers that left, rows are the same few over and over.
pub(crate) const CHURNED_ACCOUNTS_MIN: u64 = 20;
/// Steps of the bootstrap at most: more rows are drawn less often.
const BOOTSTRAP_STEPS_MAX: usize = 20_000_000;
/// Samples at least.
const RESAMPLES_MIN: usize = 100;
const RELIABILITY_PARTS: u32 = 10;
/// Any number; the same one gives the same intervals.
const SEED: u64 = 1;

/// A customer at the beginning of a month, and whether it left within the horizon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct OutcomeRow {
    pub account: String,
    pub customer: CustomerDay,
    pub churned: bool,
}

impl OutcomeRow {
    /// What became of an account within the horizon, as backtests see it; none where it was no customer or nobody knows.
    pub(crate) fn of(account: &AccountId, customer: CustomerDay, tenure: &Tenure, horizon_days: u32) -> Option<Self> {
        let look = tenure.look(day_number(customer.day), horizon_days)?;
        let churned = look.left_after.is_some_and(|after| after <= horizon_days);
        Some(Self { account: account.as_str().to_owned(), customer, churned })
    }
}

/// Why nothing can be learnt.
#[derive(Debug, Clone, PartialEq, Error)]
pub(crate) enum TrainError {
    #[error(
        "{months} months have both signals of customers and a known outcome: at least one must lie \
         {horizon_days} days before the later third of them, on which the forecast is judged"
    )]
    TooFewMonths { months: usize, horizon_days: u32 },
    #[error(
        "{found} customers left: at least {needed} must have; churn is told by `Churn` signals or the lifecycle stage"
    )]
    TooFewChurned { found: u64, needed: u64 },
    #[error(
        "of the later months, on which the forecast is judged, {left} rows were followed by churn and {stayed} were not: \
         at least {JUDGED_ROWS_MIN} of each are needed"
    )]
    TooFewJudged { left: usize, stayed: usize },
    #[error("no input differs between customers")]
    NoInputs,
    #[error("from the {part} months: {}", fit_text(.error))]
    Fit { part: &'static str, error: FitError },
    #[error("the later months cannot be forecast: {0}")]
    Predict(#[from] PredictError),
}

fn fit_text(error: &FitError) -> String {
    match error {
        FitError::TooFewRows { found, needed } => format!("{found} rows: at least {needed} are needed"),
        FitError::TooFewCases { outcome, found, needed } => {
            let what = if *outcome { "followed by churn" } else { "not followed by churn" };
            format!("{found} rows {what}: at least {needed} are needed for so many inputs")
        }
        other => other.to_string(),
    }
}

/// Learns from customers of whom it is known whether they left, in any order.
pub(crate) fn train(
    health_model: &HealthModel,
    rows: &[OutcomeRow],
    horizon_days: u32,
) -> Result<ForecastDefinition, TrainError> {
    let (earlier, later) = split(rows, horizon_days)?;
    let all: Vec<&OutcomeRow> = rows.iter().collect();
    let training = counts(&all)?;
    if training.churned_accounts < CHURNED_ACCOUNTS_MIN {
        return Err(TrainError::TooFewChurned { found: training.churned_accounts, needed: CHURNED_ACCOUNTS_MIN });
    }
    let kinds = InputKind::all(health_model);
    let values = |kind: &InputKind, row: &OutcomeRow| {
        kind.value(health_model, &row.customer, row.customer.renewal_time(horizon_days))
    };
    let differs = |kind: &InputKind| {
        let mut known = earlier.iter().filter_map(|row| values(kind, row));
        known.next().is_some_and(|first| known.any(|value| (value - first).abs() > f64::EPSILON * first.abs()))
    };
    let (used, unused_inputs): (Vec<InputKind>, Vec<InputKind>) = kinds.into_iter().partition(differs);
    if used.is_empty() {
        return Err(TrainError::NoInputs);
    }
    let examples = |rows: &[&OutcomeRow]| -> Vec<Example> {
        let example = |row: &&OutcomeRow| Example {
            values: used.iter().map(|kind| values(kind, row)).collect(),
            outcome: row.churned,
        };
        rows.iter().map(example).collect()
    };
    let regression = LogisticRegression::new(used.iter().map(input).collect());
    let fit = |part: &'static str, examples: &[Example]| {
        regression.fit(examples).map_err(|error| TrainError::Fit { part, error })
    };
    let judged = fit("earlier", &examples(&earlier))?;
    let accuracy = judge(&judged, &examples(&later), counts(&earlier)?, counts(&later)?)?;
    let learnt = fit("all", &examples(&all))?;
    Ok(ForecastDefinition {
        horizon_days,
        intercept: learnt.intercept(),
        inputs: inputs(&learnt, used),
        unused_inputs,
        training,
        accuracy,
    })
}

fn input(kind: &InputKind) -> Input {
    if kind.is_indicator() { Input::partly_known_indicator(kind.id()) } else { Input::number(kind.id()) }
}

fn inputs(model: &LogisticModel, kinds: Vec<InputKind>) -> Vec<ForecastInput> {
    let of = |(kind, coefficient): (InputKind, mainstay_statistics::logistic::Coefficient)| ForecastInput {
        kind,
        per_unit: coefficient.per_unit,
        per_deviation: coefficient.per_deviation,
        mean: coefficient.mean,
        deviation: coefficient.deviation,
        substitute: coefficient.substitute,
        missing_share: coefficient.missing.share().unwrap_or(0.0),
    };
    kinds.into_iter().zip(model.coefficients()).map(of).collect()
}

/// The rows to learn from and those of the last months. What became of the former was known before the latter began: otherwise
/// the model would be judged on outcomes that it had seen.
fn split(rows: &[OutcomeRow], horizon_days: u32) -> Result<(Vec<&OutcomeRow>, Vec<&OutcomeRow>), TrainError> {
    let months: BTreeSet<NaiveDate> = rows.iter().map(|row| row.customer.day).collect();
    let too_few = TrainError::TooFewMonths { months: months.len(), horizon_days };
    let judged = (months.len() / MONTHS_FOR_ONE_JUDGED).max(1);
    let Some(first_judged) = months.iter().nth_back(judged - 1).copied() else { return Err(too_few) };
    let known_by = |row: &&OutcomeRow| {
        row.customer.day.checked_add_days(Days::new(horizon_days.into())).is_some_and(|known| known <= first_judged)
    };
    let earlier: Vec<&OutcomeRow> = rows.iter().filter(known_by).collect();
    let later = rows.iter().filter(|row| row.customer.day >= first_judged).collect();
    if earlier.is_empty() { Err(too_few) } else { Ok((earlier, later)) }
}

fn counts(rows: &[&OutcomeRow]) -> Result<RowCounts, TrainError> {
    let months = rows.iter().map(|row| row.customer.day);
    let (Some(first_month), Some(last_month)) = (months.clone().min(), months.max()) else {
        return Err(TrainError::TooFewMonths { months: 0, horizon_days: 0 });
    };
    let churned = || rows.iter().filter(|row| row.churned);
    let churned_accounts: BTreeSet<&str> = churned().map(|row| row.account.as_str()).collect();
    Ok(RowCounts {
        first_month,
        last_month,
        rows: rows.len() as u64,
        churned_rows: churned().count() as u64,
        churned_accounts: churned_accounts.len() as u64,
    })
}

fn judge(
    model: &LogisticModel,
    examples: &[Example],
    learnt_from: RowCounts,
    judged_on: RowCounts,
) -> Result<Accuracy, TrainError> {
    let left = examples.iter().filter(|example| example.outcome).count();
    let stayed = examples.len() - left;
    let too_few = TrainError::TooFewJudged { left, stayed };
    if left.min(stayed) < JUDGED_ROWS_MIN {
        return Err(too_few);
    }
    let forecasts = examples.iter().map(|example| model.forecast(example)).collect::<Result<Vec<Forecast>, _>>()?;
    let base_rate = learnt_from.churned_rows as f64 / learnt_from.rows as f64;
    let of_base_rate: Vec<Forecast> =
        examples.iter().filter_map(|example| Forecast::new(base_rate, example.outcome).ok()).collect();
    let cases: Vec<Case> = forecasts.iter().map(|forecast| Case::from(*forecast)).collect();
    let resamples = (BOOTSTRAP_STEPS_MAX / cases.len()).clamp(RESAMPLES_MIN, RESAMPLES);
    let interval = auc_interval(&cases, resamples, &mut StdRng::seed_from_u64(SEED));
    let figures = (auc(&cases), interval, brier(&forecasts), brier(&of_base_rate));
    let (Some(auc), Some(interval), Some(brier), Some(brier_of_base_rate)) = figures else { return Err(too_few) };
    let parts = reliability(&forecasts, Binning::Quantiles(RELIABILITY_PARTS));
    let part = |part: mainstay_statistics::classification::ReliabilityBin| {
        let Proportion { count, total } = part.observed;
        ReliabilityPart {
            mean_probability: part.mean_probability,
            rows: total,
            churned_rows: count,
            low: part.interval.low,
            high: part.interval.high,
        }
    };
    Ok(Accuracy {
        learnt_from,
        judged_on,
        auc,
        auc_low: interval.low,
        auc_high: interval.high,
        brier,
        brier_of_base_rate,
        reliability: parts.into_iter().map(part).collect(),
    })
}

#[cfg(test)]
mod tests;
