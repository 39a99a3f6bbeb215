//! The models, newest first.

use super::get_model::ModelView;
use super::{App, ScoringError};
use crate::storage::models;

/// At most `limit` models whose sequence is below `before`.
pub(crate) async fn execute(app: &App, before: Option<i64>, limit: i64) -> Result<Vec<ModelView>, ScoringError> {
    let mut conn = app.core.pool.acquire().await?;
    let book = app.models.book(&mut conn).await?;
    let today = app.core.clock.today();
    let stored = models::list(&mut conn, before, limit).await?;
    Ok(stored.into_iter().map(|stored| ModelView::of(stored, &book, today)).collect())
}
