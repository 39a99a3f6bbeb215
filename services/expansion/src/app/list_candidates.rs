//! Chances by account, then metric.

use mainstay_storage::begin;

use super::{App, ExpansionError};
use crate::domain::{Candidate, CandidateFilter};
use crate::storage::candidates;

/// At most `limit` chances after an account and metric.
pub(crate) async fn execute(
    app: &App,
    filter: &CandidateFilter,
    after: Option<(&str, &str)>,
    limit: i64,
) -> Result<Vec<Candidate>, ExpansionError> {
    let mut conn = begin(&app.core.pool).await?;
    Ok(candidates::list(&mut conn, filter, after, limit).await?)
}
