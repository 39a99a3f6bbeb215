//! The model that ships, for a service that never had one.

use chrono::NaiveDate;
use mainstay_storage::transact;

use super::get_model::{ModelView, lookup};
use super::{App, ScoringError, events};
use crate::domain::{ActivationCause, DEFAULT_MODEL, HealthModel, parse_model_file};
use crate::storage::{codes, models};

/// Creates and activates the default model when no model was ever activated.
/// It scores all days, so that days recorded afterwards have a model. Of
/// replicas that start at once one does it.
pub(crate) async fn execute(app: &App) -> Result<(), ScoringError> {
    transact(&app.core.pool, async |conn| {
        if models::newest_activation(conn).await?.is_some() {
            return Ok(());
        }
        models::lock_activations(conn).await?;
        if models::newest_activation(conn).await?.is_some() {
            return Ok(());
        }
        let draft = parse_model_file(DEFAULT_MODEL).map_err(codes::corrupt)?;
        let model = HealthModel::from_draft(draft).map_err(ScoringError::Invalid)?;
        let now = app.core.clock.now();
        models::create(conn, &model, now).await?;
        let cause = ActivationCause::default();
        models::activate(conn, &model.id, NaiveDate::default(), now, &cause).await?;
        let view = ModelView { active: true, stored: lookup(conn, &model.id).await? };
        let event = events::model_activated(app, &view, None, &cause, now);
        app.core.events.append(conn, &[event], now).await?;
        Ok(())
    })
    .await
}
