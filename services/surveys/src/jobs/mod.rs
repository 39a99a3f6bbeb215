//! What happens because time passes, or because another service said something; calls use cases.

mod enrolments;
mod follow_ups;
mod interventions_feed;
mod occasions;
mod resurveys;
mod scoring_feed;

use mainstay_events::HandlerError;
use mainstay_jobs::JobError;

pub(crate) use enrolments::Enrolments;
pub(crate) use follow_ups::FollowUps;
pub(crate) use interventions_feed::InterventionsFeed;
pub(crate) use occasions::Occasions;
pub(crate) use resurveys::Resurveys;
pub(crate) use scoring_feed::ScoringFeed;

use crate::app::SurveysError;

/// A use case's error as a job's.
fn job_error(error: SurveysError) -> JobError {
    match error {
        SurveysError::Storage(error) => error.into(),
        other => JobError::Retry(other.to_string()),
    }
}

/// A use case's error as that of an event's handler.
fn handler_error(error: SurveysError) -> HandlerError {
    match error {
        SurveysError::Storage(error) => error.into(),
        other => HandlerError::Retry(other.to_string()),
    }
}
