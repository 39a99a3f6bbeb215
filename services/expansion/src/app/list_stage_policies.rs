//! The policies of stages in force.

use super::{App, ExpansionError};
use crate::domain::StagePolicies;
use crate::storage::policies;

/// One for each open stage.
pub(crate) async fn execute(app: &App) -> Result<StagePolicies, ExpansionError> {
    let mut conn = app.core.pool.acquire().await?;
    Ok(policies::in_force(&mut conn).await?)
}
