//! The model that ships, for a service that never had one.

use chrono::NaiveDate;
use mainstay_storage::transact;

use super::put_in_force::put_in_force;
use super::{App, ScoringError};
use crate::domain::{ActivationCause, DEFAULT_MODEL, HealthModel, parse_model_file};
use crate::storage::{codes, models};

/// Creates and activates the default model when no model was ever activated.
/// It scores all days, so that days recorded afterwards have a model. Of
/// replicas that start at once one does it.
pub(crate) async fn execute(app: &App) -> Result<(), ScoringError> {
    transact(&app.core.pool, async |conn| {
        if !models::activation_sequences(conn).await?.is_empty() {
            return Ok(());
        }
        models::lock_activations(conn).await?;
        if !models::activation_sequences(conn).await?.is_empty() {
            return Ok(());
        }
        let draft = parse_model_file(DEFAULT_MODEL).map_err(codes::corrupt)?;
        let model = HealthModel::from_draft(draft).map_err(ScoringError::Invalid)?;
        let now = app.core.clock.now();
        models::create(conn, &model, now).await?;
        let (id, cause) = (Some(&model.id), ActivationCause::default());
        put_in_force(app, conn, id, None, NaiveDate::default(), &cause).await
    })
    .await
}
