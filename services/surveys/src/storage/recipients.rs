//! The people behind mail addresses: when they were last asked, and whether they want to be.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use mainstay_storage::{StorageError, exactly_one};
use sqlx::PgConnection;

use crate::domain::eligibility::RecipientState;

/// What is known of those behind the addresses; nothing of those who are not in the answer.
pub(crate) async fn states(
    conn: &mut PgConnection,
    addresses: &[&str],
) -> Result<HashMap<String, RecipientState>, StorageError> {
    let rows = sqlx::query!(
        "SELECT address, last_asked_at, opted_out_at FROM surveys.recipients WHERE address = ANY($1::text[])",
        addresses as &[&str],
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let state = RecipientState { opted_out_at: row.opted_out_at, last_asked_at: row.last_asked_at };
            (row.address, state)
        })
        .collect())
}

/// As [`states`], and held until the transaction ends; rows are made where there are none, so that two who are about to
/// ask the same person for two accounts meet. Locks are taken in the order of the addresses.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    addresses: &[&str],
) -> Result<HashMap<String, RecipientState>, StorageError> {
    let mut sorted = addresses.to_vec();
    sorted.sort_unstable();
    let rows = sqlx::query!(
        "INSERT INTO surveys.recipients AS known (address)
         SELECT address FROM unnest($1::text[]) WITH ORDINALITY AS given (address, place) ORDER BY place
         ON CONFLICT (address) DO UPDATE SET address = known.address
         RETURNING address, last_asked_at, opted_out_at",
        &sorted as &[&str],
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let state = RecipientState { opted_out_at: row.opted_out_at, last_asked_at: row.last_asked_at };
            (row.address, state)
        })
        .collect())
}

/// Notes that those behind locked addresses were asked.
pub(crate) async fn note_asked(
    conn: &mut PgConnection,
    addresses: &[&str],
    asked_at: DateTime<Utc>,
) -> Result<(), StorageError> {
    sqlx::query!(
        "UPDATE surveys.recipients SET last_asked_at = $2 WHERE address = ANY($1::text[])",
        addresses as &[&str],
        asked_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Sets since when the person behind a locked address does not want to be asked.
pub(crate) async fn set_opt_out(
    conn: &mut PgConnection,
    address: &str,
    opted_out_at: Option<DateTime<Utc>>,
) -> Result<(), StorageError> {
    let set = sqlx::query!("UPDATE surveys.recipients SET opted_out_at = $2 WHERE address = $1", address, opted_out_at)
        .execute(conn)
        .await?;
    exactly_one(&set)
}
