//! What every change of accounts brings with it: the rows, the events, and health to make anew.

use chrono::{DateTime, Utc};
use mainstay_domain::day_of;
use sqlx::PgConnection;

use super::queues::RESCORE_QUEUE;
use super::{App, ScoringError, events};
use crate::domain::account::{Account, AccountChange};
use crate::domain::day_number;
use crate::storage::{accounts, scoring_facts};

/// Stores accounts that are new or changed, tells of them by their `kind`, and has them scored again as of today.
/// The stored ones among them are locked.
pub(super) async fn store(
    app: &App,
    conn: &mut PgConnection,
    changed: &[Account],
    kind: impl Fn(&Account) -> AccountChange,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    if changed.is_empty() {
        return Ok(());
    }
    accounts::write(conn, changed).await?;
    scoring_facts::note(conn, changed, day_of(now)).await?;
    let told: Vec<_> =
        changed.iter().map(|account| events::account_changed(app, account, kind(account), now)).collect();
    app.events.append(conn, &told, now).await?;
    let keys: Vec<&str> = changed.iter().map(|account| account.id.as_str()).collect();
    let marks = vec![i64::from(day_number(day_of(now))); keys.len()];
    app.jobs.schedule_marks(conn, RESCORE_QUEUE, &keys, &marks, now, now).await?;
    Ok(())
}
