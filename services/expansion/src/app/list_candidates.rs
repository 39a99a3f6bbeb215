//! Chances, the best first.

use mainstay_storage::begin;

use super::{App, ExpansionError};
use crate::domain::{Candidate, CandidateCursor, CandidateFilter};
use crate::storage::candidates;

/// At most `limit` chances after one.
pub(crate) async fn execute(
    app: &App,
    filter: &CandidateFilter,
    after: Option<&CandidateCursor>,
    limit: i64,
) -> Result<Vec<Candidate>, ExpansionError> {
    let mut conn = begin(&app.core.pool).await?;
    Ok(candidates::list(&mut conn, filter, after, limit).await?)
}
