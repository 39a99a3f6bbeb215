//! Plans by id, the versions of each from the newest down.

use mainstay_storage::begin;

use super::{App, ExpansionError};
use crate::domain::Plan;
use crate::storage::plans;

/// At most `limit` plans after an id and version.
pub(crate) async fn execute(
    app: &App,
    in_force_only: bool,
    after: Option<(&str, i32)>,
    limit: i64,
) -> Result<Vec<Plan>, ExpansionError> {
    let mut conn = begin(&app.core.pool).await?;
    Ok(plans::list(&mut conn, in_force_only, after, limit).await?)
}
