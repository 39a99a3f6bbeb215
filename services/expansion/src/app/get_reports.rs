//! Figures of the expansion work, each as of now.

use chrono::{DateTime, Utc};
use mainstay_storage::begin;

use super::{App, ExpansionError};
use crate::domain::{CriterionOutcomes, PipelineEntry, Proportion, StageConversion, Window};
use crate::storage::reports;

/// What is open, by stage and currency, of an owner or of all.
pub(crate) async fn pipeline(
    app: &App,
    owner_email: Option<&str>,
) -> Result<(Vec<PipelineEntry>, DateTime<Utc>), ExpansionError> {
    let mut conn = begin(&app.core.pool).await?;
    Ok((reports::pipeline(&mut conn, owner_email).await?, app.core.clock.now()))
}

/// How opportunities opened in a window came from stage to stage.
pub(crate) async fn conversion(
    app: &App,
    window: Window,
) -> Result<(Vec<StageConversion>, DateTime<Utc>), ExpansionError> {
    let mut conn = begin(&app.core.pool).await?;
    Ok((reports::conversion(&mut conn, window).await?, app.core.clock.now()))
}

/// How well criteria foretold the outcome of opportunities closed in a window; the share won of all beside.
pub(crate) async fn criterion_accuracy(
    app: &App,
    window: Window,
) -> Result<(Proportion, Vec<CriterionOutcomes>, DateTime<Utc>), ExpansionError> {
    let mut conn = begin(&app.core.pool).await?;
    let (all, outcomes) = reports::criterion_outcomes(&mut conn, window).await?;
    Ok((all, outcomes, app.core.clock.now()))
}
