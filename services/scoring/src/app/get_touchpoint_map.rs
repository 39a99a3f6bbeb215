//! Where on their journey customers meet friction, and whether those who do leave more often.

use mainstay_storage::{StorageError, begin};

use super::{App, ScoringError};
use crate::domain::retention_comparison::{TouchpointMap, TouchpointQuery};
use crate::storage::touchpoints;

/// The map from the landmark up to the end of the follow-up.
pub(crate) async fn execute(app: &App, query: &TouchpointQuery) -> Result<TouchpointMap, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    let portfolio = touchpoints::followed(&mut conn, query, app.core.clock.today()).await?;
    let map = TouchpointMap::of(portfolio, query.follow_up.days);
    Ok(map.map_err(|error| StorageError::Corrupt(error.to_string()))?)
}
