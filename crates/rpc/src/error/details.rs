//! `google.rpc` details within what headers can carry.
//!
//! A status travels in the response's trailers: its message percent-encoded in
//! `grpc-message`, and all of it in base64 in `grpc-status-details-bin`. Clients
//! limit the headers they accept; grpc-core refuses some above 8 KiB and all above
//! 16 KiB, and the caller then sees neither code nor details. What does not fit is left
//! out and counted.

use mainstay_api::google::rpc;
use mainstay_api::google::rpc::{bad_request, precondition_failure};
use prost::bytes::Bytes;
use prost::{Message, Name};
use prost_types::Any;
use tonic::Status;

use super::api_error::Parts;

/// Bytes that `grpc-message` and `grpc-status-details-bin` may take together.
/// The rest of 8 KiB is for the other trailers, their names, and 32 bytes for
/// each as HTTP/2 counts them.
pub const HEADER_BYTES_MAX: usize = 7_400;

const MESSAGE_ENCODED_BYTES_MAX: usize = 1_200;
const METADATA_VALUE_BYTES_MAX: usize = 200;
const DESCRIPTION_BYTES_MAX: usize = 400;
const NAME_BYTES_MAX: usize = 200;
const REQUEST_ID_BYTES_MAX: usize = 128;
/// Most violations listed, whatever their size.
const VIOLATIONS_LISTED_MAX: usize = 1_000;
/// Room for the sentence that counts what is left out, in both headers.
const LEFT_OUT_BYTES: usize = 500;
/// Room for `RequestInfo` of the longest id, in base64.
const REQUEST_INFO_BYTES: usize = 260;
/// Tag, length and type URL around a detail, and tag and length of each of its parts, at most.
const ANY_BYTES: usize = 80;
const PART_BYTES: usize = 12;

/// The proto bytes that are left.
struct Room(usize);

impl Room {
    fn beside(message: &str) -> Self {
        let taken = percent_encoded_len(message) + LEFT_OUT_BYTES + REQUEST_INFO_BYTES;
        Self((HEADER_BYTES_MAX - taken) / 4 * 3 - message.len())
    }

    fn take(&mut self, bytes: usize) -> bool {
        let fits = bytes <= self.0;
        if fits {
            self.0 -= bytes;
        }
        fits
    }
}

pub(super) fn rpc_status(error: Parts) -> rpc::Status {
    let code = error.code as i32;
    let mut message = shortened_message(&error.message);
    let mut room = Room::beside(&message);
    let mut details = vec![error_info(&error, &mut room)];
    if let Some(delay) = error.retry_after
        && room.take(ANY_BYTES + 2 * PART_BYTES)
    {
        details.push(any(&rpc::RetryInfo { retry_delay: prost_types::Duration::try_from(delay).ok() }));
    }
    details.extend(precondition_failure(error.preconditions, &mut room));

    let violation_count = error.violations.len();
    let (bad_request, listed_count) = bad_request(error.violations, &mut room);
    details.extend(bad_request);
    if listed_count < violation_count {
        let left_out_count = violation_count - listed_count;
        message = format!(
            "{message}; {listed_count} are listed, {left_out_count} more are left out because they do not fit: \
             mend these and send again, or have a batch report each item on its own"
        );
    }
    rpc::Status { code, message, details }
}

pub(super) fn tonic_status(error: Parts) -> Status {
    let code = error.code;
    let status = rpc_status(error);
    Status::with_details(code, status.message.clone(), Bytes::from(status.encode_to_vec()))
}

/// Adds `RequestInfo` with the request's id to a status, unless it has one.
#[must_use]
pub fn attach_request_info(status: Status, request_id: &str) -> Status {
    let carried = rpc::Status::decode(status.details()).ok().filter(|_| !status.details().is_empty());
    let mut carried = carried.unwrap_or_else(|| rpc::Status {
        code: status.code() as i32,
        message: status.message().to_owned(),
        details: Vec::new(),
    });
    let type_url = type_url::<rpc::RequestInfo>();
    if carried.details.iter().any(|detail| detail.type_url == type_url) {
        return status;
    }
    let request_id = shortened(request_id, REQUEST_ID_BYTES_MAX);
    carried.details.push(any(&rpc::RequestInfo { request_id, serving_data: String::new() }));
    Status::with_details_and_metadata(
        status.code(),
        status.message(),
        Bytes::from(carried.encode_to_vec()),
        status.metadata().clone(),
    )
}

