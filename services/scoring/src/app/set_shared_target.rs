//! Sets the target of a metric of retention for all.

use super::{App, Mutation, Replayable, ScoringError};
use crate::domain::retention_goals::RetentionMetric;
use crate::domain::shared_target::{SharedTarget, SharedTargets};
use crate::storage::shared_targets;

/// What is to hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GivenTarget {
    pub metric: RetentionMetric,
    /// None: the usual one again.
    pub value: Option<f64>,
    pub teams: Vec<String>,
}

/// Keeps it for the caller `setter`; `answer` makes of all that are set now what the caller is told, and told again.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    setter: &str,
    given: &GivenTarget,
    answer: impl Fn(&SharedTargets) -> T + Sync,
) -> Result<T, ScoringError> {
    app.core
        .mutate(mutation, async |conn| {
            match given.value {
                Some(value) => {
                    let (teams, setter) = (given.teams.clone(), setter.to_owned());
                    let target = SharedTarget { value, teams, setter, set_at: app.core.clock.now() };
                    shared_targets::set(conn, given.metric, &target).await?;
                }
                None => shared_targets::delete(conn, given.metric).await?,
            }
            Ok::<_, ScoringError>(answer(&shared_targets::all(conn).await?))
        })
        .await
}
