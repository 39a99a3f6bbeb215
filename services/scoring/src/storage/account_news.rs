//! The newest that vendors told of accounts.

use mainstay_storage::StorageError;
use sqlx::PgConnection;

use crate::domain::NewsKey;

/// Whether the news is newer than all that was told of its subject; it is the newest from now on.
pub(crate) async fn note_if_newer(conn: &mut PgConnection, key: &NewsKey) -> Result<bool, StorageError> {
    let noted = sqlx::query!(
        "INSERT INTO scoring.account_news AS known (account_id, subject, told_at, rank, event_id)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (account_id, subject) DO UPDATE
            SET told_at = excluded.told_at, rank = excluded.rank, event_id = excluded.event_id
          WHERE (known.told_at, known.rank, known.event_id) < (excluded.told_at, excluded.rank, excluded.event_id)",
        key.account.as_str(),
        key.subject,
        key.at,
        key.rank,
        key.event_id,
    )
    .execute(conn)
    .await?;
    Ok(noted.rows_affected() == 1)
}
