//! Looks at invoices whose due time may have passed without a payment.

use async_trait::async_trait;
use mainstay_jobs::{Job, JobError, JobHandler, Outcome};
use sqlx::PgConnection;

use super::rescore::job_error;
use crate::app::App;
use crate::app::due_times::{self, Looked};
use crate::app::queues::DUE_TIMES_QUEUE;
use crate::app::rescore_accounts::SOON;
use crate::domain::day_number;

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
        let outcome = |(job, looked): (&Job, Looked)| match looked {
            Looked::Over => Outcome::Done,
            Looked::Again { due_at, first_day } => {
                let low_mark = first_day.map(|day| i64::from(day_number(day)));
                Outcome::Again { due_at, low_mark, payload: None }
            }
            Looked::Locked => Outcome::Again { due_at: now + SOON, low_mark: job.low_mark, payload: None },
        };
        Ok(jobs.iter().zip(looked).map(outcome).collect())
    }
}
