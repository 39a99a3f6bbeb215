//! What was replayed of accounts for an operation, while it runs.

use mainstay_domain::AccountId;
use mainstay_storage::StorageError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::codes;

/// A step of an operation, for which all its accounts are gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// What distributions over groups are made of.
    Readings,
    /// Scores, which are judged or learnt from.
    Scores,
}

impl Step {
    const fn number(self) -> i16 {
        match self {
            Self::Readings => 1,
            Self::Scores => 2,
        }
    }
}

/// Keeps what was replayed of accounts in a step; the same again changes nothing.
pub(crate) async fn keep<T: Serialize>(
    conn: &mut PgConnection,
    operation: Uuid,
    step: Step,
    accounts: &[(AccountId, T)],
) -> Result<(), StorageError> {
    let ids: Vec<&str> = accounts.iter().map(|(account, _)| account.as_str()).collect();
    let replayed: Vec<Value> = accounts
        .iter()
        .map(|(_, replayed)| serde_json::to_value(replayed))
        .collect::<Result<_, _>>()
        .map_err(codes::corrupt)?;
    sqlx::query!(
        "INSERT INTO scoring.replayed_accounts (operation_id, step, account_id, replayed)
         SELECT $1, $2, account_id, replayed FROM unnest($3::text[], $4::jsonb[]) AS given (account_id, replayed)
         ON CONFLICT DO NOTHING",
        operation,
        step.number(),
        &ids as &[&str],
        &replayed,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What was replayed of all accounts in a step, in the order of their ids.
pub(crate) async fn load<T: DeserializeOwned>(
    conn: &mut PgConnection,
    operation: Uuid,
    step: Step,
) -> Result<Vec<(AccountId, T)>, StorageError> {
    let rows = sqlx::query!(
        "SELECT account_id, replayed FROM scoring.replayed_accounts
          WHERE operation_id = $1 AND step = $2 ORDER BY account_id",
        operation,
        step.number()
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok((codes::account_id(&row.account_id)?, serde_json::from_value(row.replayed).map_err(codes::corrupt)?))
        })
        .collect()
}

/// Of how many accounts something was replayed, each step counted.
pub(crate) async fn count(conn: &mut PgConnection, operation: Uuid) -> Result<i64, StorageError> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM scoring.replayed_accounts WHERE operation_id = $1"#,
        operation
    );
    Ok(count.fetch_one(conn).await?)
}

/// Forgets what was replayed.
pub(crate) async fn forget(conn: &mut PgConnection, operation: Uuid) -> Result<(), StorageError> {
    sqlx::query!("DELETE FROM scoring.replayed_accounts WHERE operation_id = $1", operation).execute(conn).await?;
    Ok(())
}