fn error_info(error: &Parts, room: &mut Room) -> Any {
    room.take(ANY_BYTES + error.reason.len() + error.domain.len());
    let metadata = error
        .metadata
        .iter()
        .map(|(key, value)| (key.clone(), shortened(value, METADATA_VALUE_BYTES_MAX)))
        .filter(|(key, value)| room.take(PART_BYTES + key.len() + value.len()))
        .collect();
    any(&rpc::ErrorInfo { reason: error.reason.to_owned(), domain: error.domain.to_owned(), metadata })
}

fn precondition_failure(preconditions: Vec<precondition_failure::Violation>, room: &mut Room) -> Option<Any> {
    if preconditions.is_empty() || !room.take(ANY_BYTES) {
        return None;
    }
    let violations = preconditions
        .into_iter()
        .map(|violation| precondition_failure::Violation {
            r#type: shortened(&violation.r#type, NAME_BYTES_MAX),
            subject: shortened(&violation.subject, NAME_BYTES_MAX),
            description: shortened(&violation.description, DESCRIPTION_BYTES_MAX),
        })
        .take_while(|violation| room.take(PART_BYTES + violation.encoded_len()))
        .collect();
    Some(any(&rpc::PreconditionFailure { violations }))
}

fn bad_request(violations: mainstay_domain::Violations, room: &mut Room) -> (Option<Any>, usize) {
    if violations.is_empty() || !room.take(ANY_BYTES) {
        return (None, 0);
    }
    let field_violations: Vec<_> = violations
        .into_iter()
        .take(VIOLATIONS_LISTED_MAX)
        .map(|violation| bad_request::FieldViolation {
            field: shortened(&violation.field, NAME_BYTES_MAX),
            description: shortened(&violation.description, DESCRIPTION_BYTES_MAX),
            ..Default::default()
        })
        .take_while(|violation| room.take(PART_BYTES + violation.encoded_len()))
        .collect();
    let count = field_violations.len();
    (Some(any(&rpc::BadRequest { field_violations })), count)
}

fn type_url<M: Name>() -> String {
    format!("type.googleapis.com/{}", M::full_name())
}

fn any<M: Message + Name>(detail: &M) -> Any {
    Any { type_url: type_url::<M>(), value: detail.encode_to_vec() }
}

/// The text's first characters that take at most `bytes_max` bytes, with `…` where it was cut.
fn shortened(text: &str, bytes_max: usize) -> String {
    shortened_by(text, bytes_max, char::len_utf8)
}

fn shortened_message(message: &str) -> String {
    shortened_by(message, MESSAGE_ENCODED_BYTES_MAX, percent_encoded_char_len)
}

fn shortened_by(text: &str, cost_max: usize, cost: impl Fn(char) -> usize) -> String {
    if text.chars().map(&cost).sum::<usize>() <= cost_max {
        return text.to_owned();
    }
    let mut left = cost_max.saturating_sub(cost('…'));
    let kept = text.chars().take_while(|character| {
        let fits = cost(*character) <= left;
        left = left.saturating_sub(cost(*character));
        fits
    });
    kept.chain(['…']).collect()
}

fn percent_encoded_len(text: &str) -> usize {
    text.chars().map(percent_encoded_char_len).sum()
}

