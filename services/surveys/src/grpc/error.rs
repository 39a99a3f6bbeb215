//! What callers get to see of each error: the one place that turns use cases'
//! errors into statuses. `docs/errors.md` lists them.

use mainstay_api::mainstay::common::v1::ErrorReason as CommonReason;
use mainstay_api::mainstay::surveys::v1::ErrorReason;
use mainstay_rpc::ApiError;
use tonic::{Code, Status};

use crate::app::SurveysError;

const DOMAIN: &str = "surveys.mainstay";

fn of(code: Code, reason: ErrorReason, message: String) -> ApiError {
    ApiError::new(code, DOMAIN, reason.as_str_name(), message)
}

impl From<SurveysError> for ApiError {
    fn from(error: SurveysError) -> Self {
        match error {
            SurveysError::Invalid(violations) => Self::invalid(violations),
            SurveysError::ProgramNotFound(id) => {
                of(Code::NotFound, ErrorReason::ProgramNotFound, format!("{} does not exist", id.name()))
                    .with_metadata("program", id.name())
            }
            SurveysError::ProgramExists(id) => of(
                Code::AlreadyExists,
                ErrorReason::ProgramExists,
                format!("{} exists: update it while it is a draft, or choose another id", id.name()),
            )
            .with_metadata("program", id.name()),
            SurveysError::ProgramNotDraft { id, state } => of(
                Code::FailedPrecondition,
                ErrorReason::ProgramNotDraft,
                format!("{} is no draft any more: archive it and create another with the new wording", id.name()),
            )
            .with_metadata("program", id.name())
            .with_metadata("state", state.word())
            .with_precondition("STATE", id.name(), "the programme must be a draft"),
            SurveysError::IllegalMove { id, state, step } => of(
                Code::FailedPrecondition,
                ErrorReason::IllegalProgramState,
                format!("{} is {}, and {}", id.name(), state.word(), step.sources()),
            )
            .with_metadata("program", id.name())
            .with_metadata("state", state.word())
            .with_precondition("STATE", id.name(), step.sources()),
            SurveysError::AccountNotFound(id) => of(
                Code::NotFound,
                ErrorReason::AccountNotFound,
                format!("{} is not known here: create it in scoring, which tells of it within a second", id.name()),
            )
            .with_metadata("account", id.name()),
            SurveysError::InvitationNotFound(name) => {
                of(Code::NotFound, ErrorReason::InvitationNotFound, format!("{} does not exist", name.name()))
                    .with_metadata("invitation", name.name())
            }
            SurveysError::InvitationNotOpen { name, state } => of(
                Code::FailedPrecondition,
                ErrorReason::InvitationNotOpen,
                format!("{} cannot be answered: it is {}", name.name(), state.word()),
            )
            .with_metadata("invitation", name.name())
            .with_metadata("state", state.word())
            .with_precondition("STATE", name.name(), "the invitation must be SENT and not have expired"),
            SurveysError::ResponseNotFound(name) => {
                of(Code::NotFound, ErrorReason::ResponseNotFound, format!("{} does not exist", name.name()))
                    .with_metadata("response", name.name())
            }
            SurveysError::EtagMismatch => Self::common(
                CommonReason::EtagMismatch,
                "the etag is not that of the stored resource: somebody changed it; read it again and decide anew",
            ),
            SurveysError::RequestIdReused => Self::common(
                CommonReason::RequestIdReused,
                "this request_id was used before with another content: use a new id for a new request",
            ),
            SurveysError::Enqueue(error) => Self::internal(error),
            SurveysError::Storage(error) => error.into(),
        }
    }
}

impl From<SurveysError> for Status {
    fn from(error: SurveysError) -> Self {
        ApiError::from(error).into()
    }
}
