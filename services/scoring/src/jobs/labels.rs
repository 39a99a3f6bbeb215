//! Ends labels when their time is over: a timer for each.

use async_trait::async_trait;
use mainstay_jobs::{Job, JobError, JobHandler, Outcome};
use sqlx::PgConnection;

use super::rescore::job_error;
use crate::app::queues::LABELS_QUEUE;
use crate::app::{App, expire_labels};

const BATCH: i64 = 100;

/// The worker of [`LABELS_QUEUE`].
pub(crate) struct LabelExpiry(pub App);

#[async_trait]
impl JobHandler for LabelExpiry {
    fn queue(&self) -> &'static str {
        LABELS_QUEUE
    }

    fn batch_size(&self) -> i64 {
        BATCH
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        let next_looks = expire_labels::execute(&self.0, connection, jobs).await.map_err(job_error)?;
        let outcome = |next_look: Option<_>| match next_look {
            None => Outcome::Done,
            Some(due_at) => Outcome::Again { due_at, low_mark: None, payload: None },
        };
        Ok(next_looks.into_iter().map(outcome).collect())
    }
}
