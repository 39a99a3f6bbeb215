//! Begins reviews, and does them a page at a time.

use async_trait::async_trait;
use mainstay_jobs::{Job, JobError, JobHandler, Outcome};
use sqlx::PgConnection;

use super::job_error;
use crate::app::queues::{REVIEW_QUEUE, REVIEW_TIMER_QUEUE};
use crate::app::{App, review_page, schedule_reviews};
use crate::domain::Month;

/// The worker of [`REVIEW_TIMER_QUEUE`].
pub(crate) struct BeginReviews(pub App);

#[async_trait]
impl JobHandler for BeginReviews {
    fn queue(&self) -> &'static str {
        REVIEW_TIMER_QUEUE
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            let rung = schedule_reviews::ring(&self.0, connection, job.low_mark, job.due_at).await;
            let (mark, due_at) = rung.map_err(job_error)?;
            outcomes.push(Outcome::Again { due_at, low_mark: Some(mark), payload: None });
        }
        Ok(outcomes)
    }
}

/// The worker of [`REVIEW_QUEUE`].
pub(crate) struct ReviewPages(pub App);

#[async_trait]
impl JobHandler for ReviewPages {
    fn queue(&self) -> &'static str {
        REVIEW_QUEUE
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            let month = Month::parse(&job.key).map_err(JobError::Dead)?;
            let more = review_page::execute(&self.0, connection, month).await.map_err(job_error)?;
            outcomes.push(if more {
                Outcome::Again { due_at: self.0.core.clock.now(), low_mark: None, payload: None }
            } else {
                Outcome::Done
            });
        }
        Ok(outcomes)
    }
}
