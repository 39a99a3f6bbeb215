//! The rows of jobs: schedule, claim, complete, fail.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use mainstay_storage::{SchemaName, StorageError, storable_text};
use mainstay_telemetry::propagation::current_traceparent;
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, Row};

use crate::statements::Statements;
use crate::{Job, NewJob, Outcome};

/// The most characters of an error that a row keeps.
const ERROR_CHARACTERS_MAX: usize = 2_000;

/// The jobs of one service, in its schema. Clones share the statements.
#[derive(Debug, Clone)]
pub struct Jobs {
    pub(crate) statements: Arc<Statements>,
}

impl Jobs {
    /// The jobs in the table of a schema.
    pub fn new(schema: &SchemaName) -> Self {
        Self { statements: Arc::new(Statements::new(schema)) }
    }

    /// Schedules jobs in the caller's transaction, with one statement; they can be claimed once it
    /// commits.
    ///
    /// A job joins one of the same queue and key that is there already, or comes twice in `jobs`:
    /// the due time is the earlier of the two, the low mark the lower (`None` gives way), the
    /// payload the new one, the trace that of the earlier due time. A job that failed and waits for its next attempt goes on waiting, so that
    /// whoever schedules it steadily neither hastens it nor keeps it from its end; a dead one lives
    /// again, with the new due time and a new set of attempts. If a worker holds the job at this
    /// moment, this waits for its commit and joins what it left, so that a wake-up is never lost.
    ///
    /// Rows are locked in the order of their keys. The caller schedules before it takes locks that
    /// a handler of this queue waits for, else the two may lock each other out
    /// ([`StorageError::Conflict`] for one of them).
    pub async fn schedule(
        &self,
        connection: &mut PgConnection,
        queue: &str,
        jobs: &[NewJob],
        now: DateTime<Utc>,
    ) -> Result<(), StorageError> {
        let mut joined: BTreeMap<&str, NewJob> = BTreeMap::new();
        for job in jobs {
            joined
                .entry(&job.key)
                .and_modify(|joined| {
                    joined.payload = job.payload.clone();
                    joined.low_mark = lower_mark(joined.low_mark, job.low_mark);
                    if job.due_at < joined.due_at {
                        joined.due_at = job.due_at;
                        joined.traceparent.clone_from(&job.traceparent);
                    }
                })
                .or_insert_with(|| job.clone());
        }
        if joined.is_empty() {
            return Ok(());
        }
        let keys: Vec<&str> = joined.keys().copied().collect();
        let payloads: Vec<&Value> = joined.values().map(|job| &job.payload).collect();
        let low_marks: Vec<Option<i64>> = joined.values().map(|job| job.low_mark).collect();
        let due_times: Vec<DateTime<Utc>> = joined.values().map(|job| job.due_at).collect();
        let traceparents: Vec<&str> =
            joined.values().map(|job| job.traceparent.as_deref().unwrap_or_default()).collect();
        sqlx::query(self.statements.schedule.sql())
            .bind(queue)
            .bind(keys)
            .bind(payloads)
            .bind(low_marks)
            .bind(due_times)
            .bind(now)
            .bind(traceparents)
            .execute(connection)
            .await?;
        Ok(())
    }

    /// [`schedule`](Self::schedule) for many keys that are due at one time, in the trace of the current span, and need no
    /// payload: the payload of a job that is there already stays. `low_marks` has one mark for each key.
    ///
    /// # Panics
    /// If `keys` and `low_marks` differ in length.
    pub async fn schedule_marks(
        &self,
        connection: &mut PgConnection,
        queue: &str,
        keys: &[&str],
        low_marks: &[i64],
        due_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), StorageError> {
        assert_eq!(keys.len(), low_marks.len(), "one low mark for each key");
        if keys.is_empty() {
            return Ok(());
        }
        let mut marked: Vec<(&str, i64)> = keys.iter().copied().zip(low_marks.iter().copied()).collect();
        marked.sort_unstable();
        // Of equal keys the first has the lowest mark.
        marked.dedup_by_key(|(key, _)| *key);
        let (keys, low_marks): (Vec<&str>, Vec<i64>) = marked.into_iter().unzip();
        sqlx::query(self.statements.schedule_marks.sql())
            .bind(queue)
            .bind(keys)
            .bind(low_marks)
            .bind(due_at)
            .bind(now)
            .bind(current_traceparent().unwrap_or_default())
            .execute(connection)
            .await?;
        Ok(())
    }

