//! The statements, built once for a schema.

use std::sync::Arc;

use mainstay_storage::SchemaName;
use sqlx::AssertSqlSafe;

/// A statement whose only variable part was a validated schema name.
#[derive(Debug)]
pub(crate) struct Statement(Arc<str>);

impl Statement {
    fn new(schema: &SchemaName, text: &str) -> Self {
        Self(text.replace("{schema}", schema.as_str()).into())
    }

    pub(crate) fn sql(&self) -> AssertSqlSafe<Arc<str>> {
        AssertSqlSafe(Arc::clone(&self.0))
    }
}

#[derive(Debug)]
pub(crate) struct Statements {
    pub(crate) schedule: Statement,
    pub(crate) schedule_marks: Statement,
    pub(crate) cancel: Statement,
    pub(crate) present: Statement,
    pub(crate) is_waiting: Statement,
    pub(crate) traceparents: Statement,
    pub(crate) count_behind: Statement,
    pub(crate) claim_due: Statement,
    pub(crate) claim_key: Statement,
    pub(crate) find_due: Statement,
    pub(crate) complete_done: Statement,
    pub(crate) forget_failures: Statement,
    pub(crate) complete_again: Statement,
    pub(crate) fail: Statement,
    pub(crate) list: Statement,
    pub(crate) stats: Statement,
    pub(crate) count: Statement,
    pub(crate) clear: Statement,
    pub(crate) requeue: Statement,
    pub(crate) requeue_dead: Statement,
}

impl Statements {
    pub(crate) fn new(schema: &SchemaName) -> Self {
        let statement = |text| Statement::new(schema, text);
        Self {
            schedule: statement(SCHEDULE),
            schedule_marks: statement(SCHEDULE_MARKS),
            cancel: statement(CANCEL),
            present: statement(PRESENT),
            is_waiting: statement(IS_WAITING),
            traceparents: statement(TRACEPARENTS),
            count_behind: statement(COUNT_BEHIND),
            claim_due: statement(CLAIM_DUE),
            claim_key: statement(CLAIM_KEY),
            find_due: statement(FIND_DUE),
            complete_done: statement(COMPLETE_DONE),
            forget_failures: statement(FORGET_FAILURES),
            complete_again: statement(COMPLETE_AGAIN),
            fail: statement(FAIL),
            list: statement(LIST),
            stats: statement(STATS),
            count: statement(COUNT),
            clear: statement(CLEAR),
            requeue: statement(REQUEUE),
            requeue_dead: statement(REQUEUE_DEAD),
        }
    }
}

/// The rows come in key order and are locked in that order, so that two of these cannot lock each
/// other out. A row held by a worker is waited for, and what its commit left is what is joined: a
/// row it deleted is inserted anew. LEAST passes over NULL.
///
/// A job that failed keeps its count and its time: one that is scheduled all the while would else be
/// tried without a wait, and never be dead. A dead one begins anew.
///
/// The row is written even if nothing changes: its version tells a worker that its own handler
/// scheduled the job it is doing.
const SCHEDULE: &str = "
INSERT INTO {schema}.jobs AS job (queue, key, payload, low_mark, due_at, traceparent, created_at, updated_at)
SELECT $1, given.key, given.payload, given.low_mark, given.due_at, given.traceparent, $6, $6
FROM unnest($2::text[], $3::jsonb[], $4::bigint[], $5::timestamptz[], $7::text[])
    AS given (key, payload, low_mark, due_at, traceparent)
