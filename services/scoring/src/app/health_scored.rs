//! Health with its parts: what is stored are the readings, the model makes the points again.

use std::sync::Arc;

use sqlx::PgConnection;

use super::{App, ScoringError};
use crate::domain::{HealthModel, HealthView, Scored, score_readings};

/// A day's health with the model that made it and the points of its parts.
#[derive(Debug, Clone)]
pub(crate) struct ScoredView {
    pub view: HealthView,
    pub model: Arc<HealthModel>,
    pub scored: Scored,
}

impl ScoredView {
    pub(crate) async fn of(app: &App, conn: &mut PgConnection, view: HealthView) -> Result<Self, ScoringError> {
        let model = app.models.model(conn, &view.record.model).await?;
        let scored = score_readings(&model, view.record.readings.clone(), view.record.last_signal_day);
        debug_assert_eq!(scored.score, view.record.score, "the readings make another score than is stored");
        Ok(Self { view, model, scored })
    }

    /// All of `views`, in their order.
    pub(crate) async fn of_all(
        app: &App,
        conn: &mut PgConnection,
        views: Vec<HealthView>,
    ) -> Result<Vec<Self>, ScoringError> {
        let mut scored = Vec::with_capacity(views.len());
        for view in views {
            scored.push(Self::of(app, conn, view).await?);
        }
        Ok(scored)
    }
}
