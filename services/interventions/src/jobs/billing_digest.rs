//! The daily digest of billing alerts.

use async_trait::async_trait;
use chrono::DateTime;
use mainstay_jobs::{Job, JobError, JobHandler, Outcome};
use sqlx::PgConnection;

use super::job_error;
use crate::app::queues::BILLING_DIGEST_QUEUE;
use crate::app::{App, send_billing_digest};

/// The worker of [`BILLING_DIGEST_QUEUE`].
pub(crate) struct BillingDigests(pub App);

#[async_trait]
impl JobHandler for BillingDigests {
    fn queue(&self) -> &'static str {
        BILLING_DIGEST_QUEUE
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            let since = job.low_mark.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
            let next = send_billing_digest::execute(&self.0, connection, since).await.map_err(job_error)?;
            outcomes.push(match next {
                Some(next) => Outcome::Again {
                    due_at: next.due_at,
                    low_mark: next.since.map(|since| since.timestamp()),
                    payload: None,
                },
                None => Outcome::Done,
            });
        }
        Ok(outcomes)
    }
}
