//! Stores the policies that a new service begins with.

use mainstay_storage::transact;

use super::{App, InterventionsError};
use crate::domain::default_policies;
use crate::domain::policy::Policy;
use crate::domain::timeline::BY_ITSELF;
use crate::storage::policies;

/// Stores a first version of each policy that there is none of; what is there stays as it is.
pub(crate) async fn execute(app: &App) -> Result<(), InterventionsError> {
    let now = app.core.clock.now();
    transact(&app.core.pool, async |conn| {
        for (id, definition) in default_policies::all() {
            if policies::newest(conn, id).await?.is_none() {
                policies::insert(conn, &Policy { id, version: 1, definition }, BY_ITSELF, now).await?;
            }
        }
        Ok(())
    })
    .await
}
