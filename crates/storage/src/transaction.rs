//! A use case's transaction: begun, retried when it meets another one, committed once.

use std::time::Duration;

use rand::rngs::{StdRng, SysRng};
use rand::{RngExt, SeedableRng};
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, Transaction};

use crate::deadline::begin_statement;
use crate::{IsConflict, StorageError};

/// How often a transaction that met another one is run anew.
const RETRIES_MAX: u32 = 5;

/// The longest wait before the first retry; before each later one it may be twice as long.
const BACKOFF_BASE: Duration = Duration::from_millis(10);

/// What [`transact`] runs: `async |connection| { … }`, which may borrow from around it.
///
/// Any such closure is one, except if it changes or (as with `move`) owns what it captured, because its
/// future would then borrow from the closure itself. That the future may move between threads must be
/// said here: `AsyncFnMut` has no words for it, and without them no handler that borrows could be spawned.
pub trait TransactionWork<'c, T, E>: FnMut(&'c mut PgConnection) -> Self::Running {
    /// The future of one run.
    type Running: Future<Output = Result<T, E>> + Send;
}

impl<'c, T, E, F, R> TransactionWork<'c, T, E> for F
where
    F: FnMut(&'c mut PgConnection) -> R,
    R: Future<Output = Result<T, E>> + Send,
{
    type Running = R;
}

/// Runs `work` in a transaction and commits it; when `work` fails, nothing of it stays.
///
/// A transaction that met another one (a serialization failure or deadlock, in `work` or in the commit)
/// is run anew up to 5 times after a random wait. So `work` must have no effect outside of the
/// database, and must give back the error of a statement that failed: PostgreSQL refuses all further
/// statements of such a transaction, and the commit is refused here too.
///
/// When the caller's future is dropped before the commit, the transaction is rolled back; once the commit
/// has begun it runs to its end on a task of its own. So either the effect and its record
/// ([`crate::Idempotency`]) are both there, or none is.
///
/// # Errors
/// What `work` gave back, or the error of beginning or committing. After [`StorageError::Unavailable`]
/// from the commit it is not known whether it took effect.
pub async fn transact<T, E, F>(pool: &PgPool, mut work: F) -> Result<T, E>
where
    F: for<'c> TransactionWork<'c, T, E> + AsyncFnMut(&mut PgConnection) -> Result<T, E>,
    E: From<StorageError> + IsConflict,
{
    let mut retries = 0;
    loop {
        let mut transaction = begin(pool).await?;
        let outcome = match work(&mut transaction).await {
            Ok(answer) => commit(transaction).await.map(|()| answer).map_err(E::from),
            Err(error) => {
                roll_back(transaction).await;
                Err(error)
            }
        };
        match outcome {
            Err(error) if error.is_conflict() && retries < RETRIES_MAX => {
                metrics::counter!("mainstay_database_transaction_retries_total").increment(1);
                tokio::time::sleep(backoff(retries)).await;
                retries += 1;
            }
            finished => return finished,
        }
    }
}

/// Begins a transaction, for callers who cannot use [`transact`] and for reads that may take long: its statements end
/// with the caller's time ([`crate::within_deadline`]). Dropped without [`commit`], it is rolled back.
///
/// It begins on a task of its own, which goes on when the caller's future is dropped. Dropped half way, the driver's
/// `BEGIN` (sqlx 0.9.0) leaves the connection to the pool inside a transaction that the driver does not know of: what is
/// then written through it is not committed, and holds its locks.
///
/// # Errors
/// When there is no connection, or the database refuses.
pub async fn begin(pool: &PgPool) -> Result<Transaction<'static, Postgres>, StorageError> {
    let (pool, statement) = (pool.clone(), begin_statement());
    match tokio::spawn(async move { pool.begin_with(AssertSqlSafe(statement)).await }).await {
        Ok(begun) => Ok(begun?),
        Err(_) => Err(StorageError::Unavailable(sqlx::Error::WorkerCrashed)),
    }
}

/// Commits a transaction of [`begin`], on a task of its own, which goes on when the caller's future is dropped. A
/// transaction in which a statement failed, and was passed over, is refused.
///
/// # Errors
/// When nothing of it stays; after [`StorageError::Unavailable`] it is not known whether it took effect.
pub async fn commit(transaction: Transaction<'static, Postgres>) -> Result<(), StorageError> {
    match tokio::spawn(commit_checked(transaction)).await {
        Ok(committed) => Ok(committed?),
        Err(_) => Err(StorageError::Unavailable(sqlx::Error::WorkerCrashed)),
    }
}

/// A bare `COMMIT` of a transaction in which a statement failed rolls back and reports success; the
/// statement before it makes that an error (25P02), in the same round trip. The driver cannot be told that the
/// transaction has ended, so an empty one is begun, and rolled back as the connection goes back to its pool.
async fn commit_checked(mut transaction: Transaction<'static, Postgres>) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("SELECT 1; COMMIT; BEGIN").execute(&mut *transaction).await?;
    Ok(())
}

/// Rolls back before anything else is done, so that a retry does not meet this transaction's own locks.
async fn roll_back(transaction: Transaction<'static, Postgres>) {
    if let Err(error) = transaction.rollback().await {
        tracing::debug!(%error, "the transaction ended with its connection");
    }
}

/// A random wait of up to the base doubled with each retry, so that two that met do not meet again.
fn backoff(retries: u32) -> Duration {
    let longest = BACKOFF_BASE * 2_u32.saturating_pow(retries);
    let share = StdRng::try_from_rng(&mut SysRng).map_or(1.0, |mut random| random.random_range(0.0..1.0));
    longest.mul_f64(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_stay_within_their_bound_and_differ() {
        for retries in 0..RETRIES_MAX {
            let longest = BACKOFF_BASE * 2_u32.pow(retries);
            let waits: Vec<Duration> = (0..20).map(|_| backoff(retries)).collect();
            assert!(waits.iter().all(|wait| *wait <= longest));
            assert!(waits.iter().any(|wait| *wait != waits[0]));
        }
    }
}
