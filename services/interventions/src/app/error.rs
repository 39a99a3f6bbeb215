//! Everything that can go wrong in a use case, as a closed set.

use mainstay_domain::Violations;
use mainstay_service::RequestIdReused;
use mainstay_storage::{IsConflict, StorageError};
use thiserror::Error;
use uuid::Uuid;

use crate::domain::alert::{AlertState, RefusedMove};
use crate::domain::case::{CaseState, RefusedCaseMove};

/// Why a use case was refused or failed. `grpc/error.rs` says what callers get to see of it.
#[derive(Debug, Error)]
pub(crate) enum InterventionsError {
    #[error("invalid fields: {0:?}")]
    Invalid(Violations),
    #[error("account {0} is not known")]
    AccountNotFound(String),
    #[error("account {0} is a customer no more")]
    AccountGone(String),
    #[error("alert {0} does not exist")]
    AlertNotFound(Uuid),
    #[error("alert {0} is closed")]
    AlertClosed(Uuid),
    #[error("alert {id} is {state:?}; missing: {missing:?}")]
    IllegalAlertMove { id: Uuid, state: AlertState, missing: Vec<&'static str> },
    #[error("case {0} does not exist")]
    CaseNotFound(Uuid),
    #[error("case {0} is closed")]
    CaseClosed(Uuid),
    #[error("case {0} is open")]
    CaseOpen(Uuid),
    #[error("case {id} is {state:?}; missing: {missing:?}")]
    IllegalCaseMove { id: Uuid, state: CaseState, missing: Vec<String> },
    #[error("task {0} does not exist")]
    TaskNotFound(Uuid),
    #[error("policy {0} does not exist")]
    PolicyNotFound(String),
    #[error("scoring did not confirm the score: {0}")]
    ScoreNotConfirmed(String),
    #[error("the etag is not that of the stored resource")]
    EtagMismatch,
    #[error(transparent)]
    RequestIdReused(#[from] RequestIdReused),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl InterventionsError {
    /// Of a move of the alert that was refused.
    pub(crate) fn of_alert(id: Uuid, refused: RefusedMove) -> Self {
        match refused {
            RefusedMove::Closed => Self::AlertClosed(id),
            RefusedMove::Illegal { state, missing } => Self::IllegalAlertMove { id, state, missing },
        }
    }

    /// Of a move of the case that was refused.
    pub(crate) fn of_case(id: Uuid, refused: RefusedCaseMove) -> Self {
        match refused {
            RefusedCaseMove::Closed => Self::CaseClosed(id),
            RefusedCaseMove::Illegal { state, missing } => Self::IllegalCaseMove { id, state, missing },
        }
    }
}

impl IsConflict for InterventionsError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Storage(error) if error.is_conflict())
    }
}
