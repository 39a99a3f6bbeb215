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

/// Stores what an account used in a month, in place of what was told of it before, and in whose trace it was told.
pub(crate) async fn store(
    conn: &mut PgConnection,
    account: &AccountId,
    usage: &MonthUse,
    traceparent: Option<&str>,
) -> Result<(), StorageError> {
    sqlx::query!(
        "INSERT INTO expansion.usage_months (account_id, month, limits, active_users, seats, traceparent)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (account_id, month) DO UPDATE SET
             limits = excluded.limits, active_users = excluded.active_users, seats = excluded.seats,
             traceparent = excluded.traceparent",
        account.as_str(),
        usage.month.first_day(),
        to_json(&usage.limits)?,
        usage.active_users,
        usage.seats,
        traceparent.unwrap_or_default(),
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

/// An account to review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ToReview {
    pub account: AccountId,
    /// W3C `traceparent` of the newest report up to the month, when there is one and it was traced.
    pub traceparent: Option<String>,
}

/// The accounts to review for a month, in the order of their ids after one: those that reported it, and those with a
/// chance that has not lapsed.
pub(crate) async fn accounts_to_review(
    conn: &mut PgConnection,
    month: Month,
    after: &str,
    limit: i64,
) -> Result<Vec<ToReview>, StorageError> {
    let rows = sqlx::query!(
        r#"SELECT page.account_id AS "account_id!", nullif(report.traceparent, '') AS traceparent
             FROM ((SELECT account_id FROM expansion.usage_months
                     WHERE month = $1 AND account_id > $2 ORDER BY account_id LIMIT $3)
                   UNION
                   (SELECT DISTINCT account_id FROM expansion.candidates
                     WHERE state <> 4 AND account_id > $2 ORDER BY account_id LIMIT $3)
                   ORDER BY 1 LIMIT $3) AS page
             LEFT JOIN LATERAL (SELECT traceparent FROM expansion.usage_months AS known
                                 WHERE known.account_id = page.account_id AND known.month <= $1
                                 ORDER BY known.month DESC LIMIT 1) AS report ON true
            ORDER BY 1"#,
        month.first_day(),
        after,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| Ok(ToReview { account: codes::account_id(&row.account_id)?, traceparent: row.traceparent }))
        .collect()
}
