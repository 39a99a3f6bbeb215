//! Puts a new version of a stage's policy in force.

use mainstay_service::{Mutation, Replayable};

use super::{App, ExpansionError};
use crate::domain::StagePolicy;
use crate::storage::policies;

/// Stores it. `answer` makes of it what the caller is told, and told again.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    policy: &StagePolicy,
    answer: impl Fn(&StagePolicy) -> T + Sync,
) -> Result<T, ExpansionError> {
    app.core.mutate(mutation, async |conn| Ok(answer(&policies::set(conn, policy, app.core.clock.now()).await?))).await
}
