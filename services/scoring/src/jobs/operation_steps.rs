//! Goes on with the operations that run: a backtest, and the training of a forecast.

use async_trait::async_trait;
use mainstay_jobs::{Job, JobError, JobHandler, Outcome};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::rescore::job_error;
use crate::app::operation_steps::Progress;
use crate::app::queues::OPERATION_STEPS_QUEUE;
use crate::app::{App, operation_steps};

/// The worker of [`OPERATION_STEPS_QUEUE`].
pub(crate) struct OperationSteps(pub App);

#[async_trait]
impl JobHandler for OperationSteps {
    fn queue(&self) -> &'static str {
        OPERATION_STEPS_QUEUE
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        let app = &self.0;
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            let id: Uuid =
                job.key.parse().map_err(|error| JobError::Dead(format!("not an operation's id: {error}")))?;
            let next = operation_steps::execute(app, connection, id, progress(job)?).await.map_err(job_error)?;
            outcomes.push(match next {
                None => Outcome::Done,
                Some(progress) => {
                    let payload = serde_json::to_value(progress).map_err(|error| JobError::Dead(error.to_string()))?;
                    Outcome::Again { due_at: app.core.clock.now(), low_mark: None, payload: Some(payload) }
                }
            });
        }
        Ok(outcomes)
    }
}

fn progress(job: &Job) -> Result<Progress, JobError> {
    match &job.payload {
        Value::Null => Ok(Progress::default()),
        given => serde_json::from_value(given.clone()).map_err(|error| JobError::Dead(error.to_string())),
    }
}
