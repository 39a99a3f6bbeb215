//! What customers are to reach.

use super::{App, ScoringError};
use crate::domain::adoption_target::KeptTarget;
use crate::storage::adoption_targets;

/// All targets, by id.
pub(crate) async fn execute(app: &App) -> Result<Vec<KeptTarget>, ScoringError> {
    let mut conn = app.core.pool.acquire().await?;
    Ok(adoption_targets::all(&mut conn).await?)
}
