//! Rows of contacts with accounts.

use chrono::{DateTime, Utc};
use mainstay_domain::AccountId;
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use crate::domain::Touch;

/// Stores a contact as it is now; one that was answered stays answered. Contacts of the account up to `forget_through`
/// go: nobody asks for them any more.
pub(crate) async fn store(
    conn: &mut PgConnection,
    account: &AccountId,
    touch_id: &str,
    touch: &Touch,
    forget_through: DateTime<Utc>,
) -> Result<(), StorageError> {
    sqlx::query!(
        "DELETE FROM expansion.touches WHERE account_id = $1 AND touched_at <= $2",
        account.as_str(),
        forget_through,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "INSERT INTO expansion.touches AS known (account_id, touch_id, touched_at, inbound, answered)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (account_id, touch_id) DO UPDATE SET answered = known.answered OR excluded.answered",
        account.as_str(),
        touch_id,
        touch.at,
        touch.inbound,
        touch.answered,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The contacts with an account after a time.
pub(crate) async fn since(
    conn: &mut PgConnection,
    account: &AccountId,
    after: DateTime<Utc>,
) -> Result<Vec<Touch>, StorageError> {
    let touches = sqlx::query_as!(
        Touch,
        "SELECT touched_at AS at, inbound, answered FROM expansion.touches
          WHERE account_id = $1 AND touched_at > $2 ORDER BY touched_at",
        account.as_str(),
        after,
    )
    .fetch_all(conn)
    .await?;
    Ok(touches)
}
