//! Why nothing can be learnt, or said.

use std::fmt;

use thiserror::Error;

use super::fit::{INVERSE_PENALTY_MAX, INVERSE_PENALTY_MIN};
use crate::folds::FoldError;

/// Why no model can be fitted.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum FitError {
    /// There is no input to learn from.
    #[error("there is no input: name one at least")]
    NoInputs,
    /// `C` outside of its range.
    #[error("an inverse penalty of {0}: it must lie between {INVERSE_PENALTY_MIN} and {INVERSE_PENALTY_MAX}")]
    InversePenalty(f64),
    /// An example with too many or too few values.
    #[error("example {index} has {found} values for {expected} inputs")]
    ValueCount {
        /// Which example, counted from 0.
        index: usize,
        /// How many values it has.
        found: usize,
        /// How many inputs there are.
        expected: usize,
    },
    /// Too few examples in all.
    #[error("{found} examples: at least {needed} are needed")]
    TooFewRows {
        /// How many there are.
        found: usize,
        /// How many it takes.
        needed: usize,
    },
    /// Too few examples of the rarer outcome, for so many inputs.
    #[error("{found} examples with the outcome `{outcome}`: at least {needed} are needed for so many inputs")]
    TooFewCases {
        /// The rarer outcome.
        outcome: bool,
        /// How many had it.
        found: usize,
        /// How many it takes.
        needed: usize,
    },
    /// Inputs from which nothing can be learnt, all of them.
    #[error("unusable inputs: {}", listed(.0))]
    UnusableInputs(Vec<UnusableInput>),
    /// The cases cannot be parted for cross-validation.
    #[error(transparent)]
    Folds(#[from] FoldError),
    /// The search ended before it reached the minimum.
    #[error("the fit did not converge: give the inputs a stronger penalty, or leave out those that say the same")]
    DidNotConverge,
}

/// Why a model says nothing of a customer.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum PredictError {
    /// Too many or too few values.
    #[error("{found} values for {expected} inputs")]
    ValueCount {
        /// How many values there are.
        found: usize,
        /// How many inputs the model has.
        expected: usize,
    },
    /// Values that the inputs do not take, all of them.
    #[error("unusable inputs: {}", listed(.0))]
    UnusableInputs(Vec<UnusableInput>),
}

/// An input that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableInput {
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub fault: InputFault,
}

/// What is wrong with an input's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InputFault {
    /// A value is infinite, no number, or so large that its square is.
    #[error("a value is not finite, or too large")]
    NotFinite,
    /// A value is missing, of an input that refuses it.
    #[error("a value is missing")]
    Missing,
    /// A value of an indicator lies outside of 0 to 1.
    #[error("a value of an indicator lies outside of 0 to 1")]
    OutOfRange,
    /// All values are the same, or none is known.
    #[error("all values are the same, or none is known")]
    Constant,
}

impl fmt::Display for UnusableInput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` ({})", self.name, self.fault)
    }
}

fn listed(inputs: &[UnusableInput]) -> String {
    inputs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
