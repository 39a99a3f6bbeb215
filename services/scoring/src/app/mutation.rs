//! Mutations that may be sent twice.

use mainstay_storage::{IsConflict, Replay, RequestKey, StorageError, transact};
use sqlx::PgConnection;

use super::{App, ScoringError};

/// An answer that can be given again as it was.
pub(crate) trait Replayable: Sized {
    fn to_bytes(&self) -> Vec<u8>;
    fn from_bytes(bytes: &[u8]) -> Result<Self, ScoringError>;
}

/// Messages are kept as they are sent.
impl<M: prost::Message + Default> Replayable for M {
    fn to_bytes(&self) -> Vec<u8> {
        self.encode_to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, ScoringError> {
        Self::decode(bytes).map_err(|error| StorageError::Corrupt(format!("a kept answer: {error}")).into())
    }
}

/// How a mutation was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Mutation {
    /// Who asks and by which request id; none when the caller gave no id.
    pub key: Option<RequestKey>,
    /// Hash of the request's content.
    pub fingerprint: [u8; 32],
    /// Check only, write nothing.
    pub validate_only: bool,
}

/// What [`App::mutate`] runs: `async |conn| { … }`, which may borrow from
/// around it. Says of the future that it may move between threads, for which
/// `AsyncFn` has no words.
pub(crate) trait Work<'c, T>: Fn(&'c mut PgConnection) -> Self::Running + Sync {
    type Running: Future<Output = Result<T, ScoringError>> + Send;
}

impl<'c, T, F, R> Work<'c, T> for F
where
    F: Fn(&'c mut PgConnection) -> R + Sync,
    R: Future<Output = Result<T, ScoringError>> + Send,
{
    type Running = R;
}

/// Rolls a transaction back with its answer in hand, or with its error.
enum Stop<T> {
    Validated(T),
    Failed(ScoringError),
}

impl<T> From<StorageError> for Stop<T> {
    fn from(error: StorageError) -> Self {
        Self::Failed(error.into())
    }
}

impl<T> IsConflict for Stop<T> {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Failed(error) if error.is_conflict())
    }
}

impl App {
    /// Runs `work` in one transaction together with the record of its answer:
    /// the same request again is answered from the record, without `work`.
    pub(crate) async fn mutate<T, W>(&self, mutation: &Mutation, work: W) -> Result<T, ScoringError>
    where
        T: Replayable + Send,
        W: for<'c> Work<'c, T> + AsyncFn(&mut PgConnection) -> Result<T, ScoringError>,
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

    async fn attempt<T, W>(&self, conn: &mut PgConnection, mutation: &Mutation, work: &W) -> Result<T, Stop<T>>
    where
        T: Replayable + Send,
        W: for<'c> Work<'c, T>,
    {
        let key = mutation.key.as_ref().filter(|_| !mutation.validate_only);
        if let Some(key) = key {
            match self.idempotency.begin(conn, key, mutation.fingerprint, self.clock.now()).await? {
                Replay::First => {}
                Replay::Answered(bytes) => return T::from_bytes(&bytes).map_err(Stop::Failed),
                Replay::Mismatch => return Err(Stop::Failed(ScoringError::RequestIdReused)),
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
