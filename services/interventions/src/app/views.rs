//! Alerts and cases with what is shown beside them.

use std::collections::HashMap;

use mainstay_domain::AccountId;
use mainstay_storage::StorageError;
use sqlx::PgConnection;
use uuid::Uuid;

use super::App;
use crate::domain::alert::Alert;
use crate::domain::case::Case;
use crate::domain::clock::{Clock, ClockSubject};
use crate::storage::clocks;

/// Something with the name of its account and its clocks.
#[derive(Debug, Clone)]
pub(crate) struct View<T> {
    pub item: T,
    pub account_name: String,
    pub clocks: Vec<Clock>,
}

/// Alerts with what is shown beside them, by as many statements as there are kinds of it.
pub(super) async fn of_alerts(
    app: &App,
    conn: &mut PgConnection,
    alerts: Vec<Alert>,
) -> Result<Vec<View<Alert>>, StorageError> {
    let ids: Vec<Uuid> = alerts.iter().map(|alert| alert.id).collect();
    let clocks = clocks::of_all(conn, &ids, &[], &[]).await?;
    with_parts(app, conn, alerts, clocks, |alert| (ClockSubject::Alert(alert.id), alert.account.clone())).await
}

/// Cases, likewise.
pub(super) async fn of_cases(
    app: &App,
    conn: &mut PgConnection,
    cases: Vec<Case>,
) -> Result<Vec<View<Case>>, StorageError> {
    let ids: Vec<Uuid> = cases.iter().map(|case| case.id).collect();
    let clocks = clocks::of_all(conn, &[], &ids, &[]).await?;
    with_parts(app, conn, cases, clocks, |case| (ClockSubject::Case(case.id), case.account.clone())).await
}

async fn with_parts<T>(
    app: &App,
    conn: &mut PgConnection,
    items: Vec<T>,
    clocks: Vec<Clock>,
    of: impl Fn(&T) -> (ClockSubject, AccountId),
) -> Result<Vec<View<T>>, StorageError> {
    let accounts: Vec<AccountId> = items.iter().map(|item| of(item).1).collect();
    let names = app.accounts.display_names(conn, &accounts).await?;
    let mut by_subject: HashMap<ClockSubject, Vec<Clock>> = HashMap::new();
    for clock in clocks {
        by_subject.entry(clock.subject).or_default().push(clock);
    }
    let view = |item: T| {
        let (subject, account) = of(&item);
        let account_name = names.get(&account).cloned().unwrap_or_default();
        View { clocks: by_subject.remove(&subject).unwrap_or_default(), account_name, item }
    };
    Ok(items.into_iter().map(view).collect())
}
