//! Looks whether accounts have gone silent: "nothing happened" is a timer.

use async_trait::async_trait;
use mainstay_jobs::{Job, JobError, JobHandler, Outcome};
use sqlx::PgConnection;

use super::rescore::{LOCKED_WAIT, job_error};
use crate::app::App;
use crate::app::check_inactivity::{self, Checked};
use crate::app::queues::INACTIVITY_QUEUE;

const BATCH: i64 = 200;

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
        let app = &self.0;
        let ids: Vec<&str> = jobs.iter().map(|job| job.key.as_str()).collect();
        let checked = check_inactivity::execute(app, connection, &ids).await.map_err(job_error)?;
        let again = |due_at| Outcome::Again { due_at, low_mark: None, payload: None };
        Ok(checked
            .into_iter()
            .map(|checked| match checked {
                Checked::Done => Outcome::Done,
                Checked::Later(due_at) => again(due_at),
                Checked::Locked => again(app.clock.now() + LOCKED_WAIT),
            })
            .collect())
    }
}
