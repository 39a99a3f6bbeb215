//! What customers get out of the product.

use chrono::TimeDelta;
use mainstay_domain::day_of;
use mainstay_storage::{StorageError, begin};

use super::{App, ScoringError};
use crate::domain::customer_filter::CustomerFilter;
use crate::domain::outcome_report::{DUE_DAYS, OutcomeGroupReport, OutcomeReport, TargetCounts, TargetProgress};
use crate::storage::{adoption_targets, outcome_reports};

/// From what is kept ready: each account as it was scored last.
pub(crate) async fn execute(app: &App, customers: &CustomerFilter) -> Result<OutcomeReport, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    let conn = &mut *conn;
    let as_of = app.core.clock.now();
    let today = day_of(as_of);
    let due_since = today - TimeDelta::days(DUE_DAYS);
    let counted = outcome_reports::progress(conn, customers, due_since, today).await?;
    let mut targets = Vec::new();
    for kept in adoption_targets::all(conn).await? {
        let mut progress = TargetProgress { target: kept, all: TargetCounts::default(), segments: Vec::new() };
        for (_, segment, counts) in counted.iter().filter(|(id, ..)| *id == progress.target.target.id) {
            match segment {
                None => progress.all = *counts,
                Some(segment) => progress.segments.push((*segment, *counts)),
            }
        }
        targets.push(progress);
    }
    let groups = outcome_reports::groups(conn, customers, today).await?;
    let groups = OutcomeGroupReport::of(&groups).map_err(|error| StorageError::Corrupt(error.to_string()))?;
    Ok(OutcomeReport { as_of, due_since, targets, groups })
}
