//! The daily digest of billing alerts.

use async_trait::async_trait;
use chrono::{DateTime, NaiveTime};
use mainstay_jobs::{Job, JobError, JobHandler, Outcome};
use sqlx::PgConnection;

use super::job_error;
use crate::app::queues::BILLING_DIGEST_QUEUE;
use crate::app::{App, send_billing_digest};

/// The worker of [`BILLING_DIGEST_QUEUE`].
pub(crate) struct BillingDigests {
    pub app: App,
    pub time_of_day: NaiveTime,
}

#[async_trait]
impl JobHandler for BillingDigests {
    fn queue(&self) -> &'static str {
        BILLING_DIGEST_QUEUE
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            let since = job.low_mark.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
            let next = send_billing_digest::execute(&self.app, connection, self.time_of_day, since).await;
            let next = next.map_err(job_error)?;
            let low_mark = next.since.map(|since| since.timestamp());
            outcomes.push(Outcome::Again { due_at: next.due_at, low_mark, payload: None });
        }
        Ok(outcomes)
    }
}
