//! Clocks that warn or are breached.

use async_trait::async_trait;
use mainstay_jobs::{Job, JobError, JobHandler, Outcome};
use sqlx::PgConnection;
use uuid::Uuid;

use super::job_error;
use crate::app::App;
use crate::app::queues::CLOCKS_QUEUE;
use crate::app::tick_clocks::{self, Ticked};

/// Clocks in one transaction.
const BATCH: i64 = 100;

/// The worker of [`CLOCKS_QUEUE`].
pub(crate) struct Clocks(pub App);

#[async_trait]
impl JobHandler for Clocks {
    fn queue(&self) -> &'static str {
        CLOCKS_QUEUE
    }

    fn batch_size(&self) -> i64 {
        BATCH
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        let ids: Vec<Option<Uuid>> = jobs.iter().map(|job| Uuid::parse_str(&job.key).ok()).collect();
        let due = ids.iter().zip(jobs).filter_map(|(id, job)| Some(((*id)?, job.span(CLOCKS_QUEUE)))).collect();
        let ticked = tick_clocks::execute(&self.0, connection, due).await.map_err(job_error)?;
        Ok(ids
            .iter()
            .map(|id| match id.as_ref().and_then(|id| ticked.get(id)) {
                Some(Ticked::Again(due_at)) => Outcome::Again { due_at: *due_at, low_mark: None, payload: None },
                Some(Ticked::Over) | None => Outcome::Done,
            })
            .collect())
    }
}
