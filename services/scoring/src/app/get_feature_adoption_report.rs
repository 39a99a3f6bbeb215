//! Which features customers use, period by period.

use mainstay_domain::day_of;
use mainstay_storage::begin;

use super::{App, ScoringError};
use crate::domain::feature_adoption_report::{FeatureAdoptionQuery, FeatureAdoptionReport};
use crate::storage::feature_adoption_reports;

/// From what is kept ready.
pub(crate) async fn execute(app: &App, query: &FeatureAdoptionQuery) -> Result<FeatureAdoptionReport, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    let as_of = app.core.clock.now();
    let starts = query.grain.newest(day_of(as_of), query.periods);
    let customers = feature_adoption_reports::customers(&mut conn, &query.customers, query.grain, &starts).await?;
    let users = feature_adoption_reports::users(&mut conn, &query.customers, query.grain, &starts).await?;
    Ok(FeatureAdoptionReport::of(query, as_of, &starts, &customers, users))
}