    /// Removes jobs, dead ones too, in the caller's transaction; answers how many there were. A job
    /// that a worker holds is waited for, and removed as the worker left it.
    pub async fn cancel(&self, connection: &mut PgConnection, queue: &str, keys: &[&str]) -> Result<u64, StorageError> {
        let done = sqlx::query(self.statements.cancel.sql()).bind(queue).bind(keys).execute(connection).await?;
        Ok(done.rows_affected())
    }

    /// Which of these keys have a job, dead ones too, in any order. A caller who holds a lock that everybody who schedules or
    /// completes them takes first can rely on it until its transaction ends.
    pub async fn present(
        &self,
        connection: &mut PgConnection,
        queue: &str,
        keys: &[&str],
    ) -> Result<Vec<String>, StorageError> {
        let keys =
            sqlx::query_scalar(self.statements.present.sql()).bind(queue).bind(keys).fetch_all(connection).await?;
        Ok(keys)
    }

    /// Whether there is a job with this key that will run, now or later, or runs at this moment; a dead one will not.
    pub async fn is_waiting(
        &self,
        connection: &mut PgConnection,
        queue: &str,
        key: &str,
    ) -> Result<bool, StorageError> {
        let statement = sqlx::query_scalar(self.statements.is_waiting.sql());
        Ok(statement.bind(queue).bind(key).fetch_one(connection).await?)
    }

    /// The W3C `traceparent` of whoever made these jobs due last, by key; those without one are left out. For work that is not
    /// of a job and yet goes on in its trace.
    pub async fn traceparents(
        &self,
        connection: &mut PgConnection,
        queue: &str,
        keys: &[&str],
    ) -> Result<HashMap<String, String>, StorageError> {
        let rows: Vec<(String, String)> =
            sqlx::query_as(self.statements.traceparents.sql()).bind(queue).bind(keys).fetch_all(connection).await?;
        Ok(rows.into_iter().collect())
    }

    /// How many jobs of these queues are due and have work to do before a mark, those that workers hold included. One that failed
    /// counts when it is due again, a dead one not.
    pub async fn count_behind(
        &self,
        connection: &mut PgConnection,
        queues: &[&str],
        mark: i64,
        now: DateTime<Utc>,
    ) -> Result<i64, StorageError> {
        let statement = sqlx::query_scalar(self.statements.count_behind.sql());
        Ok(statement.bind(queues).bind(now).bind(mark).fetch_one(connection).await?)
    }

    /// Locks up to `limit` due jobs that nobody holds, the longest due first; answers them in the
    /// order of their keys.
    pub(crate) async fn claim_due(
        &self,
        connection: &mut PgConnection,
        queue: &str,
        limit: i64,
        now: DateTime<Utc>,
    ) -> Result<Vec<Job>, StorageError> {
        let mut jobs: Vec<Job> = sqlx::query_as(self.statements.claim_due.sql())
            .bind(queue)
            .bind(now)
            .bind(limit)
            .fetch_all(connection)
            .await?;
        jobs.sort_unstable_by(|left, right| left.key.cmp(&right.key));
        Ok(jobs)
    }

