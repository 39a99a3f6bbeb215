//! Signatures of deliveries.

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha1::Sha1;
use sha2::Sha256;
use thiserror::Error;

/// How old a signed delivery may be, and how far ahead of our clock: longer than any delivery takes, shorter than anybody
/// who gets hold of one needs. A repeat within it is a duplicate and changes nothing.
pub const SIGNATURE_AGE_MAX: TimeDelta = TimeDelta::minutes(5);

/// Why a delivery is not believed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// A header is not there.
    #[error("the header {0} is missing")]
    Missing(&'static str),
    /// A header cannot be read.
    #[error("the header {0} cannot be read")]
    Unreadable(&'static str),
    /// It is signed in a way that is not taken.
    #[error("the signature's algorithm must be `hmac`: choose it for the webhook endpoint")]
    Algorithm,
    /// It was signed too long ago, or too far ahead.
    #[error("the delivery was signed at {0}, more than 5 minutes from now")]
    OutOfTime(DateTime<Utc>),
    /// No secret gives this signature.
    #[error("the signature does not belong to this body and secret")]
    Forged,
}

/// A header's text.
pub(crate) fn header<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<&'h str, SignatureError> {
    let value = headers.get(name).ok_or(SignatureError::Missing(name))?;
    value.to_str().map(str::trim).map_err(|_| SignatureError::Unreadable(name))
}

/// Whether the time of a signature is close enough to `now`.
pub(crate) fn check_age(signed_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), SignatureError> {
    let age = (now - signed_at).abs();
    if age <= SIGNATURE_AGE_MAX { Ok(()) } else { Err(SignatureError::OutOfTime(signed_at)) }
}

/// Whether a secret gives one of `signatures` over `parts`. Compared in constant time.
pub(crate) fn check_sha256(secrets: &[&[u8]], parts: &[&[u8]], signatures: &[Vec<u8>]) -> Result<(), SignatureError> {
    check::<Hmac<Sha256>>(secrets, parts, signatures)
}

/// As [`check_sha256`], for vendors who sign with SHA-1.
pub(crate) fn check_sha1(secrets: &[&[u8]], parts: &[&[u8]], signatures: &[Vec<u8>]) -> Result<(), SignatureError> {
    check::<Hmac<Sha1>>(secrets, parts, signatures)
}

fn check<M: Mac + KeyInit + Clone>(
    secrets: &[&[u8]],
    parts: &[&[u8]],
    signatures: &[Vec<u8>],
) -> Result<(), SignatureError> {
    let is_right = secrets.iter().any(|secret| {
        // HMAC takes keys of any length; there is no error to report.
        let Ok(mut mac) = <M as KeyInit>::new_from_slice(secret) else { return false };
        parts.iter().for_each(|part| mac.update(part));
        signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
    });
    if is_right { Ok(()) } else { Err(SignatureError::Forged) }
}

/// Bytes of hexadecimal digits, in either case.
pub(crate) fn hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    digits.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}
