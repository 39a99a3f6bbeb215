//! Opaque page tokens.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ApiError;

/// The token for the page after `cursor`.
pub fn encode_token<C: Serialize>(cursor: &C, method: &str, filter_fingerprint: &[u8; 32]) -> String {
    let _ = (cursor, method, filter_fingerprint);
    todo!()
}

/// The cursor in a token of the same method and filter; `None` for the empty token of the first page.
pub fn decode_token<C: DeserializeOwned>(
    token: &str,
    method: &str,
    filter_fingerprint: &[u8; 32],
) -> Result<Option<C>, ApiError> {
    let _ = (token, method, filter_fingerprint);
    todo!()
}
