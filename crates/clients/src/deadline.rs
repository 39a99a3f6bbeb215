//! Deadlines as gRPC sends them, and which calls get one.

use std::collections::HashSet;
use std::sync::LazyLock;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use mainstay_domain::{CALL_TIMEOUT_HEADER, format_call_timeout, parse_call_timeout};
use prost::Message;
use prost_types::FileDescriptorSet;

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
    if let Some(given) = headers.get(CALL_TIMEOUT_HEADER) {
        return given.to_str().ok().and_then(parse_call_timeout);
    }
    if !UNARY_METHODS.contains(path) {
        return None;
    }
    headers.insert(CALL_TIMEOUT_HEADER, HeaderValue::try_from(format_call_timeout(default)).ok()?);
    Some(default)
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
        assert_eq!(headers.get(CALL_TIMEOUT_HEADER).and_then(|value| value.to_str().ok()), Some("2500m"));
    }

    #[test]
    fn a_deadline_of_the_call_itself_stays() {
        let mut headers = HeaderMap::new();
        headers.insert(CALL_TIMEOUT_HEADER, HeaderValue::from_static("7S"));
        assert_eq!(apply(GET, &mut headers, Duration::from_secs(30)), Some(Duration::from_secs(7)));
        assert_eq!(apply(WATCH, &mut headers, Duration::from_secs(30)), Some(Duration::from_secs(7)));
    }
}
