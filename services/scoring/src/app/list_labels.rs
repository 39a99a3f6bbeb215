//! Labels that were said of accounts' health, those made last first.

use mainstay_storage::begin;

use super::{App, ScoringError};
use crate::domain::label::{Label, LabelCursor, LabelFilter};
use crate::storage::labels;

/// At most `limit` of them after a place in the list.
pub(crate) async fn execute(
    app: &App,
    filter: &LabelFilter,
    after: Option<&LabelCursor>,
    limit: i64,
) -> Result<Vec<Label>, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    Ok(labels::list(&mut conn, filter, after, limit).await?)
}
