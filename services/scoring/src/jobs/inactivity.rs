//! Has accounts looked at that may have gone silent: "nothing happened" is a timer.

use async_trait::async_trait;
use mainstay_jobs::{Job, JobError, JobHandler, Outcome};
use sqlx::PgConnection;

use super::rescore::job_error;
use crate::app::App;
use crate::app::looks;
use crate::app::queues::INACTIVITY_QUEUE;

const BATCH: i64 = 500;

/// The worker of [`INACTIVITY_QUEUE`].
pub(crate) struct Inactivity(pub App);

#[async_trait]
impl JobHandler for Inactivity {
    fn queue(&self) -> &'static str {
        INACTIVITY_QUEUE
    }

    fn batch_size(&self) -> i64 {
        BATCH
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        looks::look_at(&self.0, connection, jobs).await.map_err(job_error)?;
        // Who looks schedules the next look, if there is one.
        Ok(vec![Outcome::Done; jobs.len()])
    }
}
