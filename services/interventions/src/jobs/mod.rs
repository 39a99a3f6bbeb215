//! What happens because time passes, or because another service said something.

mod billing_digest;
mod clocks;
mod feeds;
mod monitoring;

use mainstay_jobs::JobError;

pub(crate) use billing_digest::BillingDigests;
pub(crate) use clocks::Clocks;
pub(crate) use feeds::{ScoringFeed, SurveysFeed};
pub(crate) use monitoring::Monitoring;

use crate::app::InterventionsError;

/// A use case's error as a job's.
fn job_error(error: InterventionsError) -> JobError {
    match error {
        InterventionsError::Storage(error) => error.into(),
        other => JobError::Retry(other.to_string()),
    }
}
