//! Reviews, the newest month first.

use mainstay_storage::begin;

use super::{App, ExpansionError};
use crate::domain::{Month, Review};
use crate::storage::reviews;

/// At most `limit` reviews of months before one.
pub(crate) async fn execute(app: &App, before: Option<Month>, limit: i64) -> Result<Vec<Review>, ExpansionError> {
    let mut conn = begin(&app.core.pool).await?;
    Ok(reviews::list(&mut conn, before, limit).await?)
}
