//! Takes away what customers were to reach.

use mainstay_domain::AdoptionTargetId;

use super::{App, Mutation, ScoringError};
use crate::storage::adoption_targets;

/// The target, and where accounts stand with it.
pub(crate) async fn execute(app: &App, mutation: &Mutation, id: &AdoptionTargetId) -> Result<(), ScoringError> {
    app.core
        .mutate(mutation, async |conn| {
            adoption_targets::lock(conn).await?;
            let was_there = adoption_targets::delete(conn, id).await?;
            if was_there { Ok(()) } else { Err(ScoringError::AdoptionTargetNotFound(id.clone())) }
        })
        .await
}
