//! `google.rpc` details within what headers can carry.

use mainstay_api::google::rpc;
use tonic::Status;

use super::ApiError;

/// Bytes that a status may take in the response's trailers.
pub const HEADER_BYTES_MAX: usize = 7_400;

pub(super) fn rpc_status(error: ApiError) -> rpc::Status {
    let _ = error;
    todo!()
}

pub(super) fn tonic_status(error: ApiError) -> Status {
    let _ = error;
    todo!()
}

/// Adds `RequestInfo` with the request's id to a status, unless it has one.
#[must_use]
pub fn attach_request_info(status: Status, request_id: &str) -> Status {
    let _ = request_id;
    status
}
