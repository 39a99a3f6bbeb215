//! Tells of a model that was to score from a day on, once the day has begun.

use chrono::NaiveDate;
use mainstay_domain::ModelId;
use sqlx::PgConnection;

use super::get_model::{ModelView, lookup};
use super::mark_all_accounts::mark_all_soon;
use super::{App, ScoringError, events};
use crate::storage::models;

/// Tells of the activation and has all accounts scored, unless it was called off.
pub(crate) async fn execute(app: &App, conn: &mut PgConnection, sequence: i64) -> Result<(), ScoringError> {
    let Some(activation) = models::activations(conn).await?.into_iter().find(|one| one.sequence == sequence) else {
        return Ok(());
    };
    let now = app.core.clock.now();
    let previous = model_before(app, conn, activation.from_day).await?;
    let view = ModelView { active: true, stored: lookup(conn, &activation.model).await? };
    let event = events::model_activated(app, &view, previous.as_ref(), &activation.cause, now);
    app.core.events.append(conn, &[event], now).await?;
    mark_all_soon(app, conn, activation.from_day, now).await
}

async fn model_before(app: &App, conn: &mut PgConnection, day: NaiveDate) -> Result<Option<ModelId>, ScoringError> {
    let book = app.models.book(conn).await?;
    Ok(day.pred_opt().and_then(|before| book.model_for(before)).map(|model| model.id.clone()))
}
