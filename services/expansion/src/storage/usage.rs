//! Rows of reported usage.

use chrono::NaiveDate;
use mainstay_domain::AccountId;
use mainstay_storage::StorageError;
use serde_json::Value;
use sqlx::PgConnection;

use super::codes::{self, from_json, to_json};
use crate::domain::{Month, MonthUse};

struct UsageRow {
    month: NaiveDate,
    limits: Value,
    active_users: i64,
    seats: Option<i64>,
}

/// Stores what an account used in a month, in place of what was told of it before.
pub(crate) async fn store(conn: &mut PgConnection, account: &AccountId, usage: &MonthUse) -> Result<(), StorageError> {
    sqlx::query!(
        "INSERT INTO expansion.usage_months (account_id, month, limits, active_users, seats)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (account_id, month) DO UPDATE SET
             limits = excluded.limits, active_users = excluded.active_users, seats = excluded.seats",
        account.as_str(),
        usage.month.first_day(),
        to_json(&usage.limits)?,
        usage.active_users,
        usage.seats,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The last months reported of an account, the newest first, at most so many.
pub(crate) async fn recent(
    conn: &mut PgConnection,
    account: &AccountId,
    limit: i64,
) -> Result<Vec<MonthUse>, StorageError> {
    let rows = sqlx::query_as!(
        UsageRow,
        "SELECT month, limits, active_users, seats FROM expansion.usage_months
          WHERE account_id = $1 ORDER BY month DESC LIMIT $2",
        account.as_str(),
        limit,
    )
    .fetch_all(conn)
    .await?;
    let usage = |row: UsageRow| {
        let limits = from_json(row.limits)?;
        Ok(MonthUse { month: codes::month(row.month), limits, active_users: row.active_users, seats: row.seats })
    };
    rows.into_iter().map(usage).collect()
}

/// The accounts to review for a month, in the order of their ids after one: those that reported it, and those with a
/// chance that has not lapsed.
pub(crate) async fn accounts_to_review(
    conn: &mut PgConnection,
    month: Month,
    after: &str,
    limit: i64,
) -> Result<Vec<AccountId>, StorageError> {
    let ids = sqlx::query_scalar!(
        r#"(SELECT account_id AS "account_id!" FROM expansion.usage_months
             WHERE month = $1 AND account_id > $2 ORDER BY account_id LIMIT $3)
           UNION
           (SELECT DISTINCT account_id FROM expansion.candidates
             WHERE state <> 4 AND account_id > $2 ORDER BY account_id LIMIT $3)
           ORDER BY 1 LIMIT $3"#,
        month.first_day(),
        after,
        limit,
    )
    .fetch_all(conn)
    .await?;
    ids.iter().map(|id| codes::account_id(id)).collect()
}
