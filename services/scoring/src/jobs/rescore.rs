//! Scores accounts whose inputs changed, and every account anew when a day begins:
//! silence changes a score too.

use async_trait::async_trait;
use chrono::TimeDelta;
use mainstay_domain::start_of_day;
use mainstay_jobs::{Job, JobError, JobHandler, Outcome};
use serde_json::Value;
use sqlx::PgConnection;

use crate::app::queues::{LOOK_DUE, RESCORE_QUEUE};
use crate::app::rescore_accounts::{self, RescoreRequest, Rescored, SOON, WAIT};
use crate::app::{App, ScoringError};
use crate::domain::{date_of, day_number};

const BATCH: i64 = 500;

/// The worker of [`RESCORE_QUEUE`].
pub(crate) struct Rescore(pub App);

/// What the jobs ask for.
pub(super) fn requests(app: &App, jobs: &[Job]) -> Vec<RescoreRequest> {
    let today = app.core.clock.today();
    let from_day = |job: &Job| job.low_mark.and_then(|mark| i32::try_from(mark).ok()).map_or(today, date_of);
    jobs.iter()
        .map(|job| RescoreRequest {
            account_id: job.key.clone(),
            from_day: from_day(job),
            look_due: job.payload.as_str() == Some(LOOK_DUE),
            traceparent: job.traceparent.clone(),
        })
        .collect()
}

/// A use case's error as a job's.
pub(super) fn job_error(error: ScoringError) -> JobError {
    match error {
        ScoringError::Storage(error) => error.into(),
        other => JobError::Retry(other.to_string()),
    }
}

#[async_trait]
impl JobHandler for Rescore {
    fn queue(&self) -> &'static str {
        RESCORE_QUEUE
    }

    fn batch_size(&self) -> i64 {
        BATCH
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        let app = &self.0;
        let rescored =
            rescore_accounts::execute(app, connection, &requests(app, jobs), None).await.map_err(job_error)?;
        let now = app.core.clock.now();
        Ok(jobs
            .iter()
            .zip(rescored)
            .map(|(job, rescored)| match rescored {
                Rescored::Done { through } => {
                    let next = through + TimeDelta::days(1);
                    let (due_at, low_mark) = (start_of_day(next), Some(i64::from(day_number(next))));
                    // What was due has been looked at.
                    Outcome::Again { due_at, low_mark, payload: Some(Value::Null) }
                }
                Rescored::More { from_day } => again(now, Some(i64::from(day_number(from_day)))),
                Rescored::Locked => again(now + SOON, job.low_mark),
                Rescored::Waiting { from_day } => again(now + WAIT, Some(i64::from(day_number(from_day)))),
                Rescored::Archived => Outcome::Done,
            })
            .collect())
    }
}

fn again(due_at: chrono::DateTime<chrono::Utc>, low_mark: Option<i64>) -> Outcome {
    Outcome::Again { due_at, low_mark, payload: None }
}
