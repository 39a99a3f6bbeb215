//! Invitations and decisions not to ask, newest first.

use chrono::{DateTime, Utc};
use mainstay_storage::begin;
use uuid::Uuid;

use super::{App, SurveysError};
use crate::domain::invitation::Invitation;
use crate::domain::list::InvitationFilter;
use crate::storage::invitations;

/// At most `limit` of them below the position `before`.
pub(crate) async fn execute(
    app: &App,
    filter: &InvitationFilter,
    before: Option<&(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<Invitation>, SurveysError> {
    let mut conn = begin(&app.core.pool).await?;
    Ok(invitations::list(&mut conn, filter, before, limit, app.core.clock.now()).await?)
}
