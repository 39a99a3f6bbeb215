//! How good scores and forecasts were, once it is known what happened.
//!
//! A [`Case`] has a score: the higher, the likelier the outcome (who scores health turns it round). What it is good for
//! is to put cases in order: [`auc`], [`average_precision`], [`Selection`]. A [`Forecast`] has a probability, which can
//! also be right or wrong as a number: [`brier`], [`log_loss`], [`reliability`].
//!
//! Cases with the same score are never told apart by their order in the data.

mod auc;
mod calibration;
mod clustered;
mod selection;
mod ties;

pub use auc::{AucDifference, PairedCase, RESAMPLES, auc, auc_difference, auc_interval};
pub use calibration::{Binning, PROBABILITY_MIN, ReliabilityBin, brier, log_loss, reliability};
pub use clustered::{Clustered, clustered_auc_difference, clustered_auc_interval};
pub use selection::{Selection, average_precision};

use thiserror::Error;

/// A score, and whether that of which it warns happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Case {
    score: f64,
    outcome: bool,
}

/// A probability, and whether that of which it was happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    pub(crate) probability: f64,
    pub(crate) outcome: bool,
}

/// A figure that cannot be judged.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum InvalidCase {
    /// A score that is infinite or no number.
    #[error("a score of {0}: give a finite number")]
    Score(f64),
    /// A probability outside of 0 to 1.
    #[error("a probability of {0}: it must lie between 0 and 1")]
    Probability(f64),
}

impl Case {
    /// A case with this score, the higher the likelier the outcome, and the outcome.
    ///
    /// # Errors
    /// When the score is not finite.
    pub fn new(score: f64, outcome: bool) -> Result<Self, InvalidCase> {
        // Adding 0 makes -0 the same score as 0.
        if score.is_finite() { Ok(Self { score: score + 0.0, outcome }) } else { Err(InvalidCase::Score(score)) }
    }

    /// The score; finite.
    pub fn score(self) -> f64 {
        self.score
    }

    /// Whether it happened.
    pub fn outcome(self) -> bool {
        self.outcome
    }
}

impl Forecast {
    /// A forecast with this probability, and the outcome.
    ///
    /// # Errors
    /// When the probability does not lie between 0 and 1.
    pub fn new(probability: f64, outcome: bool) -> Result<Self, InvalidCase> {
        if (0.0..=1.0).contains(&probability) {
            Ok(Self { probability: probability + 0.0, outcome })
        } else {
            Err(InvalidCase::Probability(probability))
        }
    }

    /// The probability, 0 to 1.
    pub fn probability(self) -> f64 {
        self.probability
    }

    /// Whether it happened.
    pub fn outcome(self) -> bool {
        self.outcome
    }
}

impl From<Forecast> for Case {
    fn from(forecast: Forecast) -> Self {
        Self { score: forecast.probability, outcome: forecast.outcome }
    }
}

#[cfg(test)]
mod examples {
    //! Cases with ties, of which scikit-learn knows the figures.

    use super::{Case, Forecast};

    const FORECASTS: [(f64, bool); 12] = [
        (0.9, true),
        (0.8, true),
        (0.8, false),
        (0.7, true),
        (0.6, true),
        (0.5, false),
        (0.5, true),
        (0.5, false),
        (0.3, false),
        (0.2, true),
        (0.1, false),
        (0.0, false),
    ];

    pub(super) fn forecasts() -> Vec<Forecast> {
        FORECASTS.iter().map(|(score, outcome)| Forecast::new(*score, *outcome).expect("valid")).collect()
    }

    pub(super) fn cases() -> Vec<Case> {
        forecasts().into_iter().map(Case::from).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_finite_and_probabilities_within_their_range() {
        for score in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(Case::new(score, true).is_err(), "{score}");
            assert!(Forecast::new(score, true).is_err(), "{score}");
        }
        for probability in [-0.001, 1.001] {
            assert_eq!(Forecast::new(probability, true), Err(InvalidCase::Probability(probability)));
        }
        assert!(Case::new(-7.5, false).is_ok_and(|case| case.score() < 0.0 && !case.outcome()));
    }
}
