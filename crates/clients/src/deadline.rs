//! Deadlines as gRPC sends them, and which calls get one.

use std::collections::HashSet;
use std::sync::LazyLock;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use prost::Message;
use prost_types::FileDescriptorSet;

/// The header that tells the server how long the caller waits.
pub(crate) const TIMEOUT_HEADER: &str = "grpc-timeout";

/// Paths of all our methods with one request and one answer.
static UNARY_METHODS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let files = FileDescriptorSet::decode(mainstay_api::FILE_DESCRIPTOR_SET).unwrap_or_default().file;
    let services = files.iter().flat_map(|file| file.service.iter().map(move |service| (file.package(), service)));
    services
        .flat_map(|(package, service)| {
            let unary = service.method.iter().filter(|method| !method.client_streaming() && !method.server_streaming());
            unary.map(move |method| format!("/{package}.{}/{}", service.name(), method.name()))
        })
        .collect()
});

/// The deadline of a call: the one that it carries, else `default` when it has
/// one request and one answer. A default is written into the headers.
pub(crate) fn apply(path: &str, headers: &mut HeaderMap, default: Duration) -> Option<Duration> {
    if let Some(given) = headers.get(TIMEOUT_HEADER) {
        return parse(given);
    }
    if !UNARY_METHODS.contains(path) {
        return None;
    }
    headers.insert(TIMEOUT_HEADER, header_of(default));
    Some(default)
}

/// `grpc-timeout`: at most eight digits and a unit.
fn header_of(timeout: Duration) -> HeaderValue {
    const DIGITS_MAX: u128 = 99_999_999;
    let millis = timeout.as_millis().max(1);
    let text = if millis <= DIGITS_MAX {
        format!("{millis}m")
    } else {
        format!("{}S", u128::from(timeout.as_secs()).min(DIGITS_MAX))
    };
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("30S"))
}

fn parse(header: &HeaderValue) -> Option<Duration> {
    let text = header.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let amount: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(amount * 3_600)),
        "M" => Some(Duration::from_secs(amount * 60)),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: &str = "/mainstay.scoring.v1.HealthService/GetHealth";
    const WATCH: &str = "/mainstay.scoring.v1.HealthService/WatchHealth";
    const STREAM: &str = "/mainstay.scoring.v1.SignalService/StreamSignals";

    #[test]
    fn calls_of_one_answer_get_the_default_and_streams_get_none() {
        let default = Duration::from_millis(2_500);
        let mut headers = HeaderMap::new();
        assert_eq!(apply(WATCH, &mut headers, default), None);
        assert_eq!(apply(STREAM, &mut headers, default), None);
        assert!(headers.is_empty());
        assert_eq!(apply(GET, &mut headers, default), Some(default));
        assert_eq!(headers.get(TIMEOUT_HEADER).and_then(|value| value.to_str().ok()), Some("2500m"));
    }

    #[test]
    fn a_deadline_of_the_call_itself_stays() {
        let mut headers = HeaderMap::new();
        headers.insert(TIMEOUT_HEADER, HeaderValue::from_static("7S"));
        assert_eq!(apply(GET, &mut headers, Duration::from_secs(30)), Some(Duration::from_secs(7)));
        assert_eq!(apply(WATCH, &mut headers, Duration::from_secs(30)), Some(Duration::from_secs(7)));
    }

    #[test]
    fn long_and_short_deadlines_fit_into_eight_digits() {
        assert_eq!(header_of(Duration::from_nanos(1)), "1m");
        assert_eq!(header_of(Duration::from_secs(100_000)), "100000S");
        assert_eq!(header_of(Duration::MAX), "99999999S");
    }
}
