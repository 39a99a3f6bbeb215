//! Looks at invoices whose due time may have passed without a payment.

use async_trait::async_trait;
use mainstay_jobs::{Job, JobError, JobHandler, Outcome};
use sqlx::PgConnection;

use super::rescore::job_error;
use crate::app::App;
use crate::app::due_times::{self, Looked};
use crate::app::queues::DUE_TIMES_QUEUE;
use crate::app::rescore_accounts::SOON;

const BATCH: i64 = 500;

/// The worker of [`DUE_TIMES_QUEUE`].
pub(crate) struct DueTimes(pub App);

#[async_trait]
impl JobHandler for DueTimes {
    fn queue(&self) -> &'static str {
        DUE_TIMES_QUEUE
    }

    fn batch_size(&self) -> i64 {
        BATCH
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        let looked = due_times::execute(&self.0, connection, jobs).await.map_err(job_error)?;
        let now = self.0.core.clock.now();
        let outcome = |looked: Looked| match looked {
            Looked::Over => Outcome::Done,
            Looked::Again(due_at) => Outcome::Again { due_at, low_mark: None, payload: None },
            Looked::Locked => Outcome::Again { due_at: now + SOON, low_mark: None, payload: None },
        };
        Ok(looked.into_iter().map(outcome).collect())
    }
}
