//! Rows of the story of accounts.

use mainstay_domain::AccountId;
use mainstay_storage::{StorageError, exactly_one};
use sqlx::PgConnection;
use uuid::Uuid;

use super::codes;
use crate::domain::timeline::TimelineEntry;

/// Adds to the story of an account.
pub(crate) async fn insert(conn: &mut PgConnection, entry: &TimelineEntry) -> Result<(), StorageError> {
    let stored = sqlx::query!(
        "INSERT INTO interventions.timeline (account_id, happened_at, kind, body, actor, alert_id, case_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        entry.account.as_str(),
        entry.happened_at,
        entry.kind,
        entry.body,
        entry.actor,
        entry.alert,
        entry.case,
    )
    .execute(conn)
    .await?;
    exactly_one(&stored)
}

/// A page of the story of an account, or of one of its cases, the newest first, before the sequence given; each entry
/// with its own.
pub(crate) async fn list(
    conn: &mut PgConnection,
    account: &AccountId,
    case: Option<Uuid>,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<(i64, TimelineEntry)>, StorageError> {
    let rows = sqlx::query!(
        "SELECT account_id, sequence, happened_at, kind, body, actor, alert_id, case_id
           FROM interventions.timeline
          WHERE account_id = $1
            AND ($2::uuid IS NULL OR case_id = $2)
            AND ($3::bigint IS NULL OR sequence < $3)
          ORDER BY sequence DESC LIMIT $4",
        account.as_str(),
        case,
        before,
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let entry = TimelineEntry {
                account: codes::account_id(&row.account_id)?,
                happened_at: row.happened_at,
                kind: row.kind,
                body: row.body,
                actor: row.actor,
                alert: row.alert_id,
                case: row.case_id,
            };
            Ok((row.sequence, entry))
        })
        .collect()
}
