//! How long a caller waits, from its headers.

use std::time::Duration;

use http::HeaderMap;
use mainstay_domain::{CALL_TIMEOUT_HEADER, parse_call_timeout};

/// The header is there and cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) String);

/// How long the caller waits; `None` without the header.
pub(super) fn timeout_of(headers: &HeaderMap) -> Result<Option<Duration>, Malformed> {
    let Some(value) = headers.get(CALL_TIMEOUT_HEADER) else { return Ok(None) };
    let malformed = || Malformed(String::from_utf8_lossy(value.as_bytes()).into_owned());
    let text = value.to_str().map_err(|_| malformed())?;
    parse_call_timeout(text).map(Some).ok_or_else(malformed)
}

/// How long the caller of a handler waits at most, as it said; `None` when it did not say.
pub fn asked_timeout<T>(request: &tonic::Request<T>) -> Option<Duration> {
    parse_call_timeout(request.metadata().get(CALL_TIMEOUT_HEADER)?.to_str().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_sees_what_its_caller_asked() {
        let mut request = tonic::Request::new(());
        assert_eq!(asked_timeout(&request), None);
        request.set_timeout(Duration::from_millis(1_500));
        assert_eq!(asked_timeout(&request), Some(Duration::from_millis(1_500)));
    }
}
