//! Everything that can go wrong in a use case, as a closed set.

use mainstay_delivery::EnqueueError;
use mainstay_domain::{AccountId, ProgramId, Violations};
use mainstay_service::RequestIdReused;
use mainstay_storage::{IsConflict, StorageError};
use thiserror::Error;

use crate::domain::invitation::{InvitationName, InvitationState, ResponseName};
use crate::domain::program::{ProgramMove, ProgramState};

/// Why a use case was refused or failed. `grpc/error.rs` says what callers get to see of it.
#[derive(Debug, Error)]
pub(crate) enum SurveysError {
    #[error("invalid fields: {0:?}")]
    Invalid(Violations),
    #[error("programme {0} does not exist")]
    ProgramNotFound(ProgramId),
    #[error("programme {0} exists")]
    ProgramExists(ProgramId),
    #[error("programme {id} is {state:?}, not a draft")]
    ProgramNotDraft { id: ProgramId, state: ProgramState },
    #[error("programme {id} is {state:?}: {step:?} is not possible")]
    IllegalMove { id: ProgramId, state: ProgramState, step: ProgramMove },
    #[error("account {0} is not known")]
    AccountNotFound(AccountId),
    #[error("invitation {0:?} does not exist")]
    InvitationNotFound(InvitationName),
    #[error("invitation {name:?} is {state:?}")]
    InvitationNotOpen { name: InvitationName, state: InvitationState },
    #[error("response {0:?} does not exist")]
    ResponseNotFound(ResponseName),
    #[error("the etag is not that of the stored resource")]
    EtagMismatch,
    #[error("the request id was used with another content")]
    RequestIdReused,
    #[error(transparent)]
    Enqueue(EnqueueError),
    #[error(transparent)]
    Storage(StorageError),
}

impl From<StorageError> for SurveysError {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl From<sqlx::Error> for SurveysError {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl From<EnqueueError> for SurveysError {
    fn from(error: EnqueueError) -> Self {
        match error {
            EnqueueError::Storage(error) => Self::Storage(error),
            invalid @ EnqueueError::Invalid(_) => Self::Enqueue(invalid),
        }
    }
}

impl From<RequestIdReused> for SurveysError {
    fn from(_: RequestIdReused) -> Self {
        Self::RequestIdReused
    }
}

impl From<Violations> for SurveysError {
    fn from(violations: Violations) -> Self {
        Self::Invalid(violations)
    }
}

impl IsConflict for SurveysError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Storage(error) if error.is_conflict())
    }
}
