//! Takes away what customers were to reach.

use mainstay_domain::{AdoptionTargetId, day_of};

use super::mark_all_accounts::mark_all_soon;
use super::{App, Mutation, ScoringError};
use crate::storage::adoption_targets;

/// The target, and with the next score of each account where it stands with it.
pub(crate) async fn execute(app: &App, mutation: &Mutation, id: &AdoptionTargetId) -> Result<(), ScoringError> {
    app.core
        .mutate(mutation, async |conn| {
            adoption_targets::lock(conn).await?;
            if !adoption_targets::delete(conn, id).await? {
                return Err(ScoringError::AdoptionTargetNotFound(id.clone()));
            }
            let now = app.core.clock.now();
            mark_all_soon(app, conn, day_of(now), now).await
        })
        .await
}
