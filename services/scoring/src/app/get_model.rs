//! One model, by its name or as the one that scores today.

use mainstay_domain::{Etag, ModelId};
use sqlx::PgConnection;

use super::{App, ScoringError};
use crate::storage::models::{self, StoredModel};

/// Which model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ModelName {
    Id(ModelId),
    /// The one that scores today.
    Active,
}

/// A model and whether it scores today.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ModelView {
    pub stored: StoredModel,
    pub active: bool,
}

impl ModelView {
    /// Changes when the model is activated, and when another takes its place.
    pub(crate) fn etag(&self) -> Etag {
        Etag::of_version(self.stored.activation * 2 + i64::from(self.active))
    }
}

/// Reads the model.
pub(crate) async fn execute(app: &App, name: &ModelName) -> Result<ModelView, ScoringError> {
    let mut conn = app.core.pool.acquire().await?;
    let active = active_id(app, &mut conn).await?;
    let id = match name {
        ModelName::Id(id) => id.clone(),
        ModelName::Active => active.clone().ok_or_else(|| ScoringError::ModelNotFound("models/active".to_owned()))?,
    };
    let stored = lookup(&mut conn, &id).await?;
    Ok(ModelView { active: active.as_ref() == Some(&id), stored })
}

/// The model that scores today.
pub(super) async fn active_id(app: &App, conn: &mut PgConnection) -> Result<Option<ModelId>, ScoringError> {
    let book = app.models.book(conn).await?;
    Ok(book.model_for(app.core.clock.today()).map(|model| model.id.clone()))
}

/// The stored model, which must be there.
pub(super) async fn lookup(conn: &mut PgConnection, id: &ModelId) -> Result<StoredModel, ScoringError> {
    models::lookup(conn, id).await?.ok_or_else(|| ScoringError::ModelNotFound(id.name()))
}
