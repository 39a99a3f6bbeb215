//! The portfolio's health: a page of accounts, counts, an account's days.

use chrono::NaiveDate;
use mainstay_domain::AccountId;

use super::health_scored::ScoredView;
use super::{App, ScoringError};
use crate::storage::health_views::{self, HealthCursor, HealthFilter, HealthOrder, HealthView, SummaryGroup};
use crate::storage::{accounts, health};

/// At most `limit` accounts after a place in the list.
pub(crate) async fn execute(
    app: &App,
    filter: &HealthFilter,
    order: HealthOrder,
    after: Option<&HealthCursor>,
    limit: i64,
) -> Result<Vec<ScoredView>, ScoringError> {
    let mut conn = app.pool.acquire().await?;
    let views = health_views::list(&mut conn, filter, order, after, limit).await?;
    ScoredView::of_all(app, &mut conn, views).await
}

/// The accounts that the filter lets through, counted.
pub(crate) async fn summarize(app: &App, filter: &HealthFilter) -> Result<Vec<SummaryGroup>, ScoringError> {
    let mut conn = app.pool.acquire().await?;
    Ok(health_views::summarize(&mut conn, filter).await?)
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
    let mut conn = app.pool.acquire().await?;
    let stored =
        accounts::lookup(&mut conn, account).await?.ok_or_else(|| ScoringError::AccountNotFound(account.clone()))?;
    let records = health_views::history(&mut conn, account, days.start, days.end, days.before, limit).await?;
    let views = records
        .into_iter()
        .map(|record| HealthView {
            record,
            changes: health::Changes::default(),
            display_name: stored.facts.display_name.clone(),
            segment: stored.facts.segment,
            arr: stored.facts.arr,
        })
        .collect();
    ScoredView::of_all(app, &mut conn, views).await
}
