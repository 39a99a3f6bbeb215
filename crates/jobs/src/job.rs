//! What a job is, and what the code that does it promises.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use mainstay_domain::with_causes;
use mainstay_storage::StorageError;
use mainstay_telemetry::propagation::{current_traceparent, set_parent_from_traceparent};
use serde_json::Value;
use sqlx::PgConnection;
use tracing::Span;

use crate::RetryPolicy;

/// A job to schedule. It joins a job of the same queue and key that is already there; see
/// [`Jobs::schedule`](crate::Jobs::schedule).
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    pub(crate) key: String,
    pub(crate) payload: Value,
    pub(crate) low_mark: Option<i64>,
    pub(crate) due_at: DateTime<Utc>,
    pub(crate) traceparent: Option<String>,
}

impl NewJob {
    /// A job that may run from `due_at` on, without payload and low mark, in the trace of the current span. `key` says what
    /// it is about, unique in its queue: an account's name, an operation's id.
    pub fn due(key: impl Into<String>, due_at: DateTime<Utc>) -> Self {
        Self { key: key.into(), payload: Value::Null, low_mark: None, due_at, traceparent: current_traceparent() }
    }

    /// With what the handler needs beside the key.
    #[must_use]
    pub fn with_payload(self, payload: Value) -> Self {
        Self { payload, ..self }
    }

    /// With the lowest position from which work is to be done, for instance the earliest day that changed, in days since
    /// 1970.
    #[must_use]
    pub fn with_low_mark(self, low_mark: i64) -> Self {
        Self { low_mark: Some(low_mark), ..self }
    }

    /// In the trace that a W3C `traceparent` names, when there is one.
    #[must_use]
    pub fn caused_by(self, traceparent: Option<&str>) -> Self {
        Self { traceparent: traceparent.map(str::to_owned).or(self.traceparent), ..self }
    }
}

/// A job as a handler gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// What the job is about.
    pub key: String,
    /// The payload of the last schedule or [`Outcome::Again`].
    pub payload: Value,
    /// The lowest position asked for since the job last completed.
    pub low_mark: Option<i64>,
    /// The time from which the job could run.
    pub due_at: DateTime<Utc>,
    /// How many attempts have failed since it was last completed, or brought back from the dead; 0 at the first.
    pub attempts: u32,
    /// W3C `traceparent` of whoever made it due when it is; `None` when that was not traced. It stays through
    /// [`Outcome::Again`].
    pub traceparent: Option<String>,
    /// The row's version as claimed. A row whose version moved while the handler ran was
    /// scheduled by the handler itself: nobody else can write to it then.
    pub(crate) version: i64,
}

impl Job {
    /// A span for what is done of this job, in the trace of whoever made it due.
    pub fn span(&self, queue: &'static str) -> Span {
        let span = tracing::info_span!("job", queue, key = self.key);
        if let Some(traceparent) = &self.traceparent {
            set_parent_from_traceparent(&span, traceparent);
        }
        span
    }
}

/// What becomes of a job that a handler has done.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The job is finished and its row goes.
    Done,
    /// The job is to run again. The times and marks replace those of the row.
    Again {
        /// When it is to run.
        due_at: DateTime<Utc>,
        /// The new low mark.
        low_mark: Option<i64>,
        /// The new payload; `None` keeps the one it has.
        payload: Option<Value>,
    },
}

/// Why a handler could not do its jobs. Whatever it wrote is rolled back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// It may work later: the attempt is counted and the job waits as its [`RetryPolicy`] says.
    #[error("{0}")]
    Retry(String),
    /// It will not work however often it is tried: the job is dead at once.
    #[error("{0}")]
    Dead(String),
    /// It lost against another transaction (serialization failure, deadlock). The same jobs are
    /// tried again soon and no attempt is counted, unless it happens time and again.
    #[error("lost against another transaction")]
    Conflict,
}

impl From<StorageError> for JobError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Conflict => Self::Conflict,
            other => Self::Retry(with_causes(&other)),
        }
    }
}

impl From<sqlx::Error> for JobError {
    fn from(error: sqlx::Error) -> Self {
        Self::from(StorageError::from(error))
    }
}

/// The code that does the jobs of one queue.
#[async_trait]
pub trait JobHandler: Send + Sync {
    /// The queue; also the label of its metrics. Unique within a [`Runner`](crate::Runner).
    fn queue(&self) -> &'static str;

    /// The most jobs to hand to one [`run`](Self::run), 1 to 10 000; values outside are brought inside.
    fn batch_size(&self) -> i64 {
        1
    }

    /// How failures of this queue's jobs are retried.
    fn retry_policy(&self) -> RetryPolicy {
        RetryPolicy::default()
    }

    /// Does the jobs, which stand in the order of their keys, and answers one outcome for each, in
    /// the same order. Everything written through `connection` is committed together with the
    /// outcomes, or not at all. The handler neither begins nor commits the transaction, though it
    /// may use savepoints.
    ///
    /// An error fails all the jobs handed over: a batch is then rolled back and its jobs come again
    /// one by one, so that only those that fail alone are held up. A panic counts as
    /// [`JobError::Retry`]. The handler must not wait for anything that may take long: the rows of
    /// its jobs are locked, and whoever schedules one of them waits.
    ///
    /// A single job runs in its own [span](Job::span). A handler of several says in which trace it does what: by that
    /// span, or by naming the job's `traceparent` to events and jobs.
    async fn run(&self, connection: &mut PgConnection, jobs: &[Job]) -> Result<Vec<Outcome>, JobError>;
}
