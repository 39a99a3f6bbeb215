//! What can be looked up: alerts, cases, tasks, the story, policies.

use chrono::{DateTime, Utc};
use mainstay_domain::AccountId;
use mainstay_storage::{StorageError, begin};
use uuid::Uuid;

use super::views::{self, View};
use super::{App, InterventionsError};
use crate::domain::alert::Alert;
use crate::domain::case::Case;
use crate::domain::policy::{Policy, PolicyId};
use crate::domain::task::Task;
use crate::domain::timeline::TimelineEntry;
use crate::storage::{alerts, cases, policies, tasks, timeline};

pub(crate) use crate::storage::alerts::AlertFilter;
pub(crate) use crate::storage::cases::{CaseFilter, UNKNOWN_GAIN};
pub(crate) use crate::storage::tasks::TaskFilter;

/// One alert.
pub(crate) async fn alert(app: &App, id: Uuid) -> Result<View<Alert>, InterventionsError> {
    let mut conn = app.core.pool.acquire().await.map_err(StorageError::from)?;
    let found = alerts::lookup(&mut conn, id).await?.ok_or(InterventionsError::AlertNotFound(id))?;
    let mut views = views::of_alerts(app, &mut conn, vec![found]).await?;
    views.pop().ok_or(InterventionsError::AlertNotFound(id))
}

/// A page of alerts: open ones by what is due next, closed ones the last closed first.
pub(crate) async fn alerts(
    app: &App,
    filter: &AlertFilter,
    is_closed: bool,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<View<Alert>>, InterventionsError> {
    let mut conn = begin(&app.core.pool).await?;
    let found = if is_closed {
        alerts::list_closed(&mut conn, filter, after, limit).await?
    } else {
        alerts::list_open(&mut conn, filter, after, limit).await?
    };
    Ok(views::of_alerts(app, &mut conn, found).await?)
}

/// One case.
pub(crate) async fn case(app: &App, id: Uuid) -> Result<View<Case>, InterventionsError> {
    let mut conn = app.core.pool.acquire().await.map_err(StorageError::from)?;
    let found = cases::lookup(&mut conn, id).await?.ok_or(InterventionsError::CaseNotFound(id))?;
    let mut views = views::of_cases(app, &mut conn, vec![found]).await?;
    views.pop().ok_or(InterventionsError::CaseNotFound(id))
}

/// Where a page of cases begins.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CasesAfter {
    /// Open ones, after a gain and id.
    Open(Option<(i64, Uuid)>),
    /// Closed ones, after an end and id.
    Closed(Option<(DateTime<Utc>, Uuid)>),
}

/// A page of cases: open ones by priority, closed ones the last closed first.
pub(crate) async fn cases(
    app: &App,
    filter: &CaseFilter,
    after: CasesAfter,
    limit: i64,
) -> Result<Vec<View<Case>>, InterventionsError> {
    let mut conn = begin(&app.core.pool).await?;
    let found = match after {
        CasesAfter::Open(after) => cases::list_open(&mut conn, filter, after, limit).await?,
        CasesAfter::Closed(after) => cases::list_closed(&mut conn, filter, after, limit).await?,
    };
    Ok(views::of_cases(app, &mut conn, found).await?)
}

/// A page of tasks, what is due first first.
pub(crate) async fn tasks(
    app: &App,
    filter: &TaskFilter,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<Task>, InterventionsError> {
    let mut conn = begin(&app.core.pool).await?;
    Ok(tasks::list(&mut conn, filter, after, limit).await?)
}

/// Whose story is told.
#[derive(Debug, Clone)]
pub(crate) enum StoryOf {
    /// An account's.
    Account(AccountId),
    /// A case's.
    Case(Uuid),
}

/// A page of a story, the newest first; each entry with its place.
pub(crate) async fn story(
    app: &App,
    of: &StoryOf,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<(i64, TimelineEntry)>, InterventionsError> {
    let mut conn = begin(&app.core.pool).await?;
    let (account, case) = match of {
        StoryOf::Account(account) => {
            let known = app.accounts.lookup(&mut conn, account).await?;
            let known = known.ok_or_else(|| InterventionsError::AccountNotFound(account.name()))?;
            (known.id, None)
        }
        StoryOf::Case(id) => {
            let case = cases::lookup(&mut conn, *id).await?.ok_or(InterventionsError::CaseNotFound(*id))?;
            (case.account, Some(*id))
        }
    };
    Ok(timeline::list(&mut conn, &account, case, before, limit).await?)
}

/// The newest version of every policy.
pub(crate) async fn policies(app: &App) -> Result<Vec<Policy>, InterventionsError> {
    let mut conn = app.core.pool.acquire().await.map_err(StorageError::from)?;
    Ok(policies::all_newest(&mut conn).await?)
}

/// One version of a policy, or the newest.
pub(crate) async fn policy(app: &App, id: PolicyId, version: Option<i32>) -> Result<Policy, InterventionsError> {
    let mut conn = app.core.pool.acquire().await.map_err(StorageError::from)?;
    let found = match version {
        Some(version) => policies::version(&mut conn, id, version).await?,
        None => policies::newest(&mut conn, id).await?,
    };
    found.ok_or_else(|| InterventionsError::PolicyNotFound(format!("policies/{}", id.text())))
}
