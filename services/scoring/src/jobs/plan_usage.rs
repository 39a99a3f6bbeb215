//! Tells after each month how much of their plans accounts used, a page in a transaction.

use async_trait::async_trait;
use mainstay_jobs::{Job, JobError, JobHandler, Outcome};
use serde_json::Value;
use sqlx::PgConnection;

use super::rescore::job_error;
use crate::app::App;
use crate::app::queues::PLAN_USAGE_QUEUE;
use crate::app::report_plan_usage::{self, due_time, following, month_of};
use crate::domain::day_number;

/// The worker of [`PLAN_USAGE_QUEUE`].
pub(crate) struct PlanUsage(pub App);

#[async_trait]
impl JobHandler for PlanUsage {
    fn queue(&self) -> &'static str {
        PLAN_USAGE_QUEUE
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        let app = &self.0;
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            let month = month_of(job.low_mark, app.core.clock.today());
            let last =
                report_plan_usage::execute(app, connection, month, job.payload.as_str()).await.map_err(job_error)?;
            let (due_at, month, payload) = match last {
                Some(last) => (app.core.clock.now(), month, Value::String(last)),
                None => (due_time(following(month)), following(month), Value::Null),
            };
            let low_mark = Some(i64::from(day_number(month)));
            outcomes.push(Outcome::Again { due_at, low_mark, payload: Some(payload) });
        }
        Ok(outcomes)
    }
}
