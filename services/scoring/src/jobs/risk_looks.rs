//! Has accounts looked at of which something may begin that no signal tells of.

use async_trait::async_trait;
use mainstay_jobs::{Job, JobError, JobHandler, Outcome};
use sqlx::PgConnection;

use super::rescore::job_error;
use crate::app::App;
use crate::app::looks;
use crate::app::queues::RISK_LOOK_QUEUE;

const BATCH: i64 = 500;

/// The worker of [`RISK_LOOK_QUEUE`].
pub(crate) struct RiskLooks(pub App);

#[async_trait]
impl JobHandler for RiskLooks {
    fn queue(&self) -> &'static str {
        RISK_LOOK_QUEUE
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
