//! Creates a model; it scores once it is activated.

use super::get_model::{ModelView, view};
use super::{App, Mutation, Replayable, ScoringError};
use crate::domain::HealthModel;
use crate::storage::models;

/// Stores the model. `answer` makes of it what the caller is told, and told again.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    model: &HealthModel,
    answer: impl Fn(ModelView) -> T + Sync,
) -> Result<T, ScoringError> {
    app.core
        .mutate(mutation, async |conn| {
            if !models::create(conn, model, app.core.clock.now()).await? {
                return Err(ScoringError::ModelExists(model.id.clone()));
            }
            // Read back as every later reader will: what cannot be read is not kept.
            Ok(answer(view(app, conn, &model.id).await?))
        })
        .await
}
