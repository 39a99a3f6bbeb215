//! `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>…]`, HMAC-SHA256 over `t.body`.
//!
//! <https://docs.stripe.com/webhooks/signature>

use chrono::{DateTime, Utc};
use http::HeaderMap;

use crate::signature::{SignatureError, check_age, check_sha256, header, hex};

const HEADER: &str = "stripe-signature";

/// Checks a delivery. Signatures of other schemes than `v1` are passed over, as `v0` of test events is.
pub(crate) fn verify(
    headers: &HeaderMap,
    body: &[u8],
    secrets: &[&[u8]],
    now: DateTime<Utc>,
) -> Result<(), SignatureError> {
    let value = header(headers, HEADER)?;
    let parts = || value.split(',').filter_map(|part| part.trim().split_once('='));
    let seconds = parts().find(|(name, _)| *name == "t").map(|(_, seconds)| seconds);
    let seconds = seconds.ok_or(SignatureError::Unreadable(HEADER))?;
    let signed_at = seconds.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    let signed_at = signed_at.ok_or(SignatureError::Unreadable(HEADER))?;
    let signatures: Vec<Vec<u8>> =
        parts().filter(|(name, _)| *name == "v1").filter_map(|(_, digits)| hex(digits)).collect();
    check_sha256(secrets, &[seconds.as_bytes(), b".", body], &signatures)?;
    check_age(signed_at, now)
}
