//! How likely each customer is to leave, learnt from those of whom it is known: logistic regression with an L2 penalty.
//!
//! It minimises `½ Σ wⱼ² + C Σ log loss` over standardised inputs, without a penalty on the intercept: what
//! scikit-learn's `LogisticRegression(C=C)` does after a `StandardScaler`. So on the data it learnt from the mean
//! probability is the share that left, and the smaller `C`, the nearer to 0 are the coefficients. Whether also the
//! likely and the unlikely ones leave as often as it says depends on whether log-odds are a sum of the inputs: that is
//! what [`reliability`](crate::classification::reliability) shows, and a probability is not to be shown without it.
//!
//! It refuses to learn from too little ([`ROWS_MIN`], [`CASES_PER_INPUT_MIN`]): a probability is shown as if it were
//! known. How good the probabilities are is asked of customers that it did not learn from, by
//! [`LogisticRegression::cross_validate`] or, better, of a later time, with [`classification`](crate::classification).
//!
//! The minimum is found by the crate `smartcore`, and checked here (`docs/adr/0022-logistic-regression.md`).

mod error;
mod fit;
mod input;
mod model;
mod validation;

pub use error::{FitError, InputFault, PredictError, UnusableInput};
pub use fit::{
    CASES_PER_INPUT_MIN, Example, GRADIENT_MAX, INVERSE_PENALTY_DEFAULT, INVERSE_PENALTY_MAX, INVERSE_PENALTY_MIN,
    LogisticRegression, ROWS_MIN,
};
pub use input::{Input, Missing, Scale};
pub use model::{Coefficient, LogisticModel};

#[cfg(test)]
mod tests;
