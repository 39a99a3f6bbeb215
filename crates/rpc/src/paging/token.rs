//! Opaque page tokens.
//!
//! Base64url without padding of: version, what the token belongs to (method and
//! filter), checksum, cursor as JSON. The checksum finds damage, not forgery:
//! a cursor is only a position, and reading from another one shows nothing that
//! the filter does not.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mainstay_api::mainstay::common::v1::ErrorReason;
use mainstay_domain::Violations;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::ApiError;

const VERSION: u8 = 1;
const METHOD_BYTES: usize = 4;
const FILTER_BYTES: usize = 8;
const CHECKSUM_BYTES: usize = 8;
const TOKEN_CHARACTERS_MAX: usize = 4_096;
const START_ANEW: &str = "pass next_page_token as it came, or leave page_token empty to start at the first page";

/// The token for the page after `cursor`. `method` is any fixed name of the
/// method; `filter_fingerprint` is over all that selects and orders the items.
///
/// # Panics
/// When `cursor` cannot be JSON, such as a map whose keys are not text; cursors
/// are small structs of our own.
pub fn encode_token<C: Serialize>(cursor: &C, method: &str, filter_fingerprint: &[u8; 32]) -> String {
    let cursor = serde_json::to_vec(cursor).expect("a cursor is a plain struct and becomes JSON");
    let mut bound = vec![VERSION];
    bound.extend_from_slice(&method_mark(method));
    bound.extend_from_slice(&filter_fingerprint[..FILTER_BYTES]);
    let checksum = checksum(&bound, &cursor);
    URL_SAFE_NO_PAD.encode([bound.as_slice(), &checksum, &cursor].concat())
}

/// The cursor in a token of the same method and filter; `None` for the empty
/// token of the first page. `INVALID_PAGE_TOKEN` for any other token.
pub fn decode_token<C: DeserializeOwned>(
    token: &str,
    method: &str,
    filter_fingerprint: &[u8; 32],
) -> Result<Option<C>, ApiError> {
    if token.is_empty() {
        return Ok(None);
    }
    if token.len() > TOKEN_CHARACTERS_MAX {
        return Err(refused("is longer than any token"));
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| refused("is malformed"))?;
    let (bound, rest) =
        bytes.split_at_checked(1 + METHOD_BYTES + FILTER_BYTES).ok_or_else(|| refused("is malformed"))?;
    if bound[0] != VERSION {
        return Err(refused("is of another version of the server"));
    }
    let (given_checksum, cursor) = rest.split_at_checked(CHECKSUM_BYTES).ok_or_else(|| refused("is malformed"))?;
    if given_checksum != checksum(bound, cursor) {
        return Err(refused("is malformed"));
    }
    let (method_given, filter_given) = bound[1..].split_at(METHOD_BYTES);
    if method_given != method_mark(method) {
        return Err(refused("belongs to another method"));
    }
    if filter_given != &filter_fingerprint[..FILTER_BYTES] {
        return Err(refused("belongs to another filter or order; keep both from page to page"));
    }
    let cursor: Value = serde_json::from_slice(cursor).map_err(|_| refused("is malformed"))?;
    if has_nul(&cursor) {
        return Err(refused("is malformed"));
    }
    serde_json::from_value(cursor).map(Some).map_err(|_| refused("is of another version of the server"))
}

/// Whether a text in a cursor has the character NUL, which no database can hold: no item lies there.
fn has_nul(cursor: &Value) -> bool {
    match cursor {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields.values().any(has_nul),
        _ => false,
    }
}

fn refused(why: &str) -> ApiError {
    let mut violations = Violations::new();
    violations.add("page_token", format!("{why}; {START_ANEW}"));
    ApiError::common(ErrorReason::InvalidPageToken, format!("the page_token {why}; {START_ANEW}"))
        .with_violations(violations)
}

fn method_mark(method: &str) -> [u8; METHOD_BYTES] {
    prefix(&Sha256::digest(method.as_bytes()))
}

fn checksum(bound: &[u8], cursor: &[u8]) -> [u8; CHECKSUM_BYTES] {
    prefix(&Sha256::new().chain_update(bound).chain_update(cursor).finalize())
}

fn prefix<const LENGTH: usize>(digest: &[u8]) -> [u8; LENGTH] {
    std::array::from_fn(|index| digest[index])
}

#[cfg(test)]
mod tests {
    use tonic::{Code, Status};
    use tonic_types::StatusExt;

    use super::*;

    type Cursor = (String, i64);
    const FILTER: [u8; 32] = [7; 32];

    fn token() -> String {
        encode_token(&("acme".to_owned(), i64::MIN), "ListAccounts", &FILTER)
    }

    fn refusal(token: &str, method: &str, filter: &[u8; 32]) -> String {
        let error = decode_token::<Cursor>(token, method, filter).expect_err("must be refused");
        let status = Status::from(error);
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_error_details();
        assert_eq!(details.error_info().map(|info| info.reason.as_str()), Some("INVALID_PAGE_TOKEN"));
        assert_eq!(details.bad_request().expect("BadRequest").field_violations[0].field, "page_token");
        assert!(status.message().ends_with(START_ANEW), "{}", status.message());
        status.message().to_owned()
    }

    #[test]
    fn a_token_gives_its_cursor_back() {
        let cursor = decode_token::<Cursor>(&token(), "ListAccounts", &FILTER).expect("holds");
        assert_eq!(cursor, Some(("acme".to_owned(), i64::MIN)));
        assert_eq!(decode_token::<Cursor>("", "ListAccounts", &FILTER).expect("holds"), None);
    }

    #[test]
    fn tokens_of_another_method_filter_or_cursor_are_refused() {
        assert!(refusal(&token(), "ListModels", &FILTER).contains("another method"));
        assert!(refusal(&token(), "ListAccounts", &[8; 32]).contains("another filter"));
        let other = encode_token(&true, "ListAccounts", &FILTER);
        assert!(refusal(&other, "ListAccounts", &FILTER).contains("another version"));
    }

    #[test]
    fn tokens_of_another_version_are_refused() {
        let mut bytes = URL_SAFE_NO_PAD.decode(token()).expect("base64");
        bytes[0] = 2;
        assert!(refusal(&URL_SAFE_NO_PAD.encode(bytes), "ListAccounts", &FILTER).contains("another version"));
    }

    #[test]
    fn a_text_that_no_database_can_hold_is_refused() {
        let made_up = encode_token(&("acme\0".to_owned(), 1), "ListAccounts", &FILTER);
        assert!(refusal(&made_up, "ListAccounts", &FILTER).contains("malformed"));
    }

    #[test]
    fn every_damaged_byte_is_found() {
        let bytes = URL_SAFE_NO_PAD.decode(token()).expect("base64");
        for index in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[index] ^= 1;
            refusal(&URL_SAFE_NO_PAD.encode(damaged), "ListAccounts", &FILTER);
            refusal(&URL_SAFE_NO_PAD.encode(&bytes[..index.max(1)]), "ListAccounts", &FILTER);
        }
        for bad in ["x", "not a token", "äöü", &"A".repeat(5_000)] {
            refusal(bad, "ListAccounts", &FILTER);
        }
    }
}
