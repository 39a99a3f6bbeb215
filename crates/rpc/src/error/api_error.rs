//! The error type.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use mainstay_api::google::rpc;
use mainstay_api::google::rpc::precondition_failure;
use mainstay_api::mainstay::common::v1::ErrorReason;
use mainstay_domain::Violations;
use tonic::{Code, Status};

use super::details;
use super::reasons::{COMMON_DOMAIN, code_of, reason_text};

/// How many fields the message of [`ApiError::invalid`] names.
const FIELDS_NAMED: usize = 3;

/// An answer that says no: what is wrong, why in a word programs can match,
/// and what the caller can do.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiError(Box<Parts>);

/// Behind a pointer, so that a `Result` costs no more for the error it seldom holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parts {
    pub(super) code: Code,
    pub(super) domain: &'static str,
    pub(super) reason: &'static str,
    pub(super) message: String,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) violations: Violations,
    pub(super) retry_after: Option<Duration>,
    pub(super) preconditions: Vec<precondition_failure::Violation>,
}

impl ApiError {
    /// An error of a service's own reason. `domain` is that of its enum, for
    /// example `scoring.mainstay`; `reason` goes without `ERROR_REASON_`, which
    /// is taken off if it is there; `message` says what to do.
    pub fn new(code: Code, domain: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            code,
            domain,
            reason: reason.strip_prefix("ERROR_REASON_").unwrap_or(reason),
            message: message.into(),
            metadata: BTreeMap::new(),
            violations: Violations::new(),
            retry_after: None,
            preconditions: Vec::new(),
        }))
    }

    /// An error of a reason that all services share; its code is fixed.
    pub fn common(reason: ErrorReason, message: impl Into<String>) -> Self {
        Self::new(code_of(reason), COMMON_DOMAIN, reason_text(reason), message)
    }

    /// `INVALID_ARGUMENT` with all the faults of a request, at least one.
    pub fn invalid(violations: Violations) -> Self {
        let names: Vec<&str> = violations.iter().take(FIELDS_NAMED).map(|violation| violation.field.as_str()).collect();
        let more = if violations.len() > names.len() { ", …" } else { "" };
        let message = match violations.len() {
            1 => format!("1 field is invalid: {}", names.join(", ")),
            count => format!("{count} fields are invalid: {}{more}", names.join(", ")),
        };
        Self::common(ErrorReason::InvalidFields, message).with_violations(violations)
    }

    /// A fault of ours. `error` goes to the log, once, here; the caller reads
    /// only that it happened.
    pub fn internal(error: impl fmt::Display + fmt::Debug) -> Self {
        tracing::error!(error = %error, detail = ?error, "internal error");
        Self::common(
            ErrorReason::Internal,
            "an internal error; the server's log has it under the request_id of RequestInfo",
        )
    }

    /// Adds a pair to `ErrorInfo.metadata`. Keys are `lower_snake_case`, as the
    /// reason's comment in the proto names them.
    #[must_use]
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.metadata.insert(key.into(), value.into());
        self
    }

    /// Names the faulty fields of an error whose reason says more than
    /// `INVALID_FIELDS` does.
    #[must_use]
    pub fn with_violations(mut self, violations: Violations) -> Self {
        self.0.violations = violations;
        self
    }

    /// Says in `RetryInfo` that the same call may work after this time.
    #[must_use]
    pub fn with_retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }

    /// Adds what is missing to `PreconditionFailure`: the kind of condition,
    /// what it is about (a resource name) and how to meet it.
    #[must_use]
    pub fn with_precondition(
        mut self,
        r#type: impl Into<String>,
        subject: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        self.0.preconditions.push(precondition_failure::Violation {
            r#type: r#type.into(),
            subject: subject.into(),
            description: description.into(),
        });
        self
    }

    /// The gRPC code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The reason, without `ERROR_REASON_`.
    pub fn reason(&self) -> &'static str {
        self.0.reason
    }

    /// The domain of the reason.
    pub fn domain(&self) -> &'static str {
        self.0.domain
    }

    /// What is wrong and what to do.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The faulty fields; empty unless the error is about fields.
    pub fn violations(&self) -> &Violations {
        &self.0.violations
    }

    /// The error as the status of one item of a batch.
    pub fn into_rpc_status(self) -> rpc::Status {
        details::rpc_status(*self.0)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}: {}", self.0.domain, self.0.reason, self.0.message)
    }
}

impl std::error::Error for ApiError {}

impl From<Violations> for ApiError {
    fn from(violations: Violations) -> Self {
        Self::invalid(violations)
    }
}

impl From<ApiError> for Status {
    fn from(error: ApiError) -> Self {
        details::tonic_status(*error.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_fault_is_told_in_the_singular() {
        let mut violations = Violations::new();
        violations.add("account.arr", "must not be negative");
        let error = ApiError::from(violations);
        assert_eq!(error.code(), Code::InvalidArgument);
        assert_eq!((error.domain(), error.reason()), ("mainstay", "INVALID_FIELDS"));
        assert_eq!(error.message(), "1 field is invalid: account.arr");
    }

    #[test]
    fn the_prefix_of_a_reason_is_taken_off() {
        let error = ApiError::new(Code::NotFound, "scoring.mainstay", "ERROR_REASON_MODEL_NOT_FOUND", "no such model");
        assert_eq!(error.reason(), "MODEL_NOT_FOUND");
    }

    #[test]
    fn an_internal_error_tells_nothing_of_its_cause() {
        let error = ApiError::internal("password=hunter2");
        assert_eq!((error.code(), error.reason()), (Code::Internal, "INTERNAL"));
        assert!(!error.to_string().contains("hunter2"));
    }
}