    /// Locks one job if it is due, waiting for whoever holds it.
    pub(crate) async fn claim_key(
        &self,
        connection: &mut PgConnection,
        queue: &str,
        key: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<Job>, StorageError> {
        let jobs = sqlx::query_as(self.statements.claim_key.sql())
            .bind(queue)
            .bind(key)
            .bind(now)
            .fetch_all(connection)
            .await?;
        Ok(jobs)
    }

    /// The key of the job that has been due longest, held by somebody or not.
    pub(crate) async fn find_due(
        &self,
        connection: &mut PgConnection,
        queue: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<String>, StorageError> {
        let key =
            sqlx::query_scalar(self.statements.find_due.sql()).bind(queue).bind(now).fetch_optional(connection).await?;
        Ok(key)
    }

    /// Writes the outcomes of claimed jobs, with at most two statements, or three if some had failed before.
    pub(crate) async fn complete(
        &self,
        connection: &mut PgConnection,
        queue: &str,
        jobs: &[Job],
        outcomes: &[Outcome],
        now: DateTime<Utc>,
    ) -> Result<(), StorageError> {
        let mut done = (Vec::new(), Vec::new());
        let mut done_after_failures = Vec::new();
        let mut again = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (job, outcome) in jobs.iter().zip(outcomes) {
            match outcome {
                Outcome::Done => {
                    done.0.push(job.key.as_str());
                    done.1.push(job.version);
                    if job.attempts > 0 {
                        done_after_failures.push(job.key.as_str());
                    }
                }
                Outcome::Again { due_at, low_mark, payload } => {
                    again.0.push(job.key.as_str());
                    again.1.push(job.version);
                    again.2.push(payload.as_ref());
                    again.3.push(*low_mark);
                    again.4.push(*due_at);
                }
            }
        }
        if !done.0.is_empty() {
            sqlx::query(self.statements.complete_done.sql())
                .bind(queue)
                .bind(done.0)
                .bind(done.1)
                .execute(&mut *connection)
                .await?;
        }
        if !done_after_failures.is_empty() {
            sqlx::query(self.statements.forget_failures.sql())
                .bind(queue)
                .bind(done_after_failures)
                .execute(&mut *connection)
                .await?;
        }
        if !again.0.is_empty() {
            sqlx::query(self.statements.complete_again.sql())
                .bind(queue)
                .bind(again.0)
                .bind(again.1)
                .bind(again.2)
                .bind(again.3)
                .bind(again.4)
                .bind(now)
                .execute(connection)
                .await?;
        }
        Ok(())
    }

    /// Counts a failed attempt at the version of a job that was tried. Without `retry_at` the job is
    /// dead. Answers whether it was still that version.
    pub(crate) async fn fail(
        &self,
        connection: &mut PgConnection,
        queue: &str,
        job: &Job,
        error: &str,
        retry_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<bool, StorageError> {
        let done = sqlx::query(self.statements.fail.sql())
            .bind(queue)
            .bind(&job.key)
            .bind(job.version)
            .bind(storable_text(error, ERROR_CHARACTERS_MAX))
            .bind(retry_at)
            .bind(now)
            .execute(connection)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}

fn lower_mark(left: Option<i64>, right: Option<i64>) -> Option<i64> {
    left.into_iter().chain(right).min()
}

impl FromRow<'_, PgRow> for Job {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let traceparent: String = row.try_get("traceparent")?;
        Ok(Self {
            key: row.try_get("key")?,
            payload: row.try_get("payload")?,
            low_mark: row.try_get("low_mark")?,
            due_at: row.try_get("due_at")?,
            attempts: row.try_get::<i32, _>("attempts")?.unsigned_abs(),
            traceparent: (!traceparent.is_empty()).then_some(traceparent),
            version: row.try_get("version")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_absent_mark_gives_way() {
        assert_eq!(lower_mark(None, None), None);
        assert_eq!(lower_mark(Some(3), None), Some(3));
        assert_eq!(lower_mark(None, Some(-3)), Some(-3));
        assert_eq!(lower_mark(Some(3), Some(-3)), Some(-3));
    }
}
