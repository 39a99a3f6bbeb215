//! Mutations that may be sent twice.

use mainstay_storage::{IsConflict, Replay, RequestKey, StorageError, transact};
use sqlx::PgConnection;
use thiserror::Error;

use crate::Core;

/// How a mutation was asked for; see [`crate::request::mutation`].
#[derive(Debug, Clone)]
pub struct Mutation {
    /// Who asks and by which request id; none when the caller gave no id.
    pub key: Option<RequestKey>,
    /// Hash of the request's content.
    pub fingerprint: [u8; 32],
    /// Check only, write nothing.
    pub validate_only: bool,
}

/// The request id was used before for a request with other content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the request id was used with another content")]
pub struct RequestIdReused;

/// An answer that can be given again as it was.
pub trait Replayable: Sized {
    /// The answer as it is kept.
    fn to_bytes(&self) -> Vec<u8>;

    /// The answer as it was kept.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] when the bytes are no such answer.
    fn from_bytes(bytes: &[u8]) -> Result<Self, StorageError>;
}

/// Messages are kept as they are sent.
impl<M: prost::Message + Default> Replayable for M {
    fn to_bytes(&self) -> Vec<u8> {
        self.encode_to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, StorageError> {
        Self::decode(bytes).map_err(|error| StorageError::Corrupt(format!("a kept answer: {error}")))
    }
}

/// What [`Core::mutate`] runs: `async |conn| { … }`, which may borrow from
/// around it. Says of the future that it may move between threads, for which
/// `AsyncFn` has no words.
pub trait Work<'c, T, E>: Fn(&'c mut PgConnection) -> Self::Running + Sync {
    /// The future of one run.
    type Running: Future<Output = Result<T, E>> + Send;
}

impl<'c, T, E, F, R> Work<'c, T, E> for F
where
    F: Fn(&'c mut PgConnection) -> R + Sync,
    R: Future<Output = Result<T, E>> + Send,
{
    type Running = R;
}

/// Rolls a transaction back with its answer in hand, or with its error.
enum Stop<T, E> {
    Validated(T),
    Failed(E),
}

impl<T, E: From<StorageError>> From<StorageError> for Stop<T, E> {
    fn from(error: StorageError) -> Self {
        Self::Failed(error.into())
    }
}

impl<T, E: IsConflict> IsConflict for Stop<T, E> {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Failed(error) if error.is_conflict())
    }
}

impl Core {
    /// Runs `work` in one transaction together with the record of its answer:
    /// the same request again is answered from the record, without `work`.
    ///
    /// # Errors
    /// What `work` gave back, [`RequestIdReused`], or what the storage says.
    pub async fn mutate<T, E, W>(&self, mutation: &Mutation, work: W) -> Result<T, E>
    where
        T: Replayable + Send,
        E: From<StorageError> + From<RequestIdReused> + IsConflict + Send,
        W: for<'c> Work<'c, T, E> + AsyncFn(&mut PgConnection) -> Result<T, E>,
    {
        let work = &work;
        let outcome = transact(&self.pool, async |conn| self.attempt(conn, mutation, work).await).await;
        match outcome {
            Ok(answer) => {
                self.work_arrived.notify_one();
                Ok(answer)
            }
            Err(Stop::Validated(answer)) => Ok(answer),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    async fn attempt<T, E, W>(&self, conn: &mut PgConnection, mutation: &Mutation, work: &W) -> Result<T, Stop<T, E>>
    where
        T: Replayable + Send,
        E: From<StorageError> + From<RequestIdReused> + Send,
        W: for<'c> Work<'c, T, E>,
    {
        let key = mutation.key.as_ref().filter(|_| !mutation.validate_only);
        if let Some(key) = key {
            match self.idempotency.begin(conn, key, mutation.fingerprint, self.clock.now()).await? {
                Replay::First => {}
                Replay::Answered(bytes) => return T::from_bytes(&bytes).map_err(Stop::from),
                Replay::Mismatch => return Err(Stop::Failed(RequestIdReused.into())),
            }
        }
        let answer = work(conn).await.map_err(Stop::Failed)?;
        if mutation.validate_only {
            return Err(Stop::Validated(answer));
        }
        if let Some(key) = key {
            self.idempotency.finish(conn, key, &answer.to_bytes()).await?;
        }
        Ok(answer)
    }
}
