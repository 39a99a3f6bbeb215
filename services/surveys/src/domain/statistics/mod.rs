//! Figures of answers with what is known of their uncertainty.

mod normal;
mod nps;
mod standing;

pub use nps::{ChangeVerdict, NpsChange, NpsCounts, SIGNIFICANCE, nps_change};
pub use standing::{Standing, standing};
