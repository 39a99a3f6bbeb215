//! Rings the clocks of opportunities.

use async_trait::async_trait;
use mainstay_domain::AccountId;
use mainstay_jobs::{Job, JobError, JobHandler, Outcome};
use sqlx::PgConnection;
use tracing::Instrument;

use super::job_error;
use crate::app::queues::CLOCK_QUEUE;
use crate::app::{App, ring_clock};

const BATCH: i64 = 50;

/// The worker of [`CLOCK_QUEUE`].
pub(crate) struct RingClocks(pub App);

#[async_trait]
impl JobHandler for RingClocks {
    fn queue(&self) -> &'static str {
        CLOCK_QUEUE
    }

    fn batch_size(&self) -> i64 {
        BATCH
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            let account = AccountId::parse(&job.key).map_err(|error| JobError::Dead(error.to_string()))?;
            let ringing = ring_clock::execute(&self.0, connection, &account);
            let next = ringing.instrument(job.span(CLOCK_QUEUE)).await.map_err(job_error)?;
            outcomes.push(match next {
                Some(due_at) => Outcome::Again { due_at, low_mark: None, payload: None },
                None => Outcome::Done,
            });
        }
        Ok(outcomes)
    }
}
