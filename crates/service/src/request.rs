//! What all mutations and lists have in common.

use mainstay_domain::Violations;
use mainstay_rpc::{ApiError, caller};
use mainstay_storage::{RequestKey, fingerprint};
use prost::Message;
use tonic::Request;

use crate::Mutation;

/// Most characters of a request id.
pub const REQUEST_ID_LENGTH_MAX: usize = 128;

/// How a mutation was asked for, by the full name of its method: its fingerprint is over the whole
/// message, so that the same id with other content is seen.
///
/// # Errors
/// `INVALID_FIELDS` when the request id is too long or has control characters.
pub fn mutation<M: Message>(
    request: &Request<M>,
    method: &'static str,
    request_id: &str,
    validate_only: bool,
) -> Result<Mutation, ApiError> {
    let mut found = Violations::new();
    found.check_text("request_id", request_id, REQUEST_ID_LENGTH_MAX);
    found.into_result(()).map_err(ApiError::invalid)?;
    let key = (!request_id.is_empty()).then(|| RequestKey {
        caller: caller(request).identity,
        method,
        request_id: request_id.to_owned(),
    });
    let content = if key.is_some() { request.get_ref().encode_to_vec() } else { Vec::new() };
    Ok(Mutation { key, fingerprint: fingerprint(&[&content]), validate_only })
}

/// The fingerprint of what a page token is bound to: the request without its page.
pub fn page_binding<M: Message>(request_without_page: &M) -> [u8; 32] {
    fingerprint(&[&request_without_page.encode_to_vec()])
}
