//! One answer.

use super::{App, SurveysError};
use crate::domain::invitation::ResponseName;
use crate::domain::response::Response;
use crate::storage::responses;

/// Reads it.
pub(crate) async fn execute(app: &App, name: &ResponseName) -> Result<Response, SurveysError> {
    let mut conn = app.core.pool.acquire().await?;
    responses::lookup(&mut conn, name).await?.ok_or_else(|| SurveysError::ResponseNotFound(name.clone()))
}
