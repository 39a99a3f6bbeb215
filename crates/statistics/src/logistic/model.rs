//! What was learnt.

use mainstay_domain::Proportion;

use super::error::{PredictError, UnusableInput};
use super::fit::Example;
use super::input::Learnt;
use crate::classification::Forecast;

/// A fitted model.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticModel {
    inputs: Vec<Learnt>,
    /// By unit of scale of the inputs.
    weights: Vec<f64>,
    intercept: f64,
    examples: usize,
}

/// What one input does, all others being equal.
#[derive(Debug, Clone, PartialEq)]
pub struct Coefficient {
    /// The input's name.
    pub input: String,
    /// What a step of one unit of the input adds to the log-odds of the outcome.
    pub per_unit: f64,
    /// What a step of one standard deviation of the input adds to the log-odds. The larger, of whatever sign, the more
    /// the input tells: these can be compared, where `per_unit` depends on the unit.
    pub per_deviation: f64,
    /// The mean of the examples' values, with what stands for missing ones.
    pub mean: f64,
    /// Their standard deviation; above 0.
    pub deviation: f64,
    /// What stands for a missing value; none where it is refused.
    pub substitute: Option<f64>,
    /// How many of the examples had no value.
    pub missing: Proportion,
}

impl Coefficient {
    /// By what the odds of the outcome are multiplied for each unit of the input.
    pub fn odds_ratio_per_unit(&self) -> f64 {
        self.per_unit.exp()
    }

    /// By what the odds of the outcome are multiplied for each standard deviation of the input.
    pub fn odds_ratio_per_deviation(&self) -> f64 {
        self.per_deviation.exp()
    }
}

impl LogisticModel {
    pub(super) fn new(inputs: Vec<Learnt>, weights: Vec<f64>, intercept: f64, examples: usize) -> Self {
        Self { inputs, weights, intercept, examples }
    }

    /// How likely the outcome is with these values, 0 to 1; a value for each input, in their order.
    ///
    /// It holds for the span of time of the examples' outcomes, and for customers like them: of values far from theirs
    /// it is a guess.
    ///
    /// # Errors
    /// When there are too many or too few values, or one is missing that must not be, or one that no example could have.
    pub fn probability(&self, values: &[Option<f64>]) -> Result<f64, PredictError> {
        if values.len() != self.inputs.len() {
            return Err(PredictError::ValueCount { found: values.len(), expected: self.inputs.len() });
        }
        let mut row = Vec::with_capacity(values.len());
        let mut unusable = Vec::new();
        for (input, value) in self.inputs.iter().zip(values) {
            match input.scaled(*value) {
                Ok(scaled) => row.push(scaled),
                Err(fault) => unusable.push(UnusableInput { name: input.input.name.clone(), fault }),
            }
        }
        if !unusable.is_empty() {
            return Err(PredictError::UnusableInputs(unusable));
        }
        Ok(probability_of(self.intercept, &self.weights, &row))
    }

    /// The probability for a customer of whom it is known what happened, to be judged by
    /// [`classification`](crate::classification). It says something of the model only if it was not fitted to this one.
    ///
    /// # Errors
    /// As [`probability`](Self::probability).
    pub fn forecast(&self, example: &Example) -> Result<Forecast, PredictError> {
        Ok(Forecast { probability: self.probability(&example.values)?, outcome: example.outcome })
    }

    /// What each input does, in their order.
    pub fn coefficients(&self) -> Vec<Coefficient> {
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let of = |(input, weight): (&Learnt, &f64)| {
            let per_unit = weight / input.unit();
            Coefficient {
                input: input.input.name.clone(),
                per_unit,
                per_deviation: per_unit * input.deviation,
                mean: input.mean,
                deviation: input.deviation,
                substitute: input.substitute,
                missing: Proportion { count: count(input.missing), total: count(self.examples) },
            }
        };
        self.inputs.iter().zip(&self.weights).map(of).collect()
    }

    /// The log-odds of the outcome where each input is 0.
    pub fn intercept(&self) -> f64 {
        let shift = |(input, weight): (&Learnt, &f64)| weight * input.centre() / input.unit();
        self.intercept - self.inputs.iter().zip(&self.weights).map(shift).sum::<f64>()
    }

    /// The log-odds of the outcome where each standardised input is at its mean and each indicator is 0.
    pub fn intercept_at_means(&self) -> f64 {
        self.intercept
    }
}

/// The logistic function of the log-odds, without overflow for either sign.
pub(super) fn probability_of(intercept: f64, weights: &[f64], row: &[f64]) -> f64 {
    let log_odds = intercept + weights.iter().zip(row).map(|(weight, value)| weight * value).sum::<f64>();
    let small = (-log_odds.abs()).exp();
    if log_odds >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) }
}
