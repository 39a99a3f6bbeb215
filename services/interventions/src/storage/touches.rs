//! Rows of contacts with customers.

use mainstay_storage::{StorageError, exactly_one};
use sqlx::PgConnection;

use super::codes;
use crate::domain::touch::Touch;

/// Stores a contact.
pub(crate) async fn insert(conn: &mut PgConnection, touch: &Touch) -> Result<(), StorageError> {
    let stored = sqlx::query!(
        "INSERT INTO interventions.touches
             (account_id, touch_id, case_id, channel, is_outbound, is_answered, contact_id, summary, touched_at, actor,
              challenges, changed_needs)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        touch.account.as_str(),
        touch.id,
        touch.case,
        codes::touch_channel_number(touch.channel),
        touch.is_outbound,
        touch.is_answered,
        touch.contact_id,
        touch.summary,
        touch.touched_at,
        touch.actor,
        touch.challenges,
        touch.changed_needs,
    )
    .execute(conn)
    .await?;
    exactly_one(&stored)
}