/// Bytes of a character in `grpc-message`, as tonic encodes it.
fn percent_encoded_char_len(character: char) -> usize {
    let is_plain = character.is_ascii_graphic() && !"\"#%<>`?{}".contains(character);
    if is_plain { 1 } else { 3 * character.len_utf8() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mainstay_api::mainstay::common::v1::ErrorReason;
    use mainstay_domain::Violations;
    use tonic::Code;
    use tonic_types::StatusExt;

    use super::*;
    use crate::ApiError;

    fn many_violations(count: usize, description: &str) -> Violations {
        let mut violations = Violations::new();
        for index in 0..count {
            violations.add(format!("requests[{index}].usage.metric"), description);
        }
        violations
    }

    fn header_bytes(status: Status) -> usize {
        let response = status.into_http::<()>();
        response.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
    }

    #[test]
    fn the_details_are_exactly_these() {
        let error = ApiError::new(
            Code::FailedPrecondition,
            "scoring.mainstay",
            "ACCOUNT_ARCHIVED",
            "accounts/a is archived: restore it first",
        )
        .with_metadata("account", "accounts/a")
        .with_retry_after(Duration::from_millis(1_500))
        .with_precondition("ARCHIVED", "accounts/a", "restore the account");
        let status = attach_request_info(error.into(), "0192-abc");
        let details = status.get_error_details();
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert_eq!(status.message(), "accounts/a is archived: restore it first");
        let info = details.error_info().expect("ErrorInfo");
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("ACCOUNT_ARCHIVED", "scoring.mainstay"));
        assert_eq!(info.metadata.get("account").map(String::as_str), Some("accounts/a"));
        assert_eq!(details.retry_info().and_then(|info| info.retry_delay), Some(Duration::from_millis(1_500)));
        let precondition = &details.precondition_failure().expect("PreconditionFailure").violations[0];
        assert_eq!(
            (precondition.r#type.as_str(), precondition.subject.as_str(), precondition.description.as_str()),
            ("ARCHIVED", "accounts/a", "restore the account")
        );
        assert_eq!(details.request_info().map(|info| info.request_id.as_str()), Some("0192-abc"));
        assert!(details.bad_request().is_none() && details.help().is_none() && details.debug_info().is_none());
        let carried = rpc::Status::decode(status.details()).expect("a status");
        assert_eq!((carried.code, carried.message.as_str()), (9, status.message()));
        assert_eq!(carried.details.len(), 4);
    }

    #[test]
    fn request_info_is_attached_once_and_to_bare_statuses_too() {
        let mut bare = Status::unavailable("gone");
        bare.metadata_mut().insert("x-kept", "yes".parse().expect("ascii"));
        let once = attach_request_info(bare, "first");
        let twice = attach_request_info(once, "second");
        assert_eq!(twice.get_error_details().request_info().map(|info| info.request_id.as_str()), Some("first"));
        assert_eq!((twice.code(), twice.message()), (Code::Unavailable, "gone"));
        assert!(twice.metadata().contains_key("x-kept"));
    }

    #[test]
    fn all_violations_are_listed_when_they_fit() {
        let status = Status::from(ApiError::invalid(many_violations(40, "must be a key")));
        let details = status.get_error_details();
        let listed = &details.bad_request().expect("BadRequest").field_violations;
        assert_eq!(listed.len(), 40);
        assert_eq!(listed[39].field, "requests[39].usage.metric");
        assert_eq!(listed[39].description, "must be a key");
        assert_eq!(
            status.message(),
            "40 fields are invalid: requests[0].usage.metric, requests[1].usage.metric, requests[2].usage.metric, …"
        );
    }

    #[test]
    fn ten_thousand_violations_fit_in_the_headers_and_are_counted() {
        let status = Status::from(ApiError::invalid(many_violations(10_000, "must be finite, not `NaN`")));
        let listed_count = status.get_error_details().bad_request().expect("BadRequest").field_violations.len();
        assert!(listed_count > 50, "{listed_count}");
        let left_out = format!("{listed_count} are listed, {} more are left out", 10_000 - listed_count);
        assert!(status.message().contains(&left_out), "{}", status.message());
        assert!(header_bytes(attach_request_info(status, &"i".repeat(500))) < 8_000);
    }

    #[test]
    fn the_largest_error_fits_in_the_headers() {
        for filler in ["a", "ä", "%", "\n", "🦀"] {
            let long = filler.repeat(5_000);
            let mut error = ApiError::common(ErrorReason::InvalidFields, long.clone())
                .with_violations(many_violations(5_000, &long));
            for index in 0..100 {
                error = error.with_metadata(format!("key_{index}"), &*long).with_precondition(&*long, &*long, &*long);
            }
            let status = attach_request_info(error.with_retry_after(Duration::MAX).into(), &long);
            assert!(rpc::Status::decode(status.details()).is_ok());
            let bytes = header_bytes(status);
            assert!(bytes < 8_000, "{filler:?}: {bytes}");
        }
    }

    #[test]
    fn the_status_of_an_item_is_that_of_the_call() {
        let error = ApiError::common(ErrorReason::NotFound, "no account of this name").with_metadata("account", "a");
        let carried = rpc::Status::decode(Status::from(error.clone()).details()).expect("a status");
        assert_eq!(error.into_rpc_status(), carried);
    }
}
