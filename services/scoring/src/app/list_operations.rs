//! The long-running operations, newest first.

use uuid::Uuid;

use super::get_operation::OperationView;
use super::{App, ScoringError};
use crate::storage::operations;

/// At most `limit` operations, older than the one with the id `before`.
pub(crate) async fn execute(app: &App, before: Option<Uuid>, limit: i64) -> Result<Vec<OperationView>, ScoringError> {
    let mut conn = app.core.pool.acquire().await?;
    let records = operations::list(&mut conn, before, limit).await?;
    let mut views = Vec::with_capacity(records.len());
    for record in records {
        views.push(OperationView::of(app, &mut conn, record).await?);
    }
    Ok(views)
}
