//! What customers ask for, whose revenue hangs on it, and what became of those who got it.

use chrono::TimeDelta;
use mainstay_storage::{StorageError, begin};

use super::{App, ScoringError};
use crate::domain::feature_request_report::{FeatureRequestQuery, FeatureRequestReport, RECENT_DAYS, ranked};
use crate::storage::feature_reports::{self, RequestWindow};

/// From what is kept ready.
pub(crate) async fn execute(app: &App, query: &FeatureRequestQuery) -> Result<FeatureRequestReport, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    let as_of = app.core.clock.now();
    let window = RequestWindow {
        start: as_of - TimeDelta::days(query.window_days),
        recent_start: as_of - TimeDelta::days(RECENT_DAYS),
        end: as_of,
    };
    let groups = feature_reports::askers(&mut conn, &query.customers, window).await?;
    let mut features = ranked(groups).map_err(|error| StorageError::Corrupt(error.to_string()))?;
    let feature_count = features.len();
    features.truncate(query.list_size);
    let names: Vec<&str> = features.iter().map(|one| one.feature.as_str()).collect();
    let mut given = feature_reports::given(&mut conn, &query.customers, window, &names).await?;
    for one in &mut features {
        one.given = given.remove(&one.feature).unwrap_or_default();
    }
    Ok(FeatureRequestReport { as_of, start: window.start, recent_start: window.recent_start, feature_count, features })
}
