//! `X-Signature`: hexadecimal digits of HMAC-SHA1 over the body.
//!
//! SHA-1 is what Segment signs with; as a MAC it is not broken. No time is signed, so that the age of a delivery cannot be told; one
//! that is repeated changes nothing all the same.
//!
//! <https://segment.com/docs/connections/destinations/catalog/actions-webhook/>

use http::HeaderMap;

use crate::signature::{SignatureError, check_sha1, header, hex};

const HEADER: &str = "x-signature";

/// Checks a delivery.
pub(crate) fn verify(headers: &HeaderMap, body: &[u8], secrets: &[&[u8]]) -> Result<(), SignatureError> {
    let signature = hex(header(headers, HEADER)?).ok_or(SignatureError::Unreadable(HEADER))?;
    check_sha1(secrets, &[body], &[signature])
}
