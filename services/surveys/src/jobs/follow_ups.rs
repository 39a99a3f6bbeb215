//! Reminds of invitations and ends them.

use async_trait::async_trait;
use mainstay_jobs::{Job, JobError, JobHandler, Outcome};
use sqlx::PgConnection;
use tracing::Instrument;

use super::job_error;
use crate::app::queues::FOLLOW_UPS_QUEUE;
use crate::app::{App, follow_up_invitation};
use crate::domain::invitation::InvitationName;

/// Invitations in one transaction. Their names begin with the account, so that accounts are locked in the order of their
/// ids.
const BATCH: i64 = 20;

/// The worker of [`FOLLOW_UPS_QUEUE`].
pub(crate) struct FollowUps(pub App);

#[async_trait]
impl JobHandler for FollowUps {
    fn queue(&self) -> &'static str {
        FOLLOW_UPS_QUEUE
    }

    fn batch_size(&self) -> i64 {
        BATCH
    }

    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError> {
        let mut outcomes = Vec::new();
        for job in jobs {
            let name = InvitationName::parse(&job.key).map_err(|fault| JobError::Dead(format!("the key {fault}")))?;
            let following_up = follow_up_invitation::execute(&self.0, connection, &name);
            let next = following_up.instrument(job.span(FOLLOW_UPS_QUEUE)).await.map_err(job_error)?;
            outcomes.push(match next {
                Some(due_at) => Outcome::Again { due_at, low_mark: None, payload: None },
                None => Outcome::Done,
            });
        }
        Ok(outcomes)
    }
}
