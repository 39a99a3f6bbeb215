//! The portfolio's health: a page of accounts, counts, an account's days.

use std::collections::HashMap;

use chrono::{NaiveDate, TimeDelta};
use mainstay_domain::{AccountId, Points};
use mainstay_storage::begin;
use sqlx::PgConnection;

use super::health_scored::ScoredView;
use super::{App, ScoringError};
use crate::storage::accounts;
use crate::storage::health::{self, Changes, HealthRecord};
use crate::storage::health_views::{self, HealthCursor, HealthFilter, HealthOrder, HealthView, SummaryGroup};

/// At most `limit` accounts after a place in the list.
pub(crate) async fn execute(
    app: &App,
    filter: &HealthFilter,
    order: HealthOrder,
    after: Option<&HealthCursor>,
    limit: i64,
) -> Result<Vec<ScoredView>, ScoringError> {
    let mut conn = begin(&app.pool).await?;
    let views = health_views::list(&mut conn, filter, order, after, limit).await?;
    ScoredView::of_all(app, &mut conn, views).await
}

/// The accounts that the filter lets through, counted.
pub(crate) async fn summarize(app: &App, filter: &HealthFilter) -> Result<Vec<SummaryGroup>, ScoringError> {
    let mut conn = begin(&app.pool).await?;
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
    let mut conn = begin(&app.pool).await?;
    let stored =
        accounts::lookup(&mut conn, account).await?.ok_or_else(|| ScoringError::AccountNotFound(account.clone()))?;
    let records = health_views::history(&mut conn, account, days.start, days.end, days.before, limit).await?;
    let scores = scores_around(&mut conn, account, &records).await?;
    let views = records
        .into_iter()
        .map(|record| HealthView {
            changes: changes_of(&record, &scores),
            record,
            display_name: stored.facts.display_name.clone(),
            segment: stored.facts.segment,
            arr: stored.facts.arr,
        })
        .collect();
    ScoredView::of_all(app, &mut conn, views).await
}

/// The account's scores on the days of the records and on those they are compared with.
async fn scores_around(
    conn: &mut PgConnection,
    account: &AccountId,
    records: &[HealthRecord],
) -> Result<HashMap<NaiveDate, Points>, ScoringError> {
    let (Some(newest), Some(oldest)) = (records.first(), records.last()) else { return Ok(HashMap::new()) };
    let scores =
        health::scores_between(conn, &[account.as_str()], oldest.day - TimeDelta::days(30), newest.day).await?;
    Ok(scores.into_iter().map(|(_, day, score)| (day, score)).collect())
}

fn changes_of(record: &HealthRecord, scores: &HashMap<NaiveDate, Points>) -> Changes {
    let change = |days: i64| Some(record.score? - *scores.get(&(record.day - TimeDelta::days(days)))?);
    Changes { one_day: change(1), week: change(7), month: change(30) }
}
