//! Walks through all accounts when a programme begins to ask.

use async_trait::async_trait;
use mainstay_domain::ProgramId;
use mainstay_jobs::{Job, JobError, JobHandler, Outcome};
use serde_json::Value;
use sqlx::PgConnection;

use super::job_error;
use crate::app::queues::ENROLMENTS_QUEUE;
use crate::app::{App, enrol_accounts};

/// The worker of [`ENROLMENTS_QUEUE`].
pub(crate) struct Enrolments(pub App);

#[async_trait]
impl JobHandler for Enrolments {
    fn queue(&self) -> &'static str {
        ENROLMENTS_QUEUE
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        let mut outcomes = Vec::new();
        for job in jobs {
            let program = ProgramId::parse(&job.key).map_err(|error| JobError::Dead(error.to_string()))?;
            let after = job.payload.as_str();
            let next = enrol_accounts::execute(&self.0, connection, &program, after).await.map_err(job_error)?;
            outcomes.push(match next {
                Some(last) => Outcome::Again {
                    due_at: self.0.core.clock.now(),
                    low_mark: None,
                    payload: Some(Value::String(last)),
                },
                None => Outcome::Done,
            });
        }
        Ok(outcomes)
    }
}
