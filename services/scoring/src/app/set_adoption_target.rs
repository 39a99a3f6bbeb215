//! Sets what customers are to reach.

use mainstay_domain::{Violations, day_of};

use super::mark_all_accounts::mark_all_soon;
use super::{App, Mutation, Replayable, ScoringError};
use crate::domain::adoption_target::{AdoptionTarget, KeptTarget, TARGETS_MAX};
use crate::storage::adoption_targets;

/// Keeps the target instead of the one with its id, and has all accounts looked at again. `answer` makes of it what the caller is told,
/// and told again.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    target: &AdoptionTarget,
    answer: impl Fn(&KeptTarget) -> T + Sync,
) -> Result<T, ScoringError> {
    app.core
        .mutate(mutation, async |conn| {
            let now = app.core.clock.now();
            adoption_targets::lock(conn).await?;
            let others = adoption_targets::all(conn).await?;
            let other_count = others.iter().filter(|kept| kept.target.id != target.id).count();
            if other_count >= TARGETS_MAX {
                let mut found = Violations::new();
                found.add("adoption_target.name", format!("there are {TARGETS_MAX} others: delete one first"));
                return Err(ScoringError::Invalid(found));
            }
            adoption_targets::set(conn, target, now).await?;
            mark_all_soon(app, conn, day_of(now), now).await?;
            Ok::<_, ScoringError>(answer(&KeptTarget { target: target.clone(), updated_at: now }))
        })
        .await
}