ON CONFLICT (queue, key) DO UPDATE SET
    payload = excluded.payload,
    low_mark = LEAST(job.low_mark, excluded.low_mark),
    due_at = CASE WHEN job.dead_at IS NOT NULL THEN excluded.due_at
                  WHEN job.attempts > 0 THEN job.due_at
                  ELSE LEAST(job.due_at, excluded.due_at) END,
    traceparent = CASE WHEN job.dead_at IS NOT NULL OR job.attempts = 0 AND excluded.due_at < job.due_at
                       THEN excluded.traceparent ELSE job.traceparent END,
    attempts = CASE WHEN job.dead_at IS NULL THEN job.attempts ELSE 0 END,
    last_error = CASE WHEN job.dead_at IS NULL THEN job.last_error END,
    dead_at = NULL,
    version = job.version + 1,
    updated_at = excluded.updated_at";

const SCHEDULE_MARKS: &str = "
INSERT INTO {schema}.jobs AS job (queue, key, low_mark, due_at, traceparent, created_at, updated_at)
SELECT $1, given.key, given.low_mark, $4, $6, $5, $5
FROM unnest($2::text[], $3::bigint[]) AS given (key, low_mark)
ON CONFLICT (queue, key) DO UPDATE SET
    low_mark = LEAST(job.low_mark, excluded.low_mark),
    due_at = CASE WHEN job.dead_at IS NOT NULL THEN excluded.due_at
                  WHEN job.attempts > 0 THEN job.due_at
                  ELSE LEAST(job.due_at, excluded.due_at) END,
    traceparent = CASE WHEN job.dead_at IS NOT NULL OR job.attempts = 0 AND excluded.due_at < job.due_at
                       THEN excluded.traceparent ELSE job.traceparent END,
    attempts = CASE WHEN job.dead_at IS NULL THEN job.attempts ELSE 0 END,
    last_error = CASE WHEN job.dead_at IS NULL THEN job.last_error END,
    dead_at = NULL,
    version = job.version + 1,
    updated_at = excluded.updated_at";

/// Locks in key order, as scheduling does.
const CANCEL: &str = "
WITH held AS (
    SELECT key FROM {schema}.jobs
    WHERE queue = $1 AND key = ANY ($2)
    ORDER BY key
    FOR UPDATE
)
DELETE FROM {schema}.jobs AS job USING held WHERE job.queue = $1 AND job.key = held.key";

const PRESENT: &str = "
SELECT key FROM {schema}.jobs WHERE queue = $1 AND key = ANY ($2)";

const IS_WAITING: &str = "
SELECT EXISTS (SELECT FROM {schema}.jobs WHERE queue = $1 AND key = $2 AND dead_at IS NULL)";

const TRACEPARENTS: &str = "
SELECT key, traceparent FROM {schema}.jobs WHERE queue = $1 AND key = ANY ($2) AND traceparent <> ''";

const COUNT_BEHIND: &str = "
SELECT count(*) FROM {schema}.jobs
WHERE queue = ANY ($1) AND due_at <= $2 AND dead_at IS NULL AND low_mark < $3";

const CLAIM_DUE: &str = "
SELECT key, payload, low_mark, due_at, attempts, traceparent, version
FROM {schema}.jobs
WHERE queue = $1 AND due_at <= $2 AND dead_at IS NULL
ORDER BY due_at
LIMIT $3
FOR UPDATE SKIP LOCKED";

/// Waits for whoever holds the row. The one who waits holds nothing, so nobody waits for it.
const CLAIM_KEY: &str = "
SELECT key, payload, low_mark, due_at, attempts, traceparent, version
FROM {schema}.jobs
WHERE queue = $1 AND key = $2 AND due_at <= $3 AND dead_at IS NULL
FOR UPDATE";

const FIND_DUE: &str = "
SELECT key FROM {schema}.jobs
WHERE queue = $1 AND due_at <= $2 AND dead_at IS NULL
ORDER BY due_at
LIMIT 1";

const COMPLETE_DONE: &str = "
DELETE FROM {schema}.jobs AS job
USING unnest($2::text[], $3::bigint[]) AS done (key, version)
WHERE job.queue = $1 AND job.key = done.key AND job.version = done.version";

