//! Marks all accounts for rescoring, a page in a transaction.

use async_trait::async_trait;
use mainstay_jobs::{Job, JobError, JobHandler, Outcome};
use serde_json::Value;
use sqlx::PgConnection;

use super::rescore::job_error;
use crate::app::App;
use crate::app::mark_all_accounts::mark_page;
use crate::app::queues::MARK_ALL_QUEUE;
use crate::domain::day_number;

/// The worker of [`MARK_ALL_QUEUE`].
pub(crate) struct MarkAll(pub App);

#[async_trait]
impl JobHandler for MarkAll {
    fn queue(&self) -> &'static str {
        MARK_ALL_QUEUE
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        let app = &self.0;
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            let low_mark = job.low_mark.unwrap_or_else(|| i64::from(day_number(app.core.clock.today())));
            let last = mark_page(app, connection, job.payload.as_str(), low_mark).await.map_err(job_error)?;
            outcomes.push(match last {
                None => Outcome::Done,
                Some(last) => Outcome::Again {
                    due_at: app.core.clock.now(),
                    low_mark: Some(low_mark),
                    payload: Some(Value::String(last)),
                },
            });
        }
        Ok(outcomes)
    }
}
