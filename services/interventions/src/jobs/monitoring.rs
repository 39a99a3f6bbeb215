//! Accounts that were saved, looked at each month.

use async_trait::async_trait;
use mainstay_jobs::{Job, JobError, JobHandler, Outcome};
use sqlx::PgConnection;
use uuid::Uuid;

use super::job_error;
use crate::app::queues::MONITORING_QUEUE;
use crate::app::{App, monitor_saved};

/// The worker of [`MONITORING_QUEUE`].
pub(crate) struct Monitoring(pub App);

#[async_trait]
impl JobHandler for Monitoring {
    fn queue(&self) -> &'static str {
        MONITORING_QUEUE
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            let case =
                Uuid::parse_str(&job.key).map_err(|error| JobError::Dead(format!("not a case's id: {error}")))?;
            let next = monitor_saved::execute(&self.0, connection, case).await.map_err(job_error)?;
            outcomes.push(match next {
                Some(due_at) => Outcome::Again { due_at, low_mark: None, payload: None },
                None => Outcome::Done,
            });
        }
        Ok(outcomes)
    }
}
