//! Statistics of who stays and who leaves.
//!
//! | module | what it answers |
//! |---|---|
//! | [`survival`] | how many are still there after so long, while most have not left yet; whether groups differ |
//! | [`logistic`] | how likely each one is to leave, learnt from those of whom it is known |
//! | [`classification`] | how good scores and forecasts were, once it is known who left |
//! | [`lead_time`] | how long before somebody left the warning was there |
//! | [`combination`] | how sure a sum or difference of figures is that each have an interval |
//! | [`many_tests`] | which of many tests say more than chance does |
//! | [`quantile()`] | below which value a share of a sample lies |
//! | [`folds`] | which cases to learn from and which to try it on |
//!
//! Everything here is pure: no I/O and no clock. Randomness is handed in, so the same seed gives the same figures.
//! Figures are checked against those of scikit-learn and lifelines on real customers, in `tests/`.

pub mod classification;
pub mod combination;
pub mod folds;
pub mod lead_time;
pub mod logistic;
pub mod many_tests;
pub mod survival;

mod quantile;

pub use quantile::quantile;

#[cfg(test)]
mod assertions;
