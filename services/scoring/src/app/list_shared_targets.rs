//! The targets of metrics of retention that were set for all.

use super::{App, ScoringError};
use crate::domain::shared_target::SharedTargets;
use crate::storage::shared_targets;

/// All of them.
pub(crate) async fn execute(app: &App) -> Result<SharedTargets, ScoringError> {
    let mut conn = app.core.pool.acquire().await?;
    Ok(shared_targets::all(&mut conn).await?)
}
