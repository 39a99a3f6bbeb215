//! The common reasons and their gRPC codes.

use mainstay_api::mainstay::common::v1::ErrorReason;
use tonic::Code;

/// `google.rpc.ErrorInfo.domain` of the reasons that all services share.
pub const COMMON_DOMAIN: &str = "mainstay";

/// The gRPC code of a common reason. The match is exhaustive, so that a new
/// reason cannot go without one.
pub fn code_of(reason: ErrorReason) -> Code {
    match reason {
        ErrorReason::Unspecified | ErrorReason::Internal => Code::Internal,
        ErrorReason::InvalidFields
        | ErrorReason::InvalidPageToken
        | ErrorReason::RequestIdReused
        | ErrorReason::InvalidTimeout
        | ErrorReason::InvalidCursor => Code::InvalidArgument,
        ErrorReason::EtagMismatch | ErrorReason::Conflict => Code::Aborted,
        ErrorReason::NotFound => Code::NotFound,
        ErrorReason::AlreadyExists => Code::AlreadyExists,
        ErrorReason::FailedPrecondition => Code::FailedPrecondition,
        ErrorReason::Unauthenticated => Code::Unauthenticated,
        ErrorReason::PermissionDenied => Code::PermissionDenied,
        ErrorReason::Overloaded | ErrorReason::MessageTooLarge | ErrorReason::SlowReader => Code::ResourceExhausted,
        ErrorReason::DeadlineExceeded => Code::DeadlineExceeded,
        ErrorReason::StorageUnavailable | ErrorReason::ShuttingDown => Code::Unavailable,
        ErrorReason::CursorExpired => Code::OutOfRange,
        ErrorReason::Unimplemented => Code::Unimplemented,
    }
}

/// The reason as it stands in `ErrorInfo`: the enum's name without its prefix.
pub fn reason_text(reason: ErrorReason) -> &'static str {
    let name = reason.as_str_name();
    name.strip_prefix("ERROR_REASON_").unwrap_or(name)
}
