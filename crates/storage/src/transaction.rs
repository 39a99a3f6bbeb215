//! A use case's transaction.

use sqlx::{PgConnection, PgPool};

use crate::{IsConflict, StorageError};

/// Runs `work` in a transaction and commits it.
pub async fn transact<T, E, F>(pool: &PgPool, mut work: F) -> Result<T, E>
where
    F: AsyncFnMut(&mut PgConnection) -> Result<T, E>,
    E: From<StorageError> + IsConflict,
{
    let mut transaction = pool.begin().await.map_err(StorageError::from)?;
    let answer = work(&mut transaction).await?;
    transaction.commit().await.map_err(StorageError::from)?;
    Ok(answer)
}
