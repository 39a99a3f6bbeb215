//! One model, by its name or as the one that scores today.

use chrono::NaiveDate;
use mainstay_domain::{Etag, ModelId};
use sqlx::PgConnection;

use super::model_cache::ModelBook;
use super::{App, ScoringError};
use crate::domain::Segment;
use crate::storage::models::{self, StoredModel};

/// The name that stands for the general model of today.
pub(super) const ACTIVE_NAME: &str = "models/active";

/// Which model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ModelName {
    Id(ModelId),
    /// The general model of today.
    Active,
}

/// A model and whose accounts it scores today.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ModelView {
    pub stored: StoredModel,
    /// Whether it is the general model, which scores all accounts whose segment has no model of its own.
    pub active: bool,
    /// The segments whose own model it is.
    pub segments: Vec<Segment>,
}

impl ModelView {
    /// As it is by the book on a day.
    pub(super) fn of(stored: StoredModel, book: &ModelBook, day: NaiveDate) -> Self {
        let active = book.general_model(day).is_some_and(|general| general.id == stored.model.id);
        let segments = book.activations().segments_owning(&stored.model.id, day);
        Self { stored, active, segments }
    }

    /// Changes when the model is activated, and when another takes its place.
    pub(crate) fn etag(&self) -> Etag {
        let places = Segment::ALL.into_iter().map(|segment| self.segments.contains(&segment)).chain([self.active]);
        Etag::of_version(places.fold(self.stored.activation, |version, scores| version * 2 + i64::from(scores)))
    }
}

/// Reads the model.
pub(crate) async fn execute(app: &App, name: &ModelName) -> Result<ModelView, ScoringError> {
    let mut conn = app.core.pool.acquire().await?;
    let id = match name {
        ModelName::Id(id) => id.clone(),
        ModelName::Active => active_id(app, &mut conn).await?,
    };
    view(app, &mut conn, &id).await
}

/// The general model of today; there must be one.
pub(super) async fn active_id(app: &App, conn: &mut PgConnection) -> Result<ModelId, ScoringError> {
    let book = app.models.book(conn).await?;
    let general = book.general_model(app.core.clock.today());
    Ok(general.ok_or_else(|| ScoringError::ModelNotFound(ACTIVE_NAME.to_owned()))?.id.clone())
}

/// The stored model as it is today; it must be there.
pub(super) async fn view(app: &App, conn: &mut PgConnection, id: &ModelId) -> Result<ModelView, ScoringError> {
    let stored = models::lookup(conn, id).await?.ok_or_else(|| ScoringError::ModelNotFound(id.name()))?;
    let book = app.models.book(conn).await?;
    Ok(ModelView::of(stored, &book, app.core.clock.today()))
}
