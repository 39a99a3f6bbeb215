//! Whether a source that says nothing of a payment has nothing to say.

use chrono::{DateTime, TimeDelta, Utc};

/// How exactly it is kept when a source was heard from: each signal would else wait for the one before.
pub(crate) const HEARD_WITHIN: TimeDelta = TimeDelta::hours(1);
/// After so long without an invoice what a source tells may have been held up: it comes by and by.
pub(crate) const SILENCE: TimeDelta = TimeDelta::hours(48);
/// How long a source that was silent may take to tell what was held up: vendors try again for days.
const HELD_UP: TimeDelta = TimeDelta::days(3);
/// So long after a deadline silence is believed, whatever its reason: before, it may be that what the source tells does not arrive, and
/// then nobody's payments do.
const SILENCE_BELIEVED: TimeDelta = TimeDelta::days(7);

/// A source that has told of a paid invoice, of any account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PaymentSource {
    /// It told of an invoice last then, or up to [`HEARD_WITHIN`] later.
    pub heard_at: DateTime<Utc>,
    /// When it was heard from again after its last [`SILENCE`].
    pub back_at: Option<DateTime<Utc>>,
}

impl PaymentSource {
    /// Whether it would have told of a payment by a deadline, if there had been one.
    pub(crate) fn is_believed(self, deadline: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        let is_held_up = self.back_at.is_some_and(|back_at| deadline < back_at && now < back_at + HELD_UP);
        let was_heard_since = self.heard_at >= deadline && !is_held_up;
        was_heard_since || deadline + SILENCE_BELIEVED <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r65_a_source_is_believed_once_it_was_heard_from_had_time_or_is_silent_for_a_week() {
        let at = |hours: i64| DateTime::UNIX_EPOCH + TimeDelta::hours(hours);
        let believed = |heard: i64, back: Option<i64>, now: i64| {
            PaymentSource { heard_at: at(heard), back_at: back.map(at) }.is_believed(at(100), at(now))
        };
        assert!(!believed(99, None, 110) && believed(100, None, 110), "heard from since");
        assert!(!believed(120, Some(120), 191) && believed(120, Some(120), 192), "three days after it is back");
        assert!(believed(120, Some(100), 121), "what came due since it is back is not held up");
        assert!(!believed(0, None, 267) && believed(0, None, 268), "a week");
    }
}
