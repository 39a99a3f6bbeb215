//! Asks contacts again after their case was resolved.

use async_trait::async_trait;
use chrono::DateTime;
use mainstay_domain::AccountId;
use mainstay_jobs::{Job, JobError, JobHandler, Outcome};
use sqlx::PgConnection;

use super::job_error;
use crate::app::queues::{RESURVEYS_QUEUE, ResurveyOrder};
use crate::app::schedule_resurvey::ResolvedCase;
use crate::app::{App, resurvey_contact};
use crate::domain::invitation::ResponseName;

/// The worker of [`RESURVEYS_QUEUE`].
pub(crate) struct Resurveys(pub App);

#[async_trait]
impl JobHandler for Resurveys {
    fn queue(&self) -> &'static str {
        RESURVEYS_QUEUE
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        let mut outcomes = Vec::new();
        for job in jobs {
            let next = resurvey_contact::execute(&self.0, connection, &case(job)?).await.map_err(job_error)?;
            outcomes.push(match next {
                Some(due_at) => Outcome::Again { due_at, low_mark: None, payload: None },
                None => Outcome::Done,
            });
        }
        Ok(outcomes)
    }
}

fn case(job: &Job) -> Result<ResolvedCase, JobError> {
    let unreadable = |error: &dyn std::fmt::Display| JobError::Dead(format!("the order cannot be read: {error}"));
    let order: ResurveyOrder = serde_json::from_value(job.payload.clone()).map_err(|error| unreadable(&error))?;
    let account = AccountId::parse(&order.account).map_err(|error| unreadable(&error))?;
    let resolved_at =
        DateTime::from_timestamp_micros(order.resolved_at_micros).ok_or_else(|| unreadable(&"the time is none"))?;
    let response = ResponseName { account, id: order.response };
    Ok(ResolvedCase { case: order.case, response, resolved_at })
}
