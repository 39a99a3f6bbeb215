//! Deadlines as people say them.

use std::sync::OnceLock;

use chrono::NaiveDate;
use comfy_table::{Cell, Color};
use mainstay_domain::{Clock, SharedClock, SystemClock};

/// The clock of services whose clock is turned by hand in this process.
static TURNED_CLOCK: OnceLock<SharedClock> = OnceLock::new();

/// From now on, deadlines are as far off as this clock says.
pub(crate) fn tell_time_by(clock: SharedClock) {
    // A process has one such clock at most.
    TURNED_CLOCK.set(clock).ok();
}

/// Now, in seconds since 1970.
fn now() -> i64 {
    TURNED_CLOCK.get().map_or_else(|| SystemClock.now(), |clock| clock.now()).timestamp()
}

/// Now, as messages have it, to the second.
pub(crate) fn now_time() -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: now(), nanos: 0 }
}

/// Today (UTC).
pub(crate) fn today() -> NaiveDate {
    TURNED_CLOCK.get().map_or_else(|| SystemClock.today(), |clock| clock.today())
}

/// A length of time, by its largest two units: `2 h`, `1 d 4 h`.
pub(crate) fn length(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds % 86_400 / 3_600, seconds % 3_600 / 60);
    match (days, hours, minutes) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, 0, _) => format!("{days} d"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// How far off a moment is: `in 2 h`, `3 d late`; a dash for none.
pub(crate) fn due_text(due: Option<prost_types::Timestamp>) -> String {
    let Some(due) = due else { return "–".to_owned() };
    match due.seconds - now() {
        left if left >= 0 => format!("in {}", length(left)),
        left => format!("{} late", length(-left)),
    }
}

/// The same, red when it has passed.
pub(crate) fn due_cell(due: Option<prost_types::Timestamp>) -> Cell {
    let is_late = due.is_some_and(|due| due.seconds < now());
    let cell = Cell::new(due_text(due));
    if is_late { cell.fg(Color::Red) } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_said_by_their_two_largest_units() {
        for (seconds, text) in
            [(59, "0 min"), (5_400, "1 h 30 min"), (7_200, "2 h"), (172_800, "2 d"), (100_800, "1 d 4 h")]
        {
            assert_eq!(length(seconds), text);
        }
    }
}
