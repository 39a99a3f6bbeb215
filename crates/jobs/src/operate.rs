//! What an operator sees and does: lists, counts, dead letters.

use chrono::{DateTime, Utc};
use mainstay_storage::StorageError;
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, PgPool, Row};

use crate::Jobs;

/// The most jobs that one list answers.
const LIST_MAX: i64 = 1_000;

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
    /// Failed attempts since it was last completed, or brought back from the dead.
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

/// How many jobs a queue has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueCount {
    /// Jobs that will run, now or later.
    pub waiting: u64,
    /// Jobs given up.
    pub dead: u64,
}

impl Jobs {
    /// The jobs that fit a filter, in the order of queue and key.
    pub async fn list(
        &self,
        pool: &PgPool,
        filter: &JobFilter,
        page: &JobPage,
    ) -> Result<Vec<JobRecord>, StorageError> {
        let (after_queue, after_key) = page.after.as_ref().map(|(queue, key)| (queue, key)).unzip();
        let records = sqlx::query_as(self.statements.list.sql())
            .bind(&filter.queue)
            .bind(filter.state.map(|state| state == JobState::Dead))
            .bind(after_queue)
            .bind(after_key)
            .bind(page.limit.clamp(1, LIST_MAX))
            .fetch_all(pool)
            .await?;
        Ok(records)
    }

    /// How each queue that has jobs stands, in the order of their names. Reads all rows.
    pub async fn stats(&self, pool: &PgPool, now: DateTime<Utc>) -> Result<Vec<QueueStats>, StorageError> {
        let stats = sqlx::query_as(self.statements.stats.sql()).bind(now).fetch_all(pool).await?;
        Ok(stats)
    }

    /// How many jobs one queue has, as the caller's transaction sees it. Reads all rows of the queue.
    pub async fn count(&self, connection: &mut PgConnection, queue: &str) -> Result<QueueCount, StorageError> {
        let count = sqlx::query_as(self.statements.count.sql()).bind(queue).fetch_one(connection).await?;
        Ok(count)
    }

    /// Removes all jobs of a queue, dead ones too, in the caller's transaction; answers how many there were. Jobs
    /// that workers hold are waited for, and removed as the workers left them.
    pub async fn clear(&self, connection: &mut PgConnection, queue: &str) -> Result<u64, StorageError> {
        let done = sqlx::query(self.statements.clear.sql()).bind(queue).execute(connection).await?;
        Ok(done.rows_affected())
    }

    /// Gives a dead job a new set of attempts from `due_at` on. Answers whether there was such a
    /// dead job.
    pub async fn requeue(
        &self,
        pool: &PgPool,
        queue: &str,
        key: &str,
        due_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, StorageError> {
        let done = sqlx::query(self.statements.requeue.sql())
            .bind(queue)
            .bind(key)
            .bind(due_at)
            .bind(now)
            .execute(pool)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// [`requeue`](Self::requeue) for the dead jobs of a queue, at most `limit`; answers how many.
    pub async fn requeue_dead(
        &self,
        pool: &PgPool,
        queue: &str,
        limit: i64,
        due_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<u64, StorageError> {
        let done = sqlx::query(self.statements.requeue_dead.sql())
            .bind(queue)
            .bind(limit)
            .bind(due_at)
            .bind(now)
            .execute(pool)
            .await?;
        Ok(done.rows_affected())
    }
}

impl FromRow<'_, PgRow> for JobRecord {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            queue: row.try_get("queue")?,
            key: row.try_get("key")?,
            payload: row.try_get("payload")?,
            low_mark: row.try_get("low_mark")?,
            due_at: row.try_get("due_at")?,
            attempts: row.try_get::<i32, _>("attempts")?.unsigned_abs(),
            last_error: row.try_get("last_error")?,
            dead_at: row.try_get("dead_at")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

impl FromRow<'_, PgRow> for QueueCount {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            waiting: row.try_get::<i64, _>("waiting")?.unsigned_abs(),
            dead: row.try_get::<i64, _>("dead")?.unsigned_abs(),
        })
    }
}

impl FromRow<'_, PgRow> for QueueStats {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            queue: row.try_get("queue")?,
            due: row.try_get::<i64, _>("due")?.unsigned_abs(),
            scheduled: row.try_get::<i64, _>("scheduled")?.unsigned_abs(),
            dead: row.try_get::<i64, _>("dead")?.unsigned_abs(),
            oldest_due: row.try_get("oldest_due")?,
        })
    }
}
