//! Whether customers stay longer since a change of how the company works.

use mainstay_domain::Violations;
use mainstay_storage::{StorageError, begin};

use super::{App, ScoringError};
use crate::domain::retention_comparison::{BeforeAfter, Change, ChangeQuery, check_change_day, periods};
use crate::storage::retention_comparisons::{first_release, followed, lifespans};

/// The comparison of the days after the change, as far as they are there, with as many before.
pub(crate) async fn execute(app: &App, query: &ChangeQuery) -> Result<BeforeAfter, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    let today = app.core.clock.today();
    let mut found = Violations::new();
    let change_day = match &query.change {
        Change::Day(day) => check_change_day(&mut found, "day", *day, today),
        Change::Feature(name) => {
            let day = first_release(&mut conn, name).await?;
            found.require(day.is_some(), "feature", format!("no customer was given a feature `{name}`"));
            day.and_then(|day| check_change_day(&mut found, "feature", day, today))
        }
    };
    let Some((before, after)) = change_day.and_then(|day| periods(day, query.follow_days, today)) else {
        return Err(ScoringError::Invalid(found));
    };
    let before_portfolio = followed(&mut conn, &query.segments, before, None, today).await?;
    let after_portfolio = followed(&mut conn, &query.segments, after, None, today).await?;
    let lifespans = lifespans(&mut conn, &query.segments, after.first_day, today).await?;
    let report =
        BeforeAfter::of((before, &before_portfolio), (after, after_portfolio), &lifespans, query.follow_days, today);
    Ok(report.map_err(|error| StorageError::Corrupt(error.to_string()))?)
}
