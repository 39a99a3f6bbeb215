//! How long a failed job waits, and when it is given up.

use std::time::Duration;

use rand::{Rng, RngExt};

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
    /// The longest wait.
    pub cap: Duration,
    /// The share of the wait that is left to chance, 0 to 1.
    pub jitter: f64,
}

impl Default for RetryPolicy {
    /// Twelve attempts over about three hours: 5 s, doubling up to 30 min, a fifth left to chance.
    fn default() -> Self {
        Self {
            attempts_max: 12,
            base: Duration::from_secs(5),
            factor: 2.0,
            cap: Duration::from_secs(30 * 60),
            jitter: 0.2,
        }
    }
}

impl RetryPolicy {
    /// How long a job waits after its failure number `failures`, or `None` when it is dead.
    pub fn wait_after(&self, failures: u32, random: &mut impl Rng) -> Option<Duration> {
        if failures >= self.attempts_max.max(1) {
            return None;
        }
        let doublings = i32::try_from(failures.saturating_sub(1)).unwrap_or(i32::MAX);
        let grown = self.base.as_secs_f64() * self.factor.max(1.0).powi(doublings);
        let longest = grown.min(self.cap.as_secs_f64());
        let share = 1.0 - self.jitter.clamp(0.0, 1.0) * random.random::<f64>();
        Some(Duration::from_secs_f64(longest * share))
    }
}
