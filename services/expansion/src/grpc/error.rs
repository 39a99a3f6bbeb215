//! What callers get to see of each error: the one place that turns use cases'
//! errors into statuses. `docs/errors.md` lists them.

use mainstay_api::mainstay::common::v1::ErrorReason as CommonReason;
use mainstay_api::mainstay::expansion::v1::ErrorReason;
use mainstay_rpc::ApiError;
use tonic::{Code, Status};

use crate::app::ExpansionError;
use crate::convert::qualification::review_name;

const DOMAIN: &str = "expansion.mainstay";

fn of(code: Code, reason: ErrorReason, message: String) -> ApiError {
    ApiError::new(code, DOMAIN, reason.as_str_name(), message)
}

impl From<ExpansionError> for ApiError {
    fn from(error: ExpansionError) -> Self {
        match error {
            ExpansionError::Invalid(violations) => Self::invalid(violations),
            ExpansionError::AccountNotFound(id) => of(
                Code::NotFound,
                ErrorReason::AccountNotFound,
                format!("{} is not known here: create it in scoring, which tells of it a moment later", id.name()),
            )
            .with_metadata("account", id.name()),
            ExpansionError::AccountGone(id) => {
                let name = id.name();
                of(
                    Code::FailedPrecondition,
                    ErrorReason::AccountGone,
                    format!("{name} churned or is archived: nothing new is sold to it"),
                )
                .with_metadata("account", name.clone())
                .with_precondition("GONE", name, "the account must be a customer")
            }
            ExpansionError::PlanNotFound(name) => {
                let what = if name.version.is_some() { "does not exist" } else { "has no version in force" };
                of(Code::NotFound, ErrorReason::PlanNotFound, format!("{} {what}", name.name()))
                    .with_metadata("plan", name.name())
            }
            ExpansionError::PlanSuperseded { plan, published } => of(
                Code::FailedPrecondition,
                ErrorReason::PlanSuperseded,
                format!("version {published} is published and newer: create a new version"),
            )
            .with_metadata("plan", plan.name())
            .with_metadata("published", format!("{}/versions/{published}", plan.id.name())),
            ExpansionError::PlansNotComparable(missing) => {
                let message = "the plans cannot be compared for the account: see what is not known".to_owned();
                missing
                    .into_iter()
                    .fold(of(Code::FailedPrecondition, ErrorReason::PlansNotComparable, message), |error, missing| {
                        error.with_precondition(missing.kind, "", missing.text)
                    })
            }
            ExpansionError::ReviewNotFound(month) => of(
                Code::NotFound,
                ErrorReason::ReviewNotFound,
                format!("{month} was not reviewed: RunReview begins its review"),
            )
            .with_metadata("review", review_name(month)),
            ExpansionError::CandidateNotFound(name) => {
                of(Code::NotFound, ErrorReason::CandidateNotFound, format!("{name} does not exist"))
                    .with_metadata("candidate", name)
            }
            ExpansionError::OpportunityNotFound(name) => {
                of(Code::NotFound, ErrorReason::OpportunityNotFound, format!("{} does not exist", name.name()))
                    .with_metadata("opportunity", name.name())
            }
            ExpansionError::OpportunityExists(name) => of(
                Code::AlreadyExists,
                ErrorReason::OpportunityExists,
                format!("{} is open for the account and metric: go on with it", name.name()),
            )
            .with_metadata("opportunity", name.name()),
            ExpansionError::MoveNotAllowed { opportunity, stage, missing } => {
                let message = format!(
                    "the opportunity is in the stage {} and may not move so: see what is missing",
                    stage.words()
                );
                let error = of(Code::FailedPrecondition, ErrorReason::MoveNotAllowed, message)
                    .with_metadata("opportunity", opportunity.name())
                    .with_metadata("stage", stage.words());
                missing.into_iter().fold(error, |error, missing| {
                    error.with_precondition(missing.kind, opportunity.name(), missing.text)
                })
            }
            ExpansionError::SalesOwnerMissing(account) => of(
                Code::FailedPrecondition,
                ErrorReason::SalesOwnerMissing,
                format!("{} has no account manager: name to_email, or set the owner in scoring", account.name()),
            )
            .with_metadata("account", account.name())
            .with_precondition("OWNER", account.name(), "an owner with the role account manager"),
            ExpansionError::EtagMismatch => Self::common(
                CommonReason::EtagMismatch,
                "the etag is not that of the stored resource: somebody changed it; read it again and decide anew",
            ),
            ExpansionError::RequestIdReused => Self::common(
                CommonReason::RequestIdReused,
                "this request_id was used before with another content: use a new id for a new request",
            ),
            ExpansionError::Storage(error) => error.into(),
        }
    }
}

impl From<ExpansionError> for Status {
    fn from(error: ExpansionError) -> Self {
        ApiError::from(error).into()
    }
}
