//! Makes a new version of a policy.

use mainstay_service::{Mutation, Replayable};

use super::{App, InterventionsError};
use crate::domain::policy::{Policy, PolicyDefinition, PolicyId};
use crate::storage::policies;
use mainstay_storage::StorageError;

/// Stores a version above the newest; one that says the same changes nothing. `expected_version` is refused when it is not
/// the newest any more.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    id: PolicyId,
    definition: &PolicyDefinition,
    expected_version: Option<i32>,
    actor: &str,
    answer: impl Fn(&Policy) -> T + Sync,
) -> Result<T, InterventionsError> {
    app.core
        .mutate(mutation, async |conn| {
            let newest = policies::newest(conn, id).await?;
            if let Some(newest) = newest.as_ref().filter(|newest| newest.definition == *definition) {
                return Ok(answer(newest));
            }
            let version = newest.map_or(0, |newest| newest.version);
            if expected_version.is_some_and(|expected| expected != version) {
                return Err(InterventionsError::EtagMismatch);
            }
            let policy = Policy { id, version: version + 1, definition: definition.clone() };
            if !policies::insert(conn, &policy, actor, app.core.clock.now()).await? {
                // Somebody was faster: look again.
                return Err(StorageError::Conflict.into());
            }
            Ok(answer(&policy))
        })
        .await
}
