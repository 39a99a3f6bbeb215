//! When accounts left, in their rows.

use chrono::{DateTime, Utc};
use mainstay_domain::AccountId;
use mainstay_storage::StorageError;
use sqlx::PgConnection;

/// Keeps when these accounts left; none: they are customers. Their rows are locked.
pub(crate) async fn write(
    conn: &mut PgConnection,
    times: &[(&AccountId, Option<DateTime<Utc>>)],
) -> Result<(), StorageError> {
    if times.is_empty() {
        return Ok(());
    }
    let (accounts, churned_at): (Vec<&str>, Vec<Option<DateTime<Utc>>>) =
        times.iter().map(|(account, churned_at)| (account.as_str(), *churned_at)).unzip();
    sqlx::query!(
        "UPDATE scoring.accounts AS stored SET churned_at = given.churned_at
           FROM unnest($1::text[], $2::timestamptz[]) AS given (account_id, churned_at)
          WHERE stored.account_id = given.account_id",
        &accounts as &[&str],
        &churned_at as &[Option<DateTime<Utc>>],
    )
    .execute(conn)
    .await?;
    Ok(())
}
