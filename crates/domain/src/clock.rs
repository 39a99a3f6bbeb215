//! The only source of time.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, NaiveDate, NaiveTime, SubsecRound, TimeDelta, Utc};

/// Tells the time. PostgreSQL keeps microseconds, so that is what a clock gives:
/// a time that was stored compares equal to the one that was told.
pub trait Clock: Debug + Send + Sync {
    /// The time now, in whole microseconds.
    fn now(&self) -> DateTime<Utc>;

    /// The UTC day now.
    fn today(&self) -> NaiveDate {
        day_of(self.now())
    }
}

/// A clock as the parts of a service share it.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where ambient time enters")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// A clock that is turned by hand, for the demo and the tests. Clones share the time.
#[derive(Debug, Clone)]
pub struct ManualClock {
    now: Arc<Mutex<DateTime<Utc>>>,
}

impl ManualClock {
    /// A clock that stands at `start`.
    pub fn at(start: DateTime<Utc>) -> Self {
        Self { now: Arc::new(Mutex::new(start.trunc_subsecs(6))) }
    }

    /// Turns the clock to `time`.
    pub fn set(&self, time: DateTime<Utc>) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = time.trunc_subsecs(6);
    }

    /// Turns the clock on by `step`.
    pub fn advance(&self, step: TimeDelta) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now += step;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The UTC day of a time.
pub fn day_of(time: DateTime<Utc>) -> NaiveDate {
    time.date_naive()
}

/// Midnight UTC at which a day begins.
pub fn start_of_day(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_manual_clock_share_the_time() {
        let start = start_of_day(NaiveDate::from_ymd_opt(1997, 1, 1).expect("a day"));
        let clock = ManualClock::at(start);
        let other = clock.clone();
        clock.advance(TimeDelta::hours(25));
        assert_eq!(other.now(), start + TimeDelta::hours(25));
        assert_eq!(other.today(), NaiveDate::from_ymd_opt(1997, 1, 2).expect("a day"));
    }
}
