//! Tells of models that begin to score.

use async_trait::async_trait;
use mainstay_jobs::{Job, JobError, JobHandler, Outcome};
use sqlx::PgConnection;

use super::rescore::job_error;
use crate::app::queues::ACTIVATION_QUEUE;
use crate::app::{App, announce_activation};

/// The worker of [`ACTIVATION_QUEUE`].
pub(crate) struct Activation(pub App);

#[async_trait]
impl JobHandler for Activation {
    fn queue(&self) -> &'static str {
        ACTIVATION_QUEUE
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            let sequence =
                job.key.parse().map_err(|error| JobError::Dead(format!("not the number of an activation: {error}")))?;
            announce_activation::execute(&self.0, connection, sequence).await.map_err(job_error)?;
            outcomes.push(Outcome::Done);
        }
        Ok(outcomes)
    }
}
