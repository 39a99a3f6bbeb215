//! How long a failed message waits, and when it is given up.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rand::{Rng, RngExt};

/// The waits after the first, second, … failure, as Standard Webhooks recommends; after the one that follows the last of
/// them a message is dead: about 75 h after its first attempt.
pub const RETRY_WAITS: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(14),
    Duration::from_hours(20),
    Duration::from_hours(24),
];

/// How often a message is tried before it is dead.
pub const ATTEMPTS_MAX: i32 = 10;

/// The share of a wait that is left to chance, so that messages which failed together do not come back together.
const JITTER: f64 = 0.2;

/// The longest that a receiver's `Retry-After` may ask for.
const RETRY_AFTER_MAX: TimeDelta = TimeDelta::hours(24);

/// When a message is tried again after its failure number `failures` (counted from 1), or `None` when it is dead.
///
/// The wait is that of [`RETRY_WAITS`], shortened by up to a fifth by chance. A receiver that asks for a longer one
/// (`retry_after`) gets it, up to 24 h.
pub(crate) fn next_attempt(
    failures: i32,
    now: DateTime<Utc>,
    retry_after: Option<TimeDelta>,
    random: &mut impl Rng,
) -> Option<DateTime<Utc>> {
    let index = usize::try_from(failures.max(1) - 1).unwrap_or(usize::MAX);
    let wait = RETRY_WAITS.get(index)?.mul_f64(1.0 - JITTER * random.random::<f64>());
    let wait = TimeDelta::from_std(wait).unwrap_or(RETRY_AFTER_MAX);
    let asked = retry_after.map_or(TimeDelta::zero(), |asked| asked.min(RETRY_AFTER_MAX));
    Some(now + wait.max(asked))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn wait(failures: i32, retry_after: Option<TimeDelta>, seed: u64) -> Option<TimeDelta> {
        next_attempt(failures, NOW, retry_after, &mut StdRng::seed_from_u64(seed)).map(|at| at - NOW)
    }

    #[test]
    fn the_tenth_failure_is_the_last() {
        assert!(wait(ATTEMPTS_MAX - 1, None, 1).is_some());
        assert_eq!(wait(ATTEMPTS_MAX, None, 1), None);
        assert_eq!(wait(i32::MAX, Some(TimeDelta::seconds(1)), 1), None);
    }

    #[test]
    fn a_receiver_is_waited_for_up_to_a_day() {
        assert_eq!(wait(1, Some(TimeDelta::seconds(90)), 1), Some(TimeDelta::seconds(90)));
        assert_eq!(wait(1, Some(TimeDelta::days(40)), 1), Some(TimeDelta::hours(24)));
        assert_eq!(wait(2, Some(TimeDelta::seconds(-9)), 1), wait(2, None, 1));
    }

    proptest! {
        #[test]
        fn a_wait_is_never_longer_than_its_step_nor_shorter_than_four_fifths(failures in 1..ATTEMPTS_MAX, seed: u64) {
            let step = RETRY_WAITS[usize::try_from(failures - 1).expect("small")].as_secs_f64();
            let waited = wait(failures, None, seed).expect("not the last").as_seconds_f64();
            prop_assert!(waited <= step && waited >= step * 0.8 - 1e-3);
        }
    }
}
