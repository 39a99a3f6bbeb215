//! Lengths of time as people write them.

use std::time::Duration;

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Reads `500ms`, `30s`, `5m`, `1h30m`, `7d`. The unit is never left out; `0s` is nothing.
///
/// # Errors
/// A sentence that says how it is written.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let malformed = || format!("must be a length of time such as `500ms`, `30s`, `5m` or `1h30m`, not `{text}`");
    let mut rest = text.trim();
    let mut total_ms = 0u64;
    if rest.is_empty() {
        return Err(malformed());
    }
    while !rest.is_empty() {
        let number_end = rest.find(|character: char| !character.is_ascii_digit()).ok_or_else(malformed)?;
        let (number, after_number) = rest.split_at(number_end);
        let unit_end = after_number.find(|character: char| character.is_ascii_digit()).unwrap_or(after_number.len());
        let (unit, after_unit) = after_number.split_at(unit_end);
        let (_, unit_ms) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(malformed)?;
        let number: u64 = number.parse().map_err(|_| malformed())?;
        total_ms = number.checked_mul(*unit_ms).and_then(|ms| total_ms.checked_add(ms)).ok_or_else(malformed)?;
        rest = after_unit;
    }
    Ok(Duration::from_millis(total_ms))
}

/// Writes a length of time in whole milliseconds as [`parse_duration`] reads it.
pub fn format_duration(duration: Duration) -> String {
    let mut left_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if left_ms == 0 {
        return "0s".to_owned();
    }
    let parts = UNITS.iter().rev().map(|(name, unit_ms)| {
        let count = left_ms / unit_ms;
        left_ms %= unit_ms;
        if count > 0 { format!("{count}{name}") } else { String::new() }
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_are_read() {
        let cases =
            [("0s", 0), ("500ms", 500), ("30s", 30_000), ("5m", 300_000), (" 1h30m ", 5_400_000), ("7d", 604_800_000)];
        for (text, ms) in cases {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn what_is_no_length_of_time_is_refused() {
        for bad in ["", "30", "s", "-5s", "1.5s", "5 s", "5x", "5min", "99999999999999999999s", "18446744073709551615d"]
        {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(ms in any::<u64>()) {
            let duration = Duration::from_millis(ms);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }
    }
}
