//! Every failure carries `google.rpc` details, whoever made it.
//!
//! Statuses with details get `RequestInfo`. Statuses without come from tonic itself or from a
//! slip in a handler: they get the code that gRPC means and an `ErrorInfo` with a common
//! reason, and lose a text that may show internals.

use std::task::Context;

use http::HeaderMap;
use mainstay_api::mainstay::common::v1::ErrorReason;
use tonic::body::Body;
use tonic::{Code, Status};

use super::body::{Guard, Step, code_of, guarded, poll};
use super::{Handler, Layer, LayerParts, Request, RequestId, Response};
use crate::ApiError;
use crate::error::{COMMON_DOMAIN, attach_request_info, reason_text};

/// How tonic says that a time limit passed, with the code `CANCELLED`.
const TONIC_TIMEOUT: &str = "Timeout expired";

/// How prost says that a body is not the message it should be; tonic gives it the code `INTERNAL`.
const PROST_DECODE: &str = "failed to decode Protobuf message";

/// Completes statuses, in heads and in trailers.
pub(super) struct ErrorMapping;

impl Layer for ErrorMapping {
    const NAME: &'static str = "error_mapping";

    fn from_parts(_parts: &LayerParts) -> Self {
        Self
    }

    async fn handle<N: Handler>(&self, request: Request, next: &N) -> Response {
        let id = request.extensions().get::<RequestId>().cloned();
        let mut response = next.handle(request).await;
        match code_of(response.headers()) {
            Some(Code::Ok) => response,
            Some(_) => {
                complete(response.headers_mut(), id.as_ref());
                response
            }
            None => response.map(|body| guarded(body, TrailersGuard { id })),
        }
    }
}

struct TrailersGuard {
    id: Option<RequestId>,
}

impl Guard for TrailersGuard {
    fn poll_frame(&mut self, inner: &mut Body, context: &mut Context<'_>) -> Step {
        poll(inner, context).map_ok(|mut frame| {
            if let Some(trailers) = frame.trailers_mut()
                && code_of(trailers).is_some_and(|code| code != Code::Ok)
            {
                complete(trailers, self.id.as_ref());
            }
            frame
        })
    }
}

/// Completes the status in a head or in trailers.
fn complete(headers: &mut HeaderMap, id: Option<&RequestId>) {
    let Some(status) = Status::from_header_map(headers) else { return };
    let status = with_details(status);
    let status = match id {
        Some(id) => attach_request_info(status, id.as_str()),
        None => status,
    };
    for name in [Status::GRPC_STATUS, Status::GRPC_MESSAGE, Status::GRPC_STATUS_DETAILS] {
        headers.remove(name);
    }
    // Fails only for a text that cannot be a header; percent-encoding leaves none.
    let _ = status.add_header(headers);
}

/// A status with `ErrorInfo`, and the code that gRPC means.
fn with_details(status: Status) -> Status {
    if !status.details().is_empty() {
        return status;
    }
    let message = status.message();
    let common = |reason| ApiError::common(reason, message);
    let with_code = |reason| ApiError::new(status.code(), COMMON_DOMAIN, reason_text(reason), message);
    let error = match status.code() {
        Code::Cancelled if message.contains(TONIC_TIMEOUT) => {
            ApiError::common(ErrorReason::DeadlineExceeded, "the call took longer than its deadline")
        }
        Code::OutOfRange => common(ErrorReason::MessageTooLarge),
        Code::ResourceExhausted if message.contains("size limit") => common(ErrorReason::MessageTooLarge),
        Code::Internal if message.contains(PROST_DECODE) => common(ErrorReason::InvalidFields),
        Code::Unimplemented => common(ErrorReason::Unimplemented),
        Code::InvalidArgument => common(ErrorReason::InvalidFields),
        Code::NotFound => common(ErrorReason::NotFound),
        Code::AlreadyExists => common(ErrorReason::AlreadyExists),
        Code::FailedPrecondition => common(ErrorReason::FailedPrecondition),
        Code::Unauthenticated => common(ErrorReason::Unauthenticated),
        Code::PermissionDenied => common(ErrorReason::PermissionDenied),
        Code::DeadlineExceeded => common(ErrorReason::DeadlineExceeded),
        Code::ResourceExhausted => common(ErrorReason::Overloaded),
        Code::Aborted => with_code(ErrorReason::Conflict),
        Code::Unavailable => with_code(ErrorReason::StorageUnavailable),
        Code::Cancelled => with_code(ErrorReason::Internal),
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => {
            ApiError::internal(format!("a status without details: {status}"))
        }
    };
    error.into()
}
