//! A model that a caller wants looked at: a stored one, or one that need not exist.

use std::sync::Arc;

use sqlx::PgConnection;

use super::get_model::{ModelName, active_id};
use super::{App, ScoringError};
use crate::domain::HealthModel;

/// Which model.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ModelChoice {
    Stored(ModelName),
    /// As the caller wrote it.
    Given(Box<HealthModel>),
}

/// The model; a stored one must be there.
pub(super) async fn get(
    app: &App,
    conn: &mut PgConnection,
    choice: &ModelChoice,
) -> Result<Arc<HealthModel>, ScoringError> {
    let id = match choice {
        ModelChoice::Given(model) => return Ok(Arc::new(model.as_ref().clone())),
        ModelChoice::Stored(ModelName::Id(id)) => id.clone(),
        ModelChoice::Stored(ModelName::Active) => active_id(app, conn).await?,
    };
    app.models.model(conn, &id).await
}
