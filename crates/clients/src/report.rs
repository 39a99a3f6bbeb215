//! Errors that people and programs can read.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::time::Duration;

use prost::Message;
use serde::Serialize;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// All that a service said about a failed call.
///
/// Its text is for people, one fact a line; [`ErrorReport::to_json`] is for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorReport {
    /// gRPC's code, as in the specification: `INVALID_ARGUMENT`.
    pub code: &'static str,
    /// What is wrong and what to do.
    pub message: String,
    /// Stable name of the fault, for example `INVALID_FIELDS`; `docs/errors.md` lists them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whose reason it is: `mainstay` for the common ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Particulars of the reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldFault>,
    /// What would have to hold first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub preconditions: Vec<UnmetPrecondition>,
    /// The call's id in the server's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// After how many milliseconds to try again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// A field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldFault {
    /// Its path, for example `signals[3].usage.metric`.
    pub field: String,
    /// What is wrong and what would be right.
    pub description: String,
}

/// Something that would have to hold before the call can succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnmetPrecondition {
    /// Of what it must hold, for example `accounts/acme`.
    pub subject: String,
    /// What must hold.
    pub description: String,
}

impl ErrorReport {
    /// The report as one JSON object.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// What is wrong; the code when nothing more was said.
    fn headline(&self) -> &str {
        if self.message.is_empty() { self.code } else { &self.message }
    }

    /// The report on one line: the faults of fields, else the message.
    pub fn one_line(&self) -> String {
        if self.fields.is_empty() {
            return self.headline().lines().collect::<Vec<_>>().join(" ");
        }
        let faults = self.fields.iter().map(|fault| format!("{}: {}", fault.field, fault.description));
        faults.collect::<Vec<_>>().join("; ")
    }
}

impl From<&Status> for ErrorReport {
    fn from(status: &Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info();
        let fields = details.bad_request().map(|bad| bad.field_violations.as_slice()).unwrap_or_default();
        let preconditions = details.precondition_failure().map(|unmet| unmet.violations.as_slice()).unwrap_or_default();
        let retry_after = details.retry_info().and_then(|info| info.retry_delay);
        Self {
            code: code_name(status.code()),
            message: status.message().to_owned(),
            reason: info.map(|info| info.reason.clone()),
            domain: info.map(|info| info.domain.clone()),
            metadata: info.map(|info| info.metadata.clone().into_iter().collect()).unwrap_or_default(),
            fields: fields
                .iter()
                .map(|fault| FieldFault { field: fault.field.clone(), description: fault.description.clone() })
                .collect(),
            preconditions: preconditions
                .iter()
                .map(|unmet| UnmetPrecondition {
                    subject: unmet.subject.clone(),
                    description: unmet.description.clone(),
                })
                .collect(),
            request_id: details.request_info().map(|info| info.request_id.clone()).filter(|id| !id.is_empty()),
            retry_after_ms: retry_after.map(|pause| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX)),
        }
    }
}

impl From<&mainstay_api::google::rpc::Status> for ErrorReport {
    /// The report of one item of a batch.
    fn from(status: &mainstay_api::google::rpc::Status) -> Self {
        let details = status.encode_to_vec().into();
        Self::from(&Status::with_details(Code::from_i32(status.code), status.message.clone(), details))
    }
}

impl fmt::Display for ErrorReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        writeln!(text, "{}", self.headline())?;
        for fault in &self.fields {
            writeln!(text, "  {}: {}", fault.field, fault.description)?;
        }
        for unmet in &self.preconditions {
            writeln!(text, "  {}: {}", unmet.subject, unmet.description)?;
        }
        match &self.reason {
            Some(reason) => writeln!(text, "  reason: {reason} ({})", self.code)?,
            None => writeln!(text, "  code: {}", self.code)?,
        }
        for (key, value) in &self.metadata {
            writeln!(text, "  {key}: {value}")?;
        }
        if let Some(request_id) = &self.request_id {
            writeln!(text, "  request id: {request_id}")?;
        }
        if let Some(millis) = self.retry_after_ms {
            writeln!(text, "  try again in {:?}", Duration::from_millis(millis))?;
        }
        out.write_str(text.trim_end())
    }
}

fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::{ErrorDetails, FieldViolation};

    use super::*;

    fn refused() -> Status {
        let mut details = ErrorDetails::with_bad_request(vec![
            FieldViolation::new("account.arr.currency_code", "must be three capital letters, not `eur`"),
            FieldViolation::new("account.seats", "must be 0 or more, not -3"),
        ]);
        details.set_error_info("INVALID_FIELDS", "mainstay", [("count".to_owned(), "2".to_owned())]);
        details.set_request_info("0192-abc", "");
        details.set_retry_info(Some(Duration::from_millis(1_500)));
        Status::with_error_details(Code::InvalidArgument, "2 fields are wrong", details)
    }

    #[test]
    fn people_read_every_fault_on_a_line() {
        let text = ErrorReport::from(&refused()).to_string();
        assert_eq!(
            text,
            "2 fields are wrong\n  account.arr.currency_code: must be three capital letters, not `eur`\n  \
             account.seats: must be 0 or more, not -3\n  reason: INVALID_FIELDS (INVALID_ARGUMENT)\n  count: 2\n  \
             request id: 0192-abc\n  try again in 1.5s"
        );
    }

    #[test]
    fn programs_read_the_same_as_json() {
        let json = ErrorReport::from(&refused()).to_json();
        assert_eq!(json["code"], "INVALID_ARGUMENT");
        assert_eq!(json["reason"], "INVALID_FIELDS");
        assert_eq!(json["fields"][1]["field"], "account.seats");
        assert_eq!(json["retry_after_ms"], 1_500);
        let bare = ErrorReport::from(&Status::not_found("no such account")).to_json();
        assert_eq!(bare, serde_json::json!({"code": "NOT_FOUND", "message": "no such account"}));
    }

    #[test]
    fn an_error_without_words_is_told_by_its_code() {
        let report = ErrorReport::from(&Status::new(Code::Unimplemented, ""));
        assert_eq!(report.one_line(), "UNIMPLEMENTED");
        assert_eq!(report.to_string(), "UNIMPLEMENTED\n  code: UNIMPLEMENTED");
    }

    #[test]
    fn the_status_of_an_item_reads_as_that_of_a_call() {
        let status = refused();
        let item = mainstay_api::google::rpc::Status::decode(status.details()).expect("a status");
        assert_eq!(ErrorReport::from(&item), ErrorReport::from(&status));
        assert_eq!(
            ErrorReport::from(&item).one_line(),
            "account.arr.currency_code: must be three capital letters, not `eur`; account.seats: must be 0 or more, not -3"
        );
    }
}
