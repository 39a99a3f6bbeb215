//! The `grpc-timeout` header: up to eight digits and a unit.

use std::time::Duration;

use http::{HeaderMap, HeaderName};

/// How a caller says how long it waits.
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// Digits that the protocol allows.
const DIGITS_MAX: usize = 8;

/// The header is there and cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) String);

/// How long the caller waits; `None` without the header.
pub(super) fn timeout_of(headers: &HeaderMap) -> Result<Option<Duration>, Malformed> {
    let Some(value) = headers.get(GRPC_TIMEOUT) else { return Ok(None) };
    let malformed = || Malformed(String::from_utf8_lossy(value.as_bytes()).into_owned());
    let text = value.to_str().map_err(|_| malformed())?;
    parse(text).map(Some).ok_or_else(malformed)
}

/// How long the caller of a handler waits at most, as it said; `None` when it did not say.
pub fn asked_timeout<T>(request: &tonic::Request<T>) -> Option<Duration> {
    parse(request.metadata().get(GRPC_TIMEOUT.as_str())?.to_str().ok()?)
}

fn parse(text: &str) -> Option<Duration> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_is_read() {
        assert_eq!(parse("2H"), Some(Duration::from_hours(2)));
        assert_eq!(parse("3M"), Some(Duration::from_mins(3)));
        assert_eq!(parse("0S"), Some(Duration::ZERO));
        assert_eq!(parse("99999999m"), Some(Duration::from_millis(99_999_999)));
        assert_eq!(parse("5u"), Some(Duration::from_micros(5)));
        assert_eq!(parse("7n"), Some(Duration::from_nanos(7)));
    }

    #[test]
    fn a_handler_sees_what_its_caller_asked() {
        let mut request = tonic::Request::new(());
        assert_eq!(asked_timeout(&request), None);
        request.set_timeout(Duration::from_millis(1_500));
        assert_eq!(asked_timeout(&request), Some(Duration::from_millis(1_500)));
    }

    #[test]
    fn anything_else_is_malformed() {
        for text in ["", "S", "5", "5s", "-1S", "+1S", "1.5S", "123456789S", "5 S", "ä", "5ä"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
