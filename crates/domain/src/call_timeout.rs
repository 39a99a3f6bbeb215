//! How long a caller waits, as the header `grpc-timeout` says it: up to eight digits and a unit.

use std::time::Duration;

/// The header's name.
pub const CALL_TIMEOUT_HEADER: &str = "grpc-timeout";

/// Digits that the protocol allows.
const DIGITS_MAX: usize = 8;

/// The largest number of so many digits.
const AMOUNT_MAX: u128 = 99_999_999;

/// Reads the header's text; `None` when it is malformed.
pub fn parse_call_timeout(text: &str) -> Option<Duration> {
    let digits = text.get(..text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > DIGITS_MAX || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    match text.as_bytes().last()? {
        b'H' => Some(Duration::from_secs(amount * 3600)),
        b'M' => Some(Duration::from_secs(amount * 60)),
        b'S' => Some(Duration::from_secs(amount)),
        b'm' => Some(Duration::from_millis(amount)),
        b'u' => Some(Duration::from_micros(amount)),
        b'n' => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

/// The header's text for a timeout: in milliseconds, or seconds if it is too long for that. At least a millisecond.
pub fn format_call_timeout(timeout: Duration) -> String {
    let millis = timeout.as_millis().max(1);
    if millis <= AMOUNT_MAX {
        format!("{millis}m")
    } else {
        format!("{}S", u128::from(timeout.as_secs()).min(AMOUNT_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_is_read() {
        assert_eq!(parse_call_timeout("2H"), Some(Duration::from_hours(2)));
        assert_eq!(parse_call_timeout("3M"), Some(Duration::from_mins(3)));
        assert_eq!(parse_call_timeout("0S"), Some(Duration::ZERO));
        assert_eq!(parse_call_timeout("99999999m"), Some(Duration::from_millis(99_999_999)));
        assert_eq!(parse_call_timeout("5u"), Some(Duration::from_micros(5)));
        assert_eq!(parse_call_timeout("7n"), Some(Duration::from_nanos(7)));
    }

    #[test]
    fn anything_else_is_malformed() {
        for text in ["", "S", "5", "5s", "-1S", "+1S", "1.5S", "123456789S", "5 S", "ä", "5ä"] {
            assert_eq!(parse_call_timeout(text), None, "{text}");
        }
    }

    #[test]
    fn long_and_short_timeouts_fit_into_eight_digits() {
        assert_eq!(format_call_timeout(Duration::from_nanos(1)), "1m");
        assert_eq!(format_call_timeout(Duration::from_secs(100_000)), "100000S");
        assert_eq!(format_call_timeout(Duration::MAX), "99999999S");
    }
}
