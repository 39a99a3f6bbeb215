//! In what two models differ.

use super::chosen_model::{self, ModelChoice};
use super::{App, ScoringError};
use crate::domain::ModelDiff;

/// Compares the models.
pub(crate) async fn execute(app: &App, base: &ModelChoice, other: &ModelChoice) -> Result<ModelDiff, ScoringError> {
    let mut conn = app.core.pool.acquire().await?;
    let base = chosen_model::get(app, &mut conn, base).await?;
    let other = chosen_model::get(app, &mut conn, other).await?;
    Ok(ModelDiff::of(&base, &other))
}
