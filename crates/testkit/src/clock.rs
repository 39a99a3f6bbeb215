//! The clock that tests turn.

use chrono::{DateTime, Utc};
use mainstay_domain::ManualClock;

/// A clock that stands at a time written as in RFC 3339, for example
/// `1997-01-01T00:00:00Z`. Panics when `text` is not such a time.
#[track_caller]
pub fn manual_clock(text: &str) -> ManualClock {
    match text.parse::<DateTime<Utc>>() {
        Ok(start) => ManualClock::at(start),
        Err(error) => panic!("`{text}` is not a time such as 1997-01-01T00:00:00Z: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use mainstay_domain::Clock;

    use super::*;

    #[test]
    fn stands_at_the_time_that_was_written() {
        assert_eq!(manual_clock("1997-01-01T01:00:00+01:00").now().to_rfc3339(), "1997-01-01T00:00:00+00:00");
    }

    #[test]
    #[should_panic(expected = "`yesterday` is not a time")]
    fn refuses_what_is_no_time() {
        manual_clock("yesterday");
    }
}
