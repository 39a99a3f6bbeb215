//! What a model is told of a customer, and how it becomes numbers that can be compared.

use super::error::InputFault;
use crate::quantile;

/// Deviations below this share of the largest value are rounding: the values are one value.
const DEVIATION_MIN: f64 = 1e-12;

/// One of the numbers from which a model learns.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// What it is called in reports and errors.
    pub name: String,
    /// How its values become comparable with those of other inputs.
    pub scale: Scale,
    /// What stands for a value that is missing.
    pub missing: Missing,
}

/// How an input's values become comparable with those of others, so that the penalty is fair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Less their mean, over their standard deviation (of the examples, with `n` below the fraction).
    Standardised,
    /// As they are, 0 to 1: for the 0 and 1 of a category. A rare one is then penalised more than when standardised.
    Indicator,
}

/// What stands for a value that is missing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Missing {
    /// The median of the examples' known values.
    Median,
    /// Their mean: where a value is missing more often of one outcome, that alone teaches nothing.
    Mean,
    /// This value.
    Value(f64),
    /// Nothing: examples without the value are refused, and so are customers.
    Refused,
}

impl Input {
    /// A number, standardised, with the median in place of missing values.
    pub fn number(name: impl Into<String>) -> Self {
        Self { name: name.into(), scale: Scale::Standardised, missing: Missing::Median }
    }

    /// Whether a customer is of a category: 1 or 0, and never missing (what is not known can be a category).
    pub fn indicator(name: impl Into<String>) -> Self {
        Self { name: name.into(), scale: Scale::Indicator, missing: Missing::Refused }
    }

    /// The same, where it is not known of some: for them stands the share of the others that are of the category.
    pub fn partly_known_indicator(name: impl Into<String>) -> Self {
        Self { missing: Missing::Mean, ..Self::indicator(name) }
    }
}

/// An input as it was in the examples.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Learnt {
    pub(super) input: Input,
    /// What stands for a missing value, where one may be missing.
    pub(super) substitute: Option<f64>,
    /// How many examples had no value.
    pub(super) missing: usize,
    /// Of the examples' values, with what stands for missing ones.
    pub(super) mean: f64,
    /// As `mean`; above 0.
    pub(super) deviation: f64,
}

impl Learnt {
    /// Looks at the examples' values of an input.
    pub(super) fn from_examples(input: &Input, values: &[Option<f64>]) -> Result<Self, InputFault> {
        let known: Vec<f64> = values.iter().flatten().copied().collect();
        let missing = values.len() - known.len();
        let substitute = match input.missing {
            Missing::Median => Some(median(known).ok_or(InputFault::Constant)?),
            Missing::Mean => Some(mean(&known).ok_or(InputFault::Constant)?),
            Missing::Value(value) => Some(value),
            Missing::Refused => None,
        };
        let mut learnt = Self { input: input.clone(), substitute, missing, mean: 0.0, deviation: 1.0 };
        let values: Vec<f64> = values.iter().map(|value| learnt.value(*value)).collect::<Result<_, _>>()?;
        learnt.mean = mean(&values).ok_or(InputFault::Constant)?;
        let squares: Vec<f64> = values.iter().map(|value| (value - learnt.mean).powi(2)).collect();
        learnt.deviation = mean(&squares).unwrap_or_default().sqrt();
        let largest = values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
        if !learnt.deviation.is_finite() {
            Err(InputFault::NotFinite)
        } else if learnt.deviation <= DEVIATION_MIN * largest {
            Err(InputFault::Constant)
        } else {
            Ok(learnt)
        }
    }

    /// What is taken from a value to scale it.
    pub(super) fn centre(&self) -> f64 {
        match self.input.scale {
            Scale::Standardised => self.mean,
            Scale::Indicator => 0.0,
        }
    }

    /// What a value is divided by to scale it.
    pub(super) fn unit(&self) -> f64 {
        match self.input.scale {
            Scale::Standardised => self.deviation,
            Scale::Indicator => 1.0,
        }
    }

    /// The value that the regression sees.
    pub(super) fn scaled(&self, value: Option<f64>) -> Result<f64, InputFault> {
        Ok((self.value(value)? - self.centre()) / self.unit())
    }

    fn value(&self, value: Option<f64>) -> Result<f64, InputFault> {
        let value = value.or(self.substitute).ok_or(InputFault::Missing)?;
        if !value.is_finite() {
            Err(InputFault::NotFinite)
        } else if self.input.scale == Scale::Indicator && !(0.0..=1.0).contains(&value) {
            Err(InputFault::OutOfRange)
        } else {
            Ok(value)
        }
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The middle value, or the mean of both middle ones.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    quantile(&values, 0.5)
}
