//! What an operator sees and does: lists, counts, dead letters.

use chrono::{DateTime, Utc};
use mainstay_storage::StorageError;
use serde_json::Value;
use sqlx::PgPool;

use crate::Jobs;

/// Which half of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// Jobs that will run at their time, or wait for another attempt.
    Waiting,
    /// Jobs that were given up and wait for somebody to look at them.
    Dead,
}

/// Which jobs to list; the default is all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Only this queue.
    pub queue: Option<String>,
    /// Only this half.
    pub state: Option<JobState>,
}

/// Which part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobPage {
    /// The queue and key of the last job of the page before; `None` for the first page.
    pub after: Option<(String, String)>,
    /// The most jobs to answer, 1 to 1 000; values outside are brought inside.
    pub limit: i64,
}

/// A job as an operator sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRecord {
    /// Its queue.
    pub queue: String,
    /// Its key.
    pub key: String,
    /// Its payload.
    pub payload: Value,
    /// Its low mark.
    pub low_mark: Option<i64>,
    /// When it runs, or when its last attempt was due if it is dead.
    pub due_at: DateTime<Utc>,
    /// Failed attempts since it was last scheduled or completed.
    pub attempts: u32,
    /// What the last failed attempt said.
    pub last_error: Option<String>,
    /// Since when it is dead.
    pub dead_at: Option<DateTime<Utc>>,
    /// When its row was made.
    pub created_at: DateTime<Utc>,
    /// When its row last changed.
    pub updated_at: DateTime<Utc>,
}

/// How a queue stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueStats {
    /// The queue.
    pub queue: String,
    /// Jobs whose time has come.
    pub due: u64,
    /// Jobs whose time has not come.
    pub scheduled: u64,
    /// Jobs given up.
    pub dead: u64,
    /// The earliest due time among those that are due.
    pub oldest_due: Option<DateTime<Utc>>,
}

impl Jobs {
    /// The jobs that fit a filter, in the order of queue and key.
    pub async fn list(
        &self,
        _pool: &PgPool,
        _filter: &JobFilter,
        _page: &JobPage,
    ) -> Result<Vec<JobRecord>, StorageError> {
        todo!()
    }

    /// How each queue that has jobs stands, in the order of their names.
    pub async fn stats(&self, _pool: &PgPool, _now: DateTime<Utc>) -> Result<Vec<QueueStats>, StorageError> {
        todo!()
    }

    /// Gives a dead job a new set of attempts from `due_at` on. Answers whether there was such a
    /// dead job.
    pub async fn requeue(
        &self,
        _pool: &PgPool,
        _queue: &str,
        _key: &str,
        _due_at: DateTime<Utc>,
        _now: DateTime<Utc>,
    ) -> Result<bool, StorageError> {
        todo!()
    }

    /// [`requeue`](Self::requeue) for all dead jobs of a queue, at most `limit`; answers how many.
    pub async fn requeue_dead(
        &self,
        _pool: &PgPool,
        _queue: &str,
        _limit: i64,
        _due_at: DateTime<Utc>,
        _now: DateTime<Utc>,
    ) -> Result<u64, StorageError> {
        todo!()
    }

    /// Removes dead jobs of a queue that died before `before`, at most `limit`; answers how many.
    pub async fn purge_dead(
        &self,
        _pool: &PgPool,
        _queue: &str,
        _before: DateTime<Utc>,
        _limit: i64,
    ) -> Result<u64, StorageError> {
        todo!()
    }
}
