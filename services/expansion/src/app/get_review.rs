//! The review of a month.

use sqlx::PgConnection;

use super::{App, ExpansionError};
use crate::domain::{Month, Review};
use crate::storage::reviews;

/// The review and how far it is.
pub(crate) async fn execute(app: &App, month: Month) -> Result<Review, ExpansionError> {
    let mut conn = app.core.pool.acquire().await?;
    lookup(&mut conn, month).await
}

/// The review, which must be there.
pub(super) async fn lookup(conn: &mut PgConnection, month: Month) -> Result<Review, ExpansionError> {
    reviews::lookup(conn, month).await?.ok_or(ExpansionError::ReviewNotFound(month))
}
