//! Answers, newest first.

use chrono::{DateTime, Utc};
use mainstay_storage::begin;
use uuid::Uuid;

use super::{App, SurveysError};
use crate::domain::list::ResponseFilter;
use crate::domain::response::Response;
use crate::storage::responses;

/// At most `limit` of them below the position `before`.
pub(crate) async fn execute(
    app: &App,
    filter: &ResponseFilter,
    before: Option<&(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<Response>, SurveysError> {
    let mut conn = begin(&app.core.pool).await?;
    Ok(responses::list(&mut conn, filter, before, limit).await?)
}
