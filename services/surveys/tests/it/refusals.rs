//! What a refusal says.

use tonic::{Code, Status};
use tonic_types::StatusExt;

/// The fields that are wrong, in the order named.
pub(crate) fn violated_fields(status: &Status) -> Vec<String> {
    let violations = status.get_details_bad_request().map(|details| details.field_violations).unwrap_or_default();
    violations.into_iter().map(|violation| violation.field).collect()
}

/// The code and the reason of `ErrorInfo`.
pub(crate) fn refusal(status: &Status) -> (Code, String) {
    (status.code(), status.get_details_error_info().map(|info| info.reason).unwrap_or_default())
}
