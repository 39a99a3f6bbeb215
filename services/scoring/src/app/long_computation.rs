//! Computations that take seconds, in the middle of a transaction.

use std::time::Duration;

use mainstay_storage::StorageError;
use sqlx::{Connection, PgConnection};

/// How often the connection gives a sign of life meanwhile. PostgreSQL ends transactions that stand idle for longer than
/// `database.idle_in_transaction_timeout`, 30 s unless set otherwise.
const SIGN_OF_LIFE_INTERVAL: Duration = Duration::from_secs(1);

/// What `compute` gives, on a thread that serves no calls. The transaction stays as it is, and so does the job that is held by it.
pub(super) async fn run<T: Send + 'static>(
    conn: &mut PgConnection,
    compute: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StorageError> {
    let mut computing = tokio::task::spawn_blocking(compute);
    loop {
        match tokio::time::timeout(SIGN_OF_LIFE_INTERVAL, &mut computing).await {
            Ok(computed) => return computed.map_err(|error| StorageError::Corrupt(error.to_string())),
            Err(_) => conn.ping().await?,
        }
    }
}
