//! The health of accounts, today's or a past day's.

use std::collections::HashMap;

use chrono::NaiveDate;
use mainstay_domain::AccountId;
use sqlx::PgConnection;

use super::health_scored::ScoredView;
use super::{App, ScoringError};
use crate::domain::HealthView;
use crate::storage::{accounts, health_views};

/// The health of one account.
pub(crate) async fn execute(
    app: &App,
    account: &AccountId,
    day: Option<NaiveDate>,
) -> Result<ScoredView, ScoringError> {
    let mut conn = app.core.pool.acquire().await?;
    one(app, &mut conn, account, day).await
}

/// The health of one account, on a connection at hand.
pub(super) async fn one(
    app: &App,
    conn: &mut PgConnection,
    account: &AccountId,
    day: Option<NaiveDate>,
) -> Result<ScoredView, ScoringError> {
    let view = match day {
        None => health_views::current_of(conn, account).await?,
        Some(day) => health_views::as_of(conn, &[account.as_str()], day).await?.pop(),
    };
    match view {
        Some(view) => ScoredView::of(app, conn, view).await,
        None if accounts::lookup(conn, account).await?.is_none() => Err(ScoringError::AccountNotFound(account.clone())),
        None => Err(ScoringError::HealthNotScored { account: account.clone(), day }),
    }
}

/// The health of several accounts in the order asked for, and those that have none.
pub(crate) async fn execute_batch(
    app: &App,
    accounts: &[AccountId],
    day: Option<NaiveDate>,
) -> Result<(Vec<ScoredView>, Vec<AccountId>), ScoringError> {
    let mut conn = app.core.pool.acquire().await?;
    let ids: Vec<&str> = accounts.iter().map(AccountId::as_str).collect();
    let views = views(&mut conn, &ids, day).await?;
    let mut by_account: HashMap<AccountId, ScoredView> = ScoredView::of_all(app, &mut conn, views)
        .await?
        .into_iter()
        .map(|scored| (scored.view.record.account.clone(), scored))
        .collect();
    let mut found = Vec::with_capacity(accounts.len());
    let mut not_found = Vec::new();
    for account in accounts {
        match by_account.remove(account) {
            Some(scored) => found.push(scored),
            None => not_found.push(account.clone()),
        }
    }
    Ok((found, not_found))
}

async fn views(conn: &mut PgConnection, ids: &[&str], day: Option<NaiveDate>) -> Result<Vec<HealthView>, ScoringError> {
    Ok(match day {
        None => health_views::current(conn, ids).await?,
        Some(day) => health_views::as_of(conn, ids, day).await?,
    })
}
