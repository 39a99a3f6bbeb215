//! Trying a regression on customers that it did not learn from.

use rand::Rng;

use super::error::{FitError, PredictError};
use super::fit::{Example, LogisticRegression};
use super::model::LogisticModel;
use crate::classification::Forecast;
use crate::folds::Folds;

impl LogisticRegression {
    /// What models that did not know them say of the examples: each of so many stratified folds is forecast by a model
    /// fitted to the others. The forecasts stand in the order of the examples. The same `random` gives the same ones.
    ///
    /// # Errors
    /// When the folds cannot be made, or a model cannot be fitted to the others: each has to reach the floors alone.
    pub fn cross_validate(
        &self,
        examples: &[Example],
        folds: usize,
        random: &mut impl Rng,
    ) -> Result<Vec<Forecast>, FitError> {
        let outcomes: Vec<bool> = examples.iter().map(|example| example.outcome).collect();
        let folds = Folds::stratified(&outcomes, folds, random)?;
        let models = (0..folds.count()).map(|fold| {
            let (learnt_from, _) = folds.split(fold);
            self.fit(&learnt_from.iter().map(|index| examples[*index].clone()).collect::<Vec<_>>())
        });
        let models = models.collect::<Result<Vec<LogisticModel>, FitError>>()?;
        let forecast = |(index, example): (usize, &Example)| {
            models[folds.fold_of()[index]].forecast(example).map_err(|error| match error {
                PredictError::ValueCount { found, expected } => FitError::ValueCount { index, found, expected },
                PredictError::UnusableInputs(inputs) => FitError::UnusableInputs(inputs),
            })
        };
        examples.iter().enumerate().map(forecast).collect()
    }
}
