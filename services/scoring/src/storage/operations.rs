//! Rows of long-running operations.

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_storage::StorageError;
use sqlx::PgConnection;
use uuid::Uuid;

use super::codes;
use crate::domain::OperationKind;

const fn kind_number(kind: OperationKind) -> i16 {
    match kind {
        OperationKind::Recompute => 1,
        OperationKind::Backtest => 2,
        OperationKind::Training => 3,
    }
}

/// An operation as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OperationRecord {
    pub operation_id: Uuid,
    pub kind: OperationKind,
    pub start_day: NaiveDate,
    pub account_count: i64,
    /// Once it has ended: of how many accounts its work was done. 0 before.
    pub done_count: i64,
    pub started_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub cancelled: bool,
}

struct OperationRow {
    operation_id: Uuid,
    kind: i16,
    start_day: NaiveDate,
    account_count: i64,
    done_count: i64,
    started_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    cancelled: bool,
}

impl TryFrom<OperationRow> for OperationRecord {
    type Error = StorageError;

    fn try_from(row: OperationRow) -> Result<Self, StorageError> {
        let kind = match row.kind {
            1 => OperationKind::Recompute,
            2 => OperationKind::Backtest,
            3 => OperationKind::Training,
            other => return Err(codes::corrupt(format!("operation kind {other}"))),
        };
        Ok(Self {
            operation_id: row.operation_id,
            kind,
            start_day: row.start_day,
            account_count: row.account_count,
            done_count: row.done_count,
            started_at: row.started_at,
            ended_at: row.ended_at,
            cancelled: row.cancelled,
        })
    }
}

/// `query_as!` for whole operations, so that the columns stand here once.
macro_rules! select_operations {
    ($tail:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            OperationRow,
            "SELECT operation_id, kind, start_day, account_count, done_count, started_at, ended_at, cancelled
               FROM scoring.operations " + $tail
            $(, $argument)*
        )
    };
}

/// Begins an operation over no accounts yet; false when one of the kind is under way.
pub(crate) async fn begin(
    conn: &mut PgConnection,
    id: Uuid,
    kind: OperationKind,
    start_day: NaiveDate,
    started_at: DateTime<Utc>,
) -> Result<bool, StorageError> {
    let begun = sqlx::query!(
        "INSERT INTO scoring.operations (operation_id, start_day, account_count, started_at, kind)
         VALUES ($1, $2, 0, $3, $4) ON CONFLICT DO NOTHING",
        id,
        start_day,
        started_at,
        kind_number(kind),
    )
    .execute(conn)
    .await?;
    Ok(begun.rows_affected() == 1)
}

/// The operation of the kind that is under way.
pub(crate) async fn running(
    conn: &mut PgConnection,
    kind: OperationKind,
) -> Result<Option<OperationRecord>, StorageError> {
    let row =
        select_operations!("WHERE ended_at IS NULL AND kind = $1", kind_number(kind)).fetch_optional(conn).await?;
    row.map(OperationRecord::try_from).transpose()
}

/// The operation of the kind that ended last: the ids rise with time, and one runs at a time.
pub(crate) async fn last_ended(conn: &mut PgConnection, kind: OperationKind) -> Result<Option<Uuid>, StorageError> {
    let last = sqlx::query_scalar!(
        "SELECT operation_id FROM scoring.operations WHERE kind = $1 AND ended_at IS NOT NULL
          ORDER BY operation_id DESC LIMIT 1",
        kind_number(kind)
    );
    Ok(last.fetch_optional(conn).await?)
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
    let row = select_operations!("WHERE operation_id = $1", id).fetch_optional(conn).await?;
    row.map(OperationRecord::try_from).transpose()
}

/// The operation, if there is one, locked until the transaction ends.
pub(crate) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<OperationRecord>, StorageError> {
    let row = select_operations!("WHERE operation_id = $1 FOR UPDATE", id).fetch_optional(conn).await?;
    row.map(OperationRecord::try_from).transpose()
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
    let rows = select_operations!(
        "WHERE $1::uuid IS NULL OR operation_id < $1 ORDER BY operation_id DESC LIMIT $2",
        before,
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(OperationRecord::try_from).collect()
}
