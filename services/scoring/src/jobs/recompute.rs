//! Scores all accounts for an operation, and ends the operation when none is left.

use async_trait::async_trait;
use chrono::TimeDelta;
use mainstay_jobs::{Job, JobError, JobHandler, Outcome};
use sqlx::PgConnection;
use uuid::Uuid;

use super::rescore::{job_error, requests};
use crate::app::queues::{OPERATIONS_QUEUE, RECOMPUTE_QUEUE};
use crate::app::rescore_accounts::{self, Rescored, SOON, WAIT};
use crate::app::{App, end_operation, recompute_health};
use crate::domain::day_number;

const BATCH: i64 = 500;
/// How long between two looks at an operation.
const MONITOR_INTERVAL: TimeDelta = TimeDelta::seconds(1);

/// The worker of [`RECOMPUTE_QUEUE`].
pub(crate) struct Recompute(pub App);

#[async_trait]
impl JobHandler for Recompute {
    fn queue(&self) -> &'static str {
        RECOMPUTE_QUEUE
    }

    fn batch_size(&self) -> i64 {
        BATCH
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        let app = &self.0;
        let remaking = recompute_health::remaking(connection).await.map_err(job_error)?;
        let requests = requests(app, jobs);
        let rescored = rescore_accounts::execute(app, connection, &requests, remaking).await.map_err(job_error)?;
        let now = app.core.clock.now();
        Ok(jobs
            .iter()
            .zip(rescored)
            .map(|(job, rescored)| match rescored {
                Rescored::Done { .. } | Rescored::Archived => Outcome::Done,
                Rescored::More { from_day } => {
                    let low_mark = Some(i64::from(day_number(from_day)));
                    Outcome::Again { due_at: now, low_mark, payload: None }
                }
                Rescored::Waiting { from_day } => {
                    let low_mark = Some(i64::from(day_number(from_day)));
                    Outcome::Again { due_at: now + WAIT, low_mark, payload: None }
                }
                Rescored::Locked => Outcome::Again { due_at: now + SOON, low_mark: job.low_mark, payload: None },
            })
            .collect())
    }
}

/// The worker of [`OPERATIONS_QUEUE`].
pub(crate) struct OperationMonitor(pub App);

#[async_trait]
impl JobHandler for OperationMonitor {
    fn queue(&self) -> &'static str {
        OPERATIONS_QUEUE
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        let app = &self.0;
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            let id: Uuid =
                job.key.parse().map_err(|error| JobError::Dead(format!("not an operation's id: {error}")))?;
            let ended = end_operation::execute(app, connection, id).await.map_err(job_error)?;
            outcomes.push(if ended {
                Outcome::Done
            } else {
                Outcome::Again { due_at: app.core.clock.now() + MONITOR_INTERVAL, low_mark: None, payload: None }
            });
        }
        Ok(outcomes)
    }
}
