//! The one error type of the RPC surface and its way onto the wire.
//!
//! An [`ApiError`] always carries a reason from a closed enum of the protos. It
//! becomes a `tonic::Status` with `google.rpc` details, small enough for the
//! headers of every client.

mod api_error;
mod details;
mod reasons;
mod storage;

pub use api_error::ApiError;
pub use details::{HEADER_BYTES_MAX, attach_request_info};
pub use reasons::{COMMON_DOMAIN, code_of, reason_text};
