//! Rows of long-running operations.

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_storage::StorageError;
use sqlx::PgConnection;
use uuid::Uuid;

/// An operation as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OperationRecord {
    pub operation_id: Uuid,
    pub start_day: NaiveDate,
    pub account_count: i64,
    /// Once it has ended: how many accounts were scored. 0 before.
    pub done_count: i64,
    pub started_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub cancelled: bool,
}

/// `query_as!` for whole operations, so that the columns stand here once.
macro_rules! select_operations {
    ($tail:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            OperationRecord,
            "SELECT operation_id, start_day, account_count, done_count, started_at, ended_at, cancelled
               FROM scoring.operations " + $tail
            $(, $argument)*
        )
    };
}

/// Begins an operation over no accounts yet; false when one is under way.
pub(crate) async fn begin(
    conn: &mut PgConnection,
    id: Uuid,
    start_day: NaiveDate,
    started_at: DateTime<Utc>,
) -> Result<bool, StorageError> {
    let begun = sqlx::query!(
        "INSERT INTO scoring.operations (operation_id, start_day, account_count, started_at)
         VALUES ($1, $2, 0, $3) ON CONFLICT DO NOTHING",
        id,
        start_day,
        started_at,
    )
    .execute(conn)
    .await?;
    Ok(begun.rows_affected() == 1)
}

/// The operation that is under way.
pub(crate) async fn running(conn: &mut PgConnection) -> Result<Option<Uuid>, StorageError> {
    let id = sqlx::query_scalar!("SELECT operation_id FROM scoring.operations WHERE ended_at IS NULL")
        .fetch_optional(conn)
        .await?;
    Ok(id)
}

/// Notes over how many accounts the operation goes.
pub(crate) async fn set_account_count(
    conn: &mut PgConnection,
    id: Uuid,
    account_count: i64,
) -> Result<(), StorageError> {
    sqlx::query!("UPDATE scoring.operations SET account_count = $2 WHERE operation_id = $1", id, account_count)
        .execute(conn)
        .await?;
    Ok(())
}

/// The operation, if there is one.
pub(crate) async fn lookup(conn: &mut PgConnection, id: Uuid) -> Result<Option<OperationRecord>, StorageError> {
    Ok(select_operations!("WHERE operation_id = $1", id).fetch_optional(conn).await?)
}

/// The operation, if there is one, locked until the transaction ends.
pub(crate) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<OperationRecord>, StorageError> {
    Ok(select_operations!("WHERE operation_id = $1 FOR UPDATE", id).fetch_optional(conn).await?)
}

/// Ends an operation that the caller has locked.
pub(crate) async fn end(
    conn: &mut PgConnection,
    id: Uuid,
    done_count: i64,
    cancelled: bool,
    ended_at: DateTime<Utc>,
) -> Result<(), StorageError> {
    sqlx::query!(
        "UPDATE scoring.operations SET done_count = $2, cancelled = $3, ended_at = $4 WHERE operation_id = $1",
        id,
        done_count,
        cancelled,
        ended_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A page of operations, newest first, before the one with the id `before`;
/// the ids rise with time.
pub(crate) async fn list(
    conn: &mut PgConnection,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<OperationRecord>, StorageError> {
    let records = select_operations!(
        "WHERE $1::uuid IS NULL OR operation_id < $1 ORDER BY operation_id DESC LIMIT $2",
        before,
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(records)
}
