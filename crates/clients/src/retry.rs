//! Repeating calls, where that is safe.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tonic::{Code, Status};
use tonic_types::StatusExt;
use tracing::debug;

/// How often and at which distance a call is repeated.
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    /// How often the call is made at most, the first time included.
    pub attempts_max: u32,
    /// Longest pause after the first attempt; it doubles with each further one.
    pub first_pause_max: Duration,
    /// Longest pause between two attempts.
    pub pause_max: Duration,
    /// A server that asks for a longer pause than this (`RetryInfo`) is not waited for.
    pub asked_pause_max: Duration,
    random: Arc<Mutex<StdRng>>,
}

impl RetryPolicy {
    /// Five attempts, pauses up to 100 ms, 200 ms, 400 ms and 800 ms; waits for a
    /// server that asks for up to 30 s. Randomness from the operating system.
    pub fn new() -> Self {
        let random = StdRng::try_from_rng(&mut rand::rngs::SysRng).unwrap_or_else(|_| StdRng::seed_from_u64(0));
        Self::with_random(random)
    }

    /// As [`RetryPolicy::new`], with pauses that come out the same for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self::with_random(StdRng::seed_from_u64(seed))
    }

    fn with_random(random: StdRng) -> Self {
        Self {
            attempts_max: 5,
            first_pause_max: Duration::from_millis(100),
            pause_max: Duration::from_secs(5),
            asked_pause_max: Duration::from_secs(30),
            random: Arc::new(Mutex::new(random)),
        }
    }

    /// How long to wait after a failed attempt, counted from 1. `None`: do not
    /// try again, because the failure is not of the kind that passes
    /// (`UNAVAILABLE`), the attempts are used up, or the server asks for more
    /// patience than there is.
    ///
    /// The pause is "full jitter": evenly drawn between 0 and the doubled bound
    /// (M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog,
    /// 2015), added to what the server asks for, so that callers which were
    /// turned away together do not come back together.
    pub fn pause_after(&self, attempt: u32, status: &Status) -> Option<Duration> {
        if status.code() != Code::Unavailable || attempt >= self.attempts_max {
            return None;
        }
        let asked = status.get_details_retry_info().and_then(|info| info.retry_delay).unwrap_or_default();
        if asked > self.asked_pause_max {
            return None;
        }
        let doubled =
            self.first_pause_max.saturating_mul(1u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX));
        let bound = doubled.min(self.pause_max);
        let share: f64 = self.random.lock().unwrap_or_else(PoisonError::into_inner).random();
        Some(asked + bound.mul_f64(share))
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::new()
    }
}

/// Makes a call, and makes it again while it fails with `UNAVAILABLE`.
///
/// Only for what may be repeated: methods that change nothing
/// (`idempotency_level = NO_SIDE_EFFECTS` in the proto), and requests that carry
/// a `request_id` and are sent again unchanged. Only one layer repeats: nothing
/// below this function does.
pub async fn retrying<T>(policy: &RetryPolicy, mut call: impl AsyncFnMut() -> Result<T, Status>) -> Result<T, Status> {
    let mut attempt = 1;
    loop {
        let status = match call().await {
            Ok(answer) => return Ok(answer),
            Err(status) => status,
        };
        let Some(pause) = policy.pause_after(attempt, &status) else { return Err(status) };
        debug!(attempt, pause_ms = pause.as_millis(), message = status.message(), "call failed and is made again");
        tokio::time::sleep(pause).await;
        attempt += 1;
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    fn asking_for(pause: Duration) -> Status {
        Status::with_error_details(Code::Unavailable, "later", ErrorDetails::with_retry_info(Some(pause)))
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_passes_in_time_succeeds() {
        let mut calls = 0;
        let answer = retrying(&RetryPolicy::seeded(1), async || {
            calls += 1;
            if calls < 5 { Err(Status::unavailable("starting")) } else { Ok(calls) }
        })
        .await;
        assert_eq!(answer.expect("the fifth attempt"), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn five_attempts_are_the_most() {
        let mut calls = 0;
        let answer: Result<(), Status> = retrying(&RetryPolicy::seeded(1), async || {
            calls += 1;
            Err(Status::unavailable("gone"))
        })
        .await;
        assert_eq!(answer.expect_err("never up").message(), "gone");
        assert_eq!(calls, 5);
    }

    #[tokio::test(start_paused = true)]
    async fn only_unavailable_is_repeated() {
        for code in [Code::Aborted, Code::ResourceExhausted, Code::DeadlineExceeded, Code::Internal, Code::Unknown] {
            let mut calls = 0;
            let answer: Result<(), Status> = retrying(&RetryPolicy::seeded(1), async || {
                calls += 1;
                Err(Status::new(code, "no"))
            })
            .await;
            assert_eq!((answer.expect_err("refused").code(), calls), (code, 1));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_the_server_asks_for_is_kept() {
        let started = tokio::time::Instant::now();
        let mut calls = 0;
        retrying(&RetryPolicy::seeded(1), async || {
            calls += 1;
            if calls == 1 { Err(asking_for(Duration::from_secs(3))) } else { Ok(()) }
        })
        .await
        .expect("the second attempt");
        let waited = started.elapsed();
        assert!(waited >= Duration::from_secs(3) && waited < Duration::from_millis(3_200), "{waited:?}");
    }

    #[test]
    fn pauses_grow_within_their_bounds_and_differ() {
        let policy = RetryPolicy::seeded(7);
        let failed = Status::unavailable("gone");
        for (attempt, bound_ms) in [(1, 100), (2, 200), (3, 400), (4, 800)] {
            let pauses: Vec<_> = (0..50).filter_map(|_| policy.pause_after(attempt, &failed)).collect();
            assert!(pauses.iter().all(|pause| *pause <= Duration::from_millis(bound_ms)));
            assert!(pauses.iter().max() > pauses.iter().min());
            assert!(*pauses.iter().max().expect("some") > Duration::from_millis(bound_ms / 2));
        }
        assert_eq!(policy.pause_after(5, &failed), None);
        assert_eq!(policy.pause_after(1, &asking_for(Duration::from_secs(31))), None);
    }
}