/// What is left of these keys was scheduled by their handler, which has done now what failed before.
const FORGET_FAILURES: &str = "
UPDATE {schema}.jobs SET attempts = 0, last_error = NULL
WHERE queue = $1 AND key = ANY ($2)";

/// A job that the handler itself scheduled meanwhile keeps the earlier time and the lower mark.
const COMPLETE_AGAIN: &str = "
UPDATE {schema}.jobs AS job SET
    payload = CASE WHEN job.version = again.version THEN COALESCE(again.payload, job.payload) ELSE job.payload END,
    low_mark = CASE WHEN job.version = again.version THEN again.low_mark
                    ELSE LEAST(job.low_mark, again.low_mark) END,
    due_at = CASE WHEN job.version = again.version THEN again.due_at ELSE LEAST(job.due_at, again.due_at) END,
    attempts = 0,
    last_error = NULL,
    version = job.version + 1,
    updated_at = $7
FROM unnest($2::text[], $3::bigint[], $4::jsonb[], $5::bigint[], $6::timestamptz[])
    AS again (key, version, payload, low_mark, due_at)
WHERE job.queue = $1 AND job.key = again.key";

/// Of the version that was tried only: the attempt may have taken effect although its commit said nothing,
/// and another worker's failure is counted by that worker.
const FAIL: &str = "
UPDATE {schema}.jobs SET
    attempts = attempts + 1,
    last_error = $4,
    due_at = COALESCE($5, due_at),
    dead_at = CASE WHEN $5::timestamptz IS NULL THEN $6::timestamptz END,
    version = version + 1,
    updated_at = $6
WHERE queue = $1 AND key = $2 AND version = $3 AND dead_at IS NULL";

const LIST: &str = "
SELECT queue, key, payload, low_mark, due_at, attempts, last_error, dead_at, created_at, updated_at
FROM {schema}.jobs
WHERE ($1::text IS NULL OR queue = $1)
  AND ($2::boolean IS NULL OR (dead_at IS NOT NULL) = $2)
  AND ($3::text IS NULL OR (queue, key) > ($3, $4))
ORDER BY queue, key
LIMIT $5";

const STATS: &str = "
SELECT queue,
       count(*) FILTER (WHERE dead_at IS NULL AND due_at <= $1) AS due,
       count(*) FILTER (WHERE dead_at IS NULL AND due_at > $1) AS scheduled,
       count(*) FILTER (WHERE dead_at IS NOT NULL) AS dead,
       min(due_at) FILTER (WHERE dead_at IS NULL AND due_at <= $1) AS oldest_due
FROM {schema}.jobs
GROUP BY queue
ORDER BY queue";

const COUNT: &str = "
SELECT count(*) FILTER (WHERE dead_at IS NULL) AS waiting, count(*) FILTER (WHERE dead_at IS NOT NULL) AS dead
FROM {schema}.jobs
WHERE queue = $1";

/// Locks in key order, as scheduling does.
const CLEAR: &str = "
WITH held AS (
    SELECT key FROM {schema}.jobs
    WHERE queue = $1
    ORDER BY key
    FOR UPDATE
)
DELETE FROM {schema}.jobs AS job USING held WHERE job.queue = $1 AND job.key = held.key";

const REQUEUE: &str = "
UPDATE {schema}.jobs SET
    attempts = 0, last_error = NULL, dead_at = NULL, due_at = $3, version = version + 1, updated_at = $4
WHERE queue = $1 AND key = $2 AND dead_at IS NOT NULL";

const REQUEUE_DEAD: &str = "
WITH held AS (
    SELECT key FROM {schema}.jobs
    WHERE queue = $1 AND dead_at IS NOT NULL
    ORDER BY key
    LIMIT $2
    FOR UPDATE
)
UPDATE {schema}.jobs AS job SET
    attempts = 0, last_error = NULL, dead_at = NULL, due_at = $3, version = version + 1, updated_at = $4
FROM held WHERE job.queue = $1 AND job.key = held.key";
