//! What happens because time passes, or because another service said something.

mod clock;
mod interventions_feed;
mod review;
mod scoring_feed;

pub(crate) use clock::RingClocks;
pub(crate) use interventions_feed::InterventionsFeed;
pub(crate) use review::{BeginReviews, ReviewPages};
pub(crate) use scoring_feed::ScoringFeed;

use mainstay_events::HandlerError;
use mainstay_jobs::JobError;

use crate::app::ExpansionError;

/// A use case's error as a job's.
fn job_error(error: ExpansionError) -> JobError {
    match error {
        ExpansionError::Storage(error) => error.into(),
        other => JobError::Retry(other.to_string()),
    }
}

fn unreadable(field: &'static str) -> HandlerError {
    HandlerError::Skip(format!("the field `{field}` cannot be read"))
}
