//! Everything that can go wrong in a use case, as a closed set.

use mainstay_domain::{AccountId, Violations};
use mainstay_service::RequestIdReused;
use mainstay_storage::{IsConflict, StorageError};
use thiserror::Error;

use crate::domain::{Missing, Month, MoveRefused, OpportunityName, PlanName, Stage};

/// Why a use case was refused or failed. `grpc/error.rs` says what callers get to see of it.
#[derive(Debug, Error)]
pub(crate) enum ExpansionError {
    #[error("invalid fields: {0:?}")]
    Invalid(Violations),
    #[error("account {0} is not known")]
    AccountNotFound(AccountId),
    #[error("account {0} churned or is archived")]
    AccountGone(AccountId),
    #[error("plan {} does not exist", .0.name())]
    PlanNotFound(PlanName),
    #[error("version {published} of plan {} is published", .plan.name())]
    PlanSuperseded { plan: PlanName, published: i32 },
    #[error("plans cannot be compared: {0:?}")]
    PlansNotComparable(Vec<Missing>),
    #[error("the month {0} was not reviewed")]
    ReviewNotFound(Month),
    #[error("candidate {0} does not exist")]
    CandidateNotFound(String),
    #[error("opportunity {} does not exist", .0.name())]
    OpportunityNotFound(OpportunityName),
    #[error("opportunity {} is open for the metric", .0.name())]
    OpportunityExists(OpportunityName),
    #[error("opportunity {} in {stage:?} may not move so: {missing:?}", .opportunity.name())]
    MoveNotAllowed { opportunity: OpportunityName, stage: Stage, missing: Vec<Missing> },
    #[error("account {0} has no account manager")]
    SalesOwnerMissing(AccountId),
    #[error("the etag is not that of the stored resource")]
    EtagMismatch,
    #[error("the request id was used with another content")]
    RequestIdReused,
    #[error(transparent)]
    Storage(StorageError),
}

impl ExpansionError {
    /// One field that is wrong.
    pub(crate) fn field(field: &str, description: impl Into<String>) -> Self {
        let mut found = Violations::new();
        found.add(field, description);
        Self::Invalid(found)
    }

    /// A move that was refused to an opportunity in a stage.
    pub(crate) fn refused(opportunity: &OpportunityName, stage: Stage, refused: MoveRefused) -> Self {
        Self::MoveNotAllowed { opportunity: opportunity.clone(), stage, missing: refused.0 }
    }
}

impl From<StorageError> for ExpansionError {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl From<sqlx::Error> for ExpansionError {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl From<RequestIdReused> for ExpansionError {
    fn from(_: RequestIdReused) -> Self {
        Self::RequestIdReused
    }
}

impl IsConflict for ExpansionError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Storage(error) if error.is_conflict())
    }
}
