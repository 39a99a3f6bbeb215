//! What callers get to see of each error: the one place that turns use cases'
//! errors into statuses. `docs/errors.md` lists them.

use std::time::Duration;

use mainstay_api::mainstay::common::v1::ErrorReason as CommonReason;
use mainstay_api::mainstay::interventions::v1::ErrorReason;
use mainstay_rpc::ApiError;
use tonic::{Code, Status};

use crate::app::InterventionsError;
use crate::convert::names;

const DOMAIN: &str = "interventions.mainstay";

/// How long to leave scoring before it is asked again.
const SCORING_RETRY: Duration = Duration::from_secs(5);

fn of(code: Code, reason: ErrorReason, message: String) -> ApiError {
    let text = reason.as_str_name();
    ApiError::new(code, DOMAIN, text.strip_prefix("ERROR_REASON_").unwrap_or(text), message)
}

impl From<InterventionsError> for ApiError {
    fn from(error: InterventionsError) -> Self {
        match error {
            InterventionsError::Invalid(violations) => Self::invalid(violations),
            InterventionsError::AccountNotFound(name) => of(
                Code::NotFound,
                ErrorReason::AccountNotFound,
                format!("{name} is not known here: create it in scoring, which tells of it within seconds"),
            )
            .with_metadata("account", name),
            InterventionsError::AccountGone(name) => of(
                Code::FailedPrecondition,
                ErrorReason::AccountGone,
                format!("{name} churned or is archived: no new work begins on it"),
            )
            .with_metadata("account", name.clone())
            .with_precondition("GONE", name, "the account must be a customer"),
            InterventionsError::AlertNotFound(id) => {
                let name = names::alert(id);
                of(Code::NotFound, ErrorReason::AlertNotFound, format!("{name} does not exist"))
                    .with_metadata("alert", name)
            }
            InterventionsError::AlertClosed(id) => {
                let name = names::alert(id);
                of(Code::FailedPrecondition, ErrorReason::AlertClosed, format!("{name} is closed"))
                    .with_metadata("alert", name.clone())
                    .with_precondition("CLOSED", name, "the alert must be open")
            }
            InterventionsError::IllegalAlertMove { id, state, missing } => {
                illegal_move(&names::alert(id), state.words(), missing.into_iter().map(str::to_owned).collect())
            }
            InterventionsError::CaseNotFound(id) => {
                let name = names::case(id);
                of(Code::NotFound, ErrorReason::CaseNotFound, format!("{name} does not exist"))
                    .with_metadata("case", name)
            }
            InterventionsError::CaseClosed(id) => {
                let name = names::case(id);
                of(Code::FailedPrecondition, ErrorReason::CaseClosed, format!("{name} is closed"))
                    .with_metadata("case", name.clone())
                    .with_precondition("CLOSED", name, "the case must be open")
            }
            InterventionsError::CaseOpen(id) => {
                let name = names::case(id);
                of(Code::AlreadyExists, ErrorReason::CaseOpen, format!("the account has an open case: {name}"))
                    .with_metadata("case", name)
            }
            InterventionsError::IllegalCaseMove { id, state, missing } => {
                illegal_move(&names::case(id), state.words(), missing)
            }
            InterventionsError::TaskNotFound(id) => {
                let name = names::task(id);
                of(Code::NotFound, ErrorReason::TaskNotFound, format!("{name} does not exist"))
                    .with_metadata("task", name)
            }
            InterventionsError::PolicyNotFound(name) => {
                of(Code::NotFound, ErrorReason::PolicyNotFound, format!("{name} does not exist in this version"))
                    .with_metadata("policy", name)
            }
            InterventionsError::ScoreNotConfirmed(why) => of(
                Code::Unavailable,
                ErrorReason::ScoreNotConfirmed,
                format!("scoring must confirm the recovery and does not ({why}): try again"),
            )
            .with_retry_after(SCORING_RETRY),
            InterventionsError::EtagMismatch => Self::common(
                CommonReason::EtagMismatch,
                "the etag or version is not that of the stored resource: somebody changed it; read it again and decide anew",
            ),
            InterventionsError::RequestIdReused(_) => Self::common(
                CommonReason::RequestIdReused,
                "this request_id was used before with another content: use a new id for a new request",
            ),
            InterventionsError::Storage(error) => error.into(),
        }
    }
}

/// A move that the state does not allow: each thing that is missing is a precondition of its own.
fn illegal_move(name: &str, state: &str, missing: Vec<String>) -> ApiError {
    let message = format!("{name} is {state}; missing: {}", missing.join(", "));
    let error =
        of(Code::FailedPrecondition, ErrorReason::IllegalMove, message).with_metadata("state", state.to_owned());
    missing.into_iter().fold(error, |error, what| error.with_precondition("MISSING", name, what))
}

impl From<InterventionsError> for Status {
    fn from(error: InterventionsError) -> Self {
        ApiError::from(error).into()
    }
}
