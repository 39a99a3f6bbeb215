//! How long customers stay, of whom most have not left yet.
//!
//! Whoever is still there has been seen for so long and no longer: the observation is censored. [`KaplanMeier`] uses
//! what is known of them until then, where a plain share of those who left would count them as staying for ever.
//! [`log_rank`] asks whether groups differ in it, [`stratified_log_rank`] whether they do among customers that are alike.
//!
//! It holds only when being censored says nothing of leaving: customers who drop out of sight because they are about
//! to leave make any curve too good.

mod chi_squared;
mod kaplan_meier;
mod log_rank;
mod stratified;

pub use kaplan_meier::{KaplanMeier, Step};
pub use log_rank::{GroupOutcome, LogRank, LogRankError, log_rank};
pub use stratified::stratified_log_rank;

use thiserror::Error;

/// How long one customer was seen, and whether that ended with leaving.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    duration: f64,
    ended: bool,
}

/// A duration that none can be.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[error("a duration of {0}: give a finite number that is not negative")]
pub struct InvalidDuration(pub f64);

impl Observation {
    /// A customer seen for `duration`, in any unit that is the same for all, who then left (`ended`) or was still
    /// there.
    ///
    /// # Errors
    /// When the duration is negative or not finite.
    pub fn new(duration: f64, ended: bool) -> Result<Self, InvalidDuration> {
        if duration.is_finite() && duration >= 0.0 {
            // Adding 0 makes -0 the same time as 0.
            Ok(Self { duration: duration + 0.0, ended })
        } else {
            Err(InvalidDuration(duration))
        }
    }

    /// How long the customer was seen; finite, not negative.
    pub fn duration(self) -> f64 {
        self.duration
    }

    /// Whether the customer left then; otherwise nothing is known of later.
    pub fn ended(self) -> bool {
        self.ended
    }
}

#[cfg(test)]
mod leukaemia {
    //! Weeks of remission of 42 children under 6-mercaptopurine or a placebo (Freireich et al. 1963), the example of
    //! the textbooks.

    use super::Observation;

    fn observations(weeks: &[(u32, bool)]) -> Vec<Observation> {
        weeks.iter().map(|(week, ended)| Observation::new(f64::from(*week), *ended).expect("valid")).collect()
    }

    pub(super) fn treated() -> Vec<Observation> {
        let ended = [6, 6, 6, 7, 10, 13, 16, 22, 23].map(|week| (week, true));
        let censored = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35].map(|week| (week, false));
        observations(&[ended.as_slice(), censored.as_slice()].concat())
    }

    pub(super) fn untreated() -> Vec<Observation> {
        observations(&[1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23].map(|week| (week, true)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_finite_and_not_negative() {
        for duration in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(Observation::new(duration, true).is_err(), "{duration}");
        }
        let now = Observation::new(-0.0, true).expect("valid");
        assert!(now.duration().is_sign_positive() && now.ended());
    }
}
