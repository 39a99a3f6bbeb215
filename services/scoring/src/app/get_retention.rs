//! How long customers stay, cohort by cohort.

use mainstay_domain::Violations;
use mainstay_storage::{StorageError, begin};

use super::{App, ScoringError};
use crate::domain::cohort::{Retention, RetentionQuery};
use crate::storage::cohorts;

/// The curves up to today, and the test of the cohorts named; names of cohorts that are none are refused.
pub(crate) async fn execute(app: &App, query: &RetentionQuery) -> Result<Retention, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    let today = app.core.clock.today();
    let portfolio = cohorts::seen(&mut conn, query.dimension, &query.filter, None, today).await?;
    let retention = Retention::of(portfolio, query).map_err(|error| StorageError::Corrupt(error.to_string()))?;
    let mut found = Violations::new();
    for key in retention.unknown(query) {
        found.add("compared_cohorts", format!("there is no cohort `{key}` in the answer"));
    }
    found.into_result(retention).map_err(ScoringError::Invalid)
}
