//! What happens because time passes, or because another service said something.

mod clock;
mod interventions_feed;
mod review;
mod scoring_feed;

pub(crate) use clock::RingClocks;
pub(crate) use interventions_feed::InterventionsFeed;
pub(crate) use review::{BeginReviews, ReviewPages};
pub(crate) use scoring_feed::ScoringFeed;

use mainstay_events::{Event, HandlerError};
use mainstay_jobs::JobError;
use prost::{Message, Name};

use crate::app::ExpansionError;

/// A use case's error as a job's.
fn job_error(error: ExpansionError) -> JobError {
    match error {
        ExpansionError::Storage(error) => error.into(),
        other => JobError::Retry(other.to_string()),
    }
}

/// A message that this version cannot read will not become readable.
fn decode<M: Message + Name + Default>(event: &Event) -> Result<M, HandlerError> {
    event.decode().map_err(|error| HandlerError::Skip(error.to_string()))
}

fn unreadable(field: &'static str) -> HandlerError {
    HandlerError::Skip(format!("the field `{field}` cannot be read"))
}
