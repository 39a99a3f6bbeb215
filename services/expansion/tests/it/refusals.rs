//! What refusals say.

use tonic::Status;
use tonic_types::StatusExt;

/// The reason in a status's details.
pub(crate) fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

/// The fields at fault, in the order given.
pub(crate) fn fields(status: &Status) -> Vec<String> {
    let violations = status.get_details_bad_request().map(|details| details.field_violations).unwrap_or_default();
    violations.into_iter().map(|violation| violation.field).collect()
}

/// What is missing, as kinds and descriptions.
pub(crate) fn missing(status: &Status) -> Vec<(String, String)> {
    let violations = status.get_details_precondition_failure().map(|details| details.violations).unwrap_or_default();
    violations.into_iter().map(|violation| (violation.r#type, violation.description)).collect()
}
