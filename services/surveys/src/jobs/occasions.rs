//! Looks at accounts when an occasion of a programme has come.

use async_trait::async_trait;
use mainstay_jobs::{Job, JobError, JobHandler, Outcome};
use sqlx::PgConnection;
use tracing::Instrument;

use super::job_error;
use crate::app::queues::{OCCASIONS_QUEUE, parse_occasion_key};
use crate::app::{App, visit_account};

/// Accounts in one transaction, each locked; a quarter begins for many at once.
const BATCH: i64 = 20;

/// The worker of [`OCCASIONS_QUEUE`].
pub(crate) struct Occasions(pub App);

#[async_trait]
impl JobHandler for Occasions {
    fn queue(&self) -> &'static str {
        OCCASIONS_QUEUE
    }

    fn batch_size(&self) -> i64 {
        BATCH
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        let mut looks = Vec::new();
        for job in jobs {
            let (program, account) = parse_occasion_key(&job.key)
                .ok_or_else(|| JobError::Dead("the key is not of a programme and an account".to_owned()))?;
            looks.push((account, program));
        }
        // Accounts are locked in the order of their ids.
        let mut order: Vec<usize> = (0..looks.len()).collect();
        order.sort_by(|left, right| looks[*left].cmp(&looks[*right]));
        let mut outcomes = vec![Outcome::Done; looks.len()];
        for place in order {
            let (account, program) = &looks[place];
            let visit = visit_account::execute(&self.0, connection, program, account);
            let next = visit.instrument(jobs[place].span(OCCASIONS_QUEUE)).await.map_err(job_error)?;
            if let Some(due_at) = next {
                outcomes[place] = Outcome::Again { due_at, low_mark: None, payload: None };
            }
        }
        Ok(outcomes)
    }
}
