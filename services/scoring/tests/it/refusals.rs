//! What a refusal says.

use tonic::Status;
use tonic_types::StatusExt;

/// The fields that are wrong, in the order named.
pub(crate) fn violated_fields(status: &Status) -> Vec<String> {
    let violations = status.get_details_bad_request().map(|details| details.field_violations).unwrap_or_default();
    violations.into_iter().map(|violation| violation.field).collect()
}

/// The reason of `ErrorInfo`.
pub(crate) fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}
