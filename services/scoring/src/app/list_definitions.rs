//! What the services mean by their terms today.

use super::get_model::ACTIVE_NAME;
use super::{App, ScoringError};
use crate::domain::definitions::{Definition, definitions};

/// All definitions, in their order.
pub(crate) async fn execute(app: &App) -> Result<Vec<Definition>, ScoringError> {
    let mut conn = app.core.pool.acquire().await?;
    let book = app.models.book(&mut conn).await?;
    let in_force = book.cuts_in_force(app.core.clock.today());
    let in_force = in_force.ok_or_else(|| ScoringError::ModelNotFound(ACTIVE_NAME.to_owned()))?;
    Ok(definitions(&in_force))
}

/// The definition of a term.
pub(crate) async fn one(app: &App, id: &str) -> Result<Definition, ScoringError> {
    let mut all = execute(app).await?.into_iter();
    all.find(|definition| definition.id == id).ok_or_else(|| ScoringError::DefinitionNotFound(id.to_owned()))
}
