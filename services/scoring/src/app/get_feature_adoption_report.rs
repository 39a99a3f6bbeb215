//! Which features customers use, period by period.

use mainstay_storage::begin;

use super::{App, ScoringError};
use crate::domain::feature_adoption_report::{FeatureAdoptionQuery, FeatureAdoptionReport};
use crate::storage::feature_adoption_reports;

/// From what is kept ready.
pub(crate) async fn execute(app: &App, query: &FeatureAdoptionQuery) -> Result<FeatureAdoptionReport, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    let starts = query.grain.newest(app.core.clock.today(), query.periods);
    let customers = feature_adoption_reports::customers(&mut conn, &query.customers, query.grain, &starts).await?;
    let (newest, periods) = (app.core.clock.today(), starts.len());
    let users = feature_adoption_reports::users(&mut conn, &query.customers, query.grain, newest, periods).await?;
    Ok(FeatureAdoptionReport::of(query, app.core.clock.now(), &starts, &customers, users))
}
