//! Whether the database answers.

use mainstay_storage::StorageError;
use sqlx::PgPool;

/// Asks the database for nothing but an answer.
pub(crate) async fn ping(pool: &PgPool) -> Result<(), StorageError> {
    sqlx::query("SELECT 1").execute(pool).await?;
    Ok(())
}
