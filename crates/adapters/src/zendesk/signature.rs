//! `X-Zendesk-Webhook-Signature`: base64 of HMAC-SHA256 over the timestamp's text and the body.
//!
//! <https://developer.zendesk.com/documentation/webhooks/verifying/>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http::HeaderMap;

use crate::signature::{SignatureError, check_age, check_sha256, header};

const HEADER: &str = "x-zendesk-webhook-signature";
const TIMESTAMP_HEADER: &str = "x-zendesk-webhook-signature-timestamp";

/// Checks a delivery.
pub(crate) fn verify(
    headers: &HeaderMap,
    body: &[u8],
    secrets: &[&[u8]],
    now: DateTime<Utc>,
) -> Result<(), SignatureError> {
    let timestamp = header(headers, TIMESTAMP_HEADER)?;
    let signature = STANDARD.decode(header(headers, HEADER)?).map_err(|_| SignatureError::Unreadable(HEADER))?;
    let signed_at: DateTime<Utc> = timestamp.parse().map_err(|_| SignatureError::Unreadable(TIMESTAMP_HEADER))?;
    check_sha256(secrets, &[timestamp.as_bytes(), body], &[signature])?;
    check_age(signed_at, now)
}
