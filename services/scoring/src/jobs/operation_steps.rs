//! Goes on with the backtest that runs.

use async_trait::async_trait;
use mainstay_jobs::{Job, JobError, JobHandler, Outcome};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::rescore::job_error;
use crate::app::queues::BACKTEST_QUEUE;
use crate::app::run_backtest::Progress;
use crate::app::{App, run_backtest};

/// The worker of [`BACKTEST_QUEUE`].
pub(crate) struct RunBacktest(pub App);

#[async_trait]
impl JobHandler for RunBacktest {
    fn queue(&self) -> &'static str {
        BACKTEST_QUEUE
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        let app = &self.0;
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            let id: Uuid = job.key.parse().map_err(|error| JobError::Dead(format!("not a backtest's id: {error}")))?;
            let next = run_backtest::execute(app, connection, id, progress(job)?).await.map_err(job_error)?;
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
