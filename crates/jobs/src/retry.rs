//! How long a failed job waits, and when it is given up.

use std::time::Duration;

use chrono::TimeDelta;
use rand::{Rng, RngExt};

/// The longest wait, whatever a policy says.
const WAIT_MAX: TimeDelta = TimeDelta::days(30);

/// Exponential backoff with jitter and a bound on attempts.
///
/// After the `n`-th failure (counted from 1) a job waits
/// `min(cap, base × factor^(n − 1)) × (1 − jitter × u)` with `u` drawn evenly from 0 to 1, so that
/// jobs which failed together do not come back together. The failure that makes `attempts_max`
/// leaves the job dead.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    /// The number of failures after which a job is dead; 0 counts as 1.
    pub attempts_max: u32,
    /// The wait after the first failure.
    pub base: Duration,
    /// By how much each wait is longer than the one before; below 1 counts as 1.
    pub factor: f64,
    /// The longest wait; more than 30 days count as 30 days.
    pub cap: Duration,
    /// The share of the wait that is left to chance, 0 to 1.
    pub jitter: f64,
}

impl Default for RetryPolicy {
    /// Twelve attempts over about three hours: 5 s, doubling up to 30 min, a fifth left to chance.
    fn default() -> Self {
        Self { attempts_max: 12, base: Duration::from_secs(5), factor: 2.0, cap: Duration::from_mins(30), jitter: 0.2 }
    }
}

impl RetryPolicy {
    /// How long a job waits after its failure number `failures`, or `None` when it is dead.
    pub fn wait_after(&self, failures: u32, random: &mut impl Rng) -> Option<TimeDelta> {
        if failures >= self.attempts_max.max(1) {
            return None;
        }
        let doublings = i32::try_from(failures.saturating_sub(1)).unwrap_or(i32::MAX);
        let grown = self.base.as_secs_f64() * self.factor.max(1.0).powi(doublings);
        let longest = grown.min(self.cap.as_secs_f64());
        let share = 1.0 - self.jitter.clamp(0.0, 1.0) * random.random::<f64>();
        let wait = Duration::try_from_secs_f64(longest * share).unwrap_or(self.cap);
        Some(TimeDelta::from_std(wait).map_or(WAIT_MAX, |wait| wait.min(WAIT_MAX)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn without_jitter() -> RetryPolicy {
        RetryPolicy { jitter: 0.0, ..RetryPolicy::default() }
    }

    #[test]
    fn waits_double_up_to_the_cap_and_then_the_job_is_dead() {
        let policy = without_jitter();
        let mut random = StdRng::seed_from_u64(1);
        let seconds: Vec<Option<i64>> =
            (1..=12).map(|failures| policy.wait_after(failures, &mut random).map(|wait| wait.num_seconds())).collect();
        let expected = [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1800, 1800].map(Some);
        assert_eq!(seconds[..11], expected);
        assert_eq!(seconds[11], None);
    }

    #[test]
    fn the_same_randomness_gives_the_same_waits() {
        let waits = |seed| {
            let mut random = StdRng::seed_from_u64(seed);
            (1..9).map(|failures| RetryPolicy::default().wait_after(failures, &mut random)).collect::<Vec<_>>()
        };
        assert_eq!(waits(7), waits(7));
        assert_ne!(waits(7), waits(8));
    }

    proptest! {
        #[test]
        fn a_wait_stays_between_what_jitter_leaves_and_the_cap(
            failures in 1u32..2_000, factor in 0.5f64..1e3, jitter in -1.0f64..2.0, cap in 1u64..10_000_000, seed: u64,
        ) {
            let policy = RetryPolicy { attempts_max: u32::MAX, base: Duration::from_secs(1), factor, cap: Duration::from_secs(cap), jitter };
            let wait = policy.wait_after(failures, &mut StdRng::seed_from_u64(seed)).expect("not the last attempt");
            prop_assert!(wait >= TimeDelta::zero());
            prop_assert!(wait <= TimeDelta::seconds(i64::try_from(cap).expect("small")).min(WAIT_MAX));
            let longest = RetryPolicy { jitter: 0.0, ..policy }.wait_after(failures, &mut StdRng::seed_from_u64(seed)).expect("not the last attempt");
            let least = longest.as_seconds_f64() * (1.0 - jitter.clamp(0.0, 1.0));
            prop_assert!(wait.as_seconds_f64() >= least - 1e-6 || longest == WAIT_MAX);
        }
    }
}
