//! Learning from examples.

use smartcore::linalg::basic::arrays::Array;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linear::logistic_regression::{
    LogisticRegression as Search, LogisticRegressionParameters as SearchParameters,
};

use super::error::{FitError, InputFault, UnusableInput};
use super::input::{Input, Learnt};
use super::model::{LogisticModel, probability_of};

/// How many examples it takes: with fewer, not even the overall share that leaves is known to within 0.1
/// (`1.96² × ¼ / 0.1²`, the first criterion of Riley et al. 2020, BMJ 368:m441).
pub const ROWS_MIN: usize = 97;

/// How many examples of the rarer outcome it takes for each input: with fewer, coefficients come out far too large or
/// with the wrong sign (Peduzzi et al. 1996, J Clin Epidemiol 49:1373). The penalty makes that milder, so this is on
/// the safe side, and no promise that so many are enough: that the model is good is shown by other customers only.
pub const CASES_PER_INPUT_MIN: usize = 10;

/// `C` unless told otherwise, as in scikit-learn.
pub const INVERSE_PENALTY_DEFAULT: f64 = 1.0;
/// The least `C`: below, nothing but the overall share is learnt.
pub const INVERSE_PENALTY_MIN: f64 = 1e-4;
/// The greatest `C`: above, an input that tells all customers apart would get a coefficient without bound.
pub const INVERSE_PENALTY_MAX: f64 = 1e4;

/// How far the largest part of the gradient, divided by the number of examples, may be from 0 at what counts as the
/// minimum: a hundredth of what scikit-learn is content with.
pub const GRADIENT_MAX: f64 = 1e-6;

/// A customer of whom it is known what happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// A value for each input, in their order, from before it was known; none where it is missing.
    pub values: Vec<Option<f64>>,
    /// What happened.
    pub outcome: bool,
}

/// What is to be learnt from: the inputs, and how strongly their coefficients are held near 0.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticRegression {
    inputs: Vec<Input>,
    inverse_penalty: f64,
}

impl LogisticRegression {
    /// A regression on these inputs with `C` at [`INVERSE_PENALTY_DEFAULT`].
    pub fn new(inputs: Vec<Input>) -> Self {
        Self { inputs, inverse_penalty: INVERSE_PENALTY_DEFAULT }
    }

    /// The same with another `C`, from [`INVERSE_PENALTY_MIN`] to [`INVERSE_PENALTY_MAX`]: the smaller, the nearer to 0
    /// are the coefficients.
    #[must_use]
    pub fn with_inverse_penalty(mut self, inverse_penalty: f64) -> Self {
        self.inverse_penalty = inverse_penalty;
        self
    }

    /// Learns from examples. The same examples give the same model.
    ///
    /// # Errors
    /// When the examples are too few, or an input cannot be used, or the minimum is not reached.
    pub fn fit(&self, examples: &[Example]) -> Result<LogisticModel, FitError> {
        self.check(examples)?;
        let learnt = self.learn_inputs(examples)?;
        let rows = scaled_rows(&learnt, examples)?;
        let penalty = 1.0 / self.inverse_penalty;
        let (intercept, weights) = search(&rows, examples, penalty).ok_or(FitError::DidNotConverge)?;
        let largest = gradient(&rows, examples, intercept, &weights, penalty)
            .into_iter()
            .fold(0.0, |largest: f64, part| if part.is_nan() { f64::INFINITY } else { largest.max(part.abs()) });
        if largest > GRADIENT_MAX * examples.len() as f64 {
            return Err(FitError::DidNotConverge);
        }
        Ok(LogisticModel::new(learnt, weights, intercept, examples.len()))
    }

    fn check(&self, examples: &[Example]) -> Result<(), FitError> {
        let expected = self.inputs.len();
        if expected == 0 {
            return Err(FitError::NoInputs);
        }
        if !(INVERSE_PENALTY_MIN..=INVERSE_PENALTY_MAX).contains(&self.inverse_penalty) {
            return Err(FitError::InversePenalty(self.inverse_penalty));
        }
        if let Some(index) = examples.iter().position(|example| example.values.len() != expected) {
            return Err(FitError::ValueCount { index, found: examples[index].values.len(), expected });
        }
        if examples.len() < ROWS_MIN {
            return Err(FitError::TooFewRows { found: examples.len(), needed: ROWS_MIN });
        }
        let with = examples.iter().filter(|example| example.outcome).count();
        let outcome = with <= examples.len() - with;
        let found = if outcome { with } else { examples.len() - with };
        let needed = CASES_PER_INPUT_MIN * expected;
        if found < needed { Err(FitError::TooFewCases { outcome, found, needed }) } else { Ok(()) }
    }

    fn learn_inputs(&self, examples: &[Example]) -> Result<Vec<Learnt>, FitError> {
        let mut learnt = Vec::new();
        let mut unusable = Vec::new();
        for (column, input) in self.inputs.iter().enumerate() {
            let values: Vec<Option<f64>> = examples.iter().map(|example| example.values[column]).collect();
            match Learnt::from_examples(input, &values) {
                Ok(one) => learnt.push(one),
                Err(fault) => unusable.push(UnusableInput { name: input.name.clone(), fault }),
            }
        }
        if unusable.is_empty() { Ok(learnt) } else { Err(FitError::UnusableInputs(unusable)) }
    }
}

fn scaled_rows(learnt: &[Learnt], examples: &[Example]) -> Result<Vec<Vec<f64>>, FitError> {
    let scale = |(input, value): (&Learnt, &Option<f64>)| {
        let unusable = |fault: InputFault| UnusableInput { name: input.input.name.clone(), fault };
        input.scaled(*value).map_err(|fault| FitError::UnusableInputs(vec![unusable(fault)]))
    };
    examples.iter().map(|example| learnt.iter().zip(&example.values).map(scale).collect()).collect()
}

/// The intercept and the weights at which the search ended, which need not be the minimum.
fn search(rows: &[Vec<f64>], examples: &[Example], penalty: f64) -> Option<(f64, Vec<f64>)> {
    let columns = rows.first()?.len();
    let matrix = DenseMatrix::new(rows.len(), columns, rows.concat(), false).ok()?;
    let outcomes: Vec<u32> = examples.iter().map(|example| u32::from(example.outcome)).collect();
    let parameters = SearchParameters::default().with_alpha(penalty);
    let found = Search::fit(&matrix, &outcomes, parameters).ok()?;
    let weights = (0..columns).map(|column| *found.coefficients().get((0, column))).collect();
    Some((*found.intercept().get((0, 0)), weights))
}

/// The gradient of `½ penalty Σ wⱼ² + Σ log loss`, that of the intercept first: all 0 at the minimum and only there, as
/// the function is strictly convex.
fn gradient(rows: &[Vec<f64>], examples: &[Example], intercept: f64, weights: &[f64], penalty: f64) -> Vec<f64> {
    let mut parts = vec![0.0];
    parts.extend(weights.iter().map(|weight| penalty * weight));
    for (row, example) in rows.iter().zip(examples) {
        let error = probability_of(intercept, weights, row) - f64::from(u8::from(example.outcome));
        parts[0] += error;
        for (part, value) in parts[1..].iter_mut().zip(row) {
            *part += error * value;
        }
    }
    parts
}
