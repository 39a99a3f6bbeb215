//! Whether customers that were exposed to something stay as others do.

use mainstay_storage::{StorageError, begin};

use super::{App, ScoringError};
use crate::domain::retention_comparison::{ExposureQuery, ExposureReport};
use crate::storage::retention_comparisons::{self, ExposureSpan};

/// The comparison from the landmark up to the end of the follow-up.
pub(crate) async fn execute(app: &App, query: &ExposureQuery) -> Result<ExposureReport, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    let span =
        ExposureSpan { exposure: &query.exposure, first_day: query.exposure_first_day(), last_day: query.landmark };
    let today = app.core.clock.today();
    let portfolio =
        retention_comparisons::followed(&mut conn, &query.segments, query.follow_up, Some(&span), today).await?;
    let report = ExposureReport::of(portfolio, query.follow_up.days);
    Ok(report.map_err(|error| StorageError::Corrupt(error.to_string()))?)
}
