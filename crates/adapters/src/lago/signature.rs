//! `X-Lago-Signature`: base64 of HMAC-SHA256 over the body, with `X-Lago-Signature-Algorithm: hmac`.
//!
//! The other algorithm, `jwt`, puts the whole body into a header and is not taken: a webhook endpoint in Lago is set to
//! `hmac`. Lago signs no time, so that the age of a delivery cannot be told; one that is repeated changes nothing all the same.
//!
//! <https://getlago.com/docs/api-reference/webhooks/format---signature>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;

use crate::signature::{SignatureError, check_sha256, header};

const HEADER: &str = "x-lago-signature";
const ALGORITHM_HEADER: &str = "x-lago-signature-algorithm";

/// Checks a delivery.
pub(crate) fn verify(headers: &HeaderMap, body: &[u8], secrets: &[&[u8]]) -> Result<(), SignatureError> {
    if header(headers, ALGORITHM_HEADER)? != "hmac" {
        return Err(SignatureError::Algorithm);
    }
    let signature = STANDARD.decode(header(headers, HEADER)?).map_err(|_| SignatureError::Unreadable(HEADER))?;
    check_sha256(secrets, &[body], &[signature])
}
