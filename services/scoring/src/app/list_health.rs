//! The portfolio's health: a page of accounts, counts, an account's days.

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::AccountId;
use mainstay_storage::{StorageError, begin};

use super::health_scored::ScoredView;
use super::{App, ScoringError};
use crate::domain::{HealthCursor, HealthFilter, HealthOrder, HealthSummary};
use crate::storage::{accounts, health_views};

/// At most `limit` accounts after a place in the list.
pub(crate) async fn execute(
    app: &App,
    filter: &HealthFilter,
    order: HealthOrder,
    after: Option<&HealthCursor>,
    limit: i64,
) -> Result<Vec<ScoredView>, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    let views = health_views::list(&mut conn, filter, order, after, limit).await?;
    ScoredView::of_all(app, &mut conn, views).await
}

/// The accounts that the filter lets through, counted, and as of when.
pub(crate) async fn summarize(
    app: &App,
    filter: &HealthFilter,
) -> Result<(HealthSummary, DateTime<Utc>), ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    let as_of = app.core.clock.now();
    let groups = health_views::summarize(&mut conn, filter).await?;
    let summary = HealthSummary::of(&groups).map_err(|error| StorageError::Corrupt(error.to_string()))?;
    Ok((summary, as_of))
}

/// Which days of an account's history.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct HistoryDays {
    pub start: Option<NaiveDate>,
    pub end: Option<NaiveDate>,
    /// Only days before this one: where the page begins.
    pub before: Option<NaiveDate>,
}

/// At most `limit` days of an account, newest first.
pub(crate) async fn history(
    app: &App,
    account: &AccountId,
    days: HistoryDays,
    limit: i64,
) -> Result<Vec<ScoredView>, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    let views = health_views::history(&mut conn, account, days.start, days.end, days.before, limit).await?;
    if views.is_empty() && accounts::lookup(&mut conn, account).await?.is_none() {
        return Err(ScoringError::AccountNotFound(account.clone()));
    }
    ScoredView::of_all(app, &mut conn, views).await
}
