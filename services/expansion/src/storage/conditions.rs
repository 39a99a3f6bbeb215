//! Rows of the conditions for which an account is left alone.

use chrono::{DateTime, Utc};
use mainstay_domain::AccountId;
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes;
use crate::domain::Condition;

/// Stores a condition as it is told. One that ended stays so: the news that it began comes again when a feed is read anew.
pub(crate) async fn store(
    conn: &mut PgConnection,
    account: &AccountId,
    condition: &Condition,
) -> Result<(), StorageError> {
    sqlx::query!(
        "INSERT INTO expansion.conditions AS known (account_id, reference, kind, started_at, ended_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (account_id, reference) DO UPDATE SET
             kind = excluded.kind, started_at = excluded.started_at, ended_at = coalesce(known.ended_at, excluded.ended_at)",
        account.as_str(),
        condition.reference,
        codes::condition_kind_number(condition.kind),
        condition.started_at,
        condition.ended_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends a condition that lasts; false when there is none.
pub(crate) async fn end(
    conn: &mut PgConnection,
    account: &AccountId,
    reference: &str,
    ended_at: DateTime<Utc>,
) -> Result<bool, StorageError> {
    let ended = sqlx::query!(
        "UPDATE expansion.conditions SET ended_at = $3 WHERE account_id = $1 AND reference = $2 AND ended_at IS NULL",
        account.as_str(),
        reference,
        ended_at,
    )
    .execute(conn)
    .await?;
    Ok(ended.rows_affected() == 1)
}

/// The conditions of an account that last, or ended after a time.
pub(crate) async fn since(
    conn: &mut PgConnection,
    account: &AccountId,
    ended_after: DateTime<Utc>,
) -> Result<Vec<Condition>, StorageError> {
    let rows = sqlx::query!(
        "SELECT reference, kind, started_at, ended_at FROM expansion.conditions
          WHERE account_id = $1 AND (ended_at IS NULL OR ended_at > $2) ORDER BY reference",
        account.as_str(),
        ended_after,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let kind = codes::condition_kind(row.kind)?;
            Ok(Condition { kind, reference: row.reference, started_at: row.started_at, ended_at: row.ended_at })
        })
        .collect()
}
