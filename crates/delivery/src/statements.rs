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
    pub(crate) enqueue: Statement,
    pub(crate) find_known: Statement,
    pub(crate) claim: Statement,
    pub(crate) claim_strays: Statement,
    pub(crate) record: Statement,
    pub(crate) bury_held: Statement,
    pub(crate) disable: Statement,
    pub(crate) enable: Statement,
    pub(crate) list_disabled: Statement,
    pub(crate) count_by_lane: Statement,
    pub(crate) get: Statement,
    pub(crate) attempts: Statement,
    pub(crate) list: Statement,
    pub(crate) replay: Statement,
    pub(crate) lock: Statement,
    pub(crate) prune: Statement,
    pub(crate) observe: Statement,
}

impl Statements {
    pub(crate) fn new(schema: &SchemaName) -> Self {
        let statement = |text| Statement::new(schema, text);
        Self {
            enqueue: statement(ENQUEUE),
            find_known: statement(FIND_KNOWN),
            claim: statement(CLAIM),
            claim_strays: statement(CLAIM_STRAYS),
            record: statement(RECORD),
            bury_held: statement(BURY_HELD),
            disable: statement(DISABLE),
            enable: statement(ENABLE),
            list_disabled: statement(LIST_DISABLED),
            count_by_lane: statement(COUNT_BY_LANE),
            get: statement(GET),
            attempts: statement(ATTEMPTS),
            list: statement(LIST),
            replay: statement(REPLAY),
            lock: statement(LOCK),
            prune: statement(PRUNE),
            observe: statement(OBSERVE),
        }
    }
}

/// Both the id and the key may be there already.
const ENQUEUE: &str = "
INSERT INTO {schema}.delivery_messages
    (id, dedupe_key, account_id, purpose, channel, lane, content, traceparent, due_at, send_at, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10)
ON CONFLICT DO NOTHING";

const FIND_KNOWN: &str = "
SELECT id FROM {schema}.delivery_messages WHERE id = $1 OR dedupe_key = $2 ORDER BY id = $1 DESC LIMIT 1";

/// Of each lane as many as it has room for, the longest due first. The attempt is on record before it begins, so that one
/// whose process dies is seen. Those that this process is sending already are passed over: with a clock that was turned
/// their lease may look as if it had run out.
const CLAIM: &str = "
WITH due AS MATERIALIZED (
    SELECT message.id
    FROM unnest($1::text[], $2::bigint[]) AS lane (name, room)
    CROSS JOIN LATERAL (
        SELECT candidate.id
        FROM {schema}.delivery_messages AS candidate
        WHERE candidate.lane = lane.name AND candidate.state = 1 AND candidate.due_at <= $3
          AND candidate.id <> ALL ($5::uuid[])
        ORDER BY candidate.due_at
        LIMIT lane.room
        FOR UPDATE SKIP LOCKED
    ) AS message
    WHERE NOT EXISTS (SELECT FROM {schema}.delivery_destinations AS disabled WHERE disabled.lane = lane.name)
), claimed AS (
    UPDATE {schema}.delivery_messages AS message
    SET attempts = message.attempts + 1, due_at = $4, leased_until = $4
    FROM due
    WHERE message.id = due.id
    RETURNING message.id, message.lane, message.content, message.traceparent, message.attempts,
              message.replayed_after, message.send_at, message.created_at
), begun AS (
    INSERT INTO {schema}.delivery_attempts (message_id, attempt, started_at)
    SELECT id, attempts, $3 FROM claimed
)
SELECT id, lane, content, traceparent, attempts, replayed_after, send_at, created_at FROM claimed";

/// What is due to a destination that is not in the settings.
const CLAIM_STRAYS: &str = "
WITH due AS MATERIALIZED (
    SELECT id
    FROM {schema}.delivery_messages
    WHERE state = 1 AND due_at <= $5 AND lane <> ALL ($1::text[])
    ORDER BY lane, due_at
    LIMIT $4
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE {schema}.delivery_messages AS message
    SET attempts = message.attempts + 1, due_at = $3, leased_until = $3
    FROM due
    WHERE message.id = due.id
    RETURNING message.id, message.lane, message.content, message.traceparent, message.attempts,
              message.replayed_after, message.send_at, message.created_at
), begun AS (
    INSERT INTO {schema}.delivery_attempts (message_id, attempt, started_at)
    SELECT id, attempts, $2 FROM claimed
)
SELECT id, lane, content, traceparent, attempts, replayed_after, send_at, created_at FROM claimed";

/// The outcome of an attempt ($3: its code; $7: the message's new state). Of an attempt whose lease ran out and was
/// taken over only the success counts: what was sent was sent.
const RECORD: &str = "
WITH attempt AS (
    UPDATE {schema}.delivery_attempts
    SET outcome = $3, status_code = $4, error = $5, duration_ms = $6
    WHERE message_id = $1 AND attempt = $2
)
UPDATE {schema}.delivery_messages
SET state = $7,
    due_at = COALESCE($8, due_at),
    leased_until = NULL,
    last_error = $5,
    sent_at = CASE WHEN $7 = 2 THEN $9::timestamptz END,
    dead_at = CASE WHEN $7 = 3 THEN $9::timestamptz END
WHERE id = $1 AND state = 1 AND (attempts = $2 OR ($7 = 2 AND replayed_after < $2))";

/// What waits for a disabled destination for too long.
const BURY_HELD: &str = "
WITH held AS (
    SELECT message.id
    FROM {schema}.delivery_destinations AS disabled
    JOIN {schema}.delivery_messages AS message ON message.lane = disabled.lane
    WHERE message.state = 1 AND message.due_at < $1
    LIMIT $3
    FOR UPDATE OF message SKIP LOCKED
)
UPDATE {schema}.delivery_messages AS message
SET state = 3, dead_at = $2, leased_until = NULL, last_error = $4
FROM held
WHERE message.id = held.id
RETURNING message.channel";

const DISABLE: &str = "
INSERT INTO {schema}.delivery_destinations (lane, disabled_at, reason) VALUES ($1, $2, $3)
ON CONFLICT (lane) DO NOTHING";

const ENABLE: &str = "
DELETE FROM {schema}.delivery_destinations WHERE lane = $1";

const LIST_DISABLED: &str = "
SELECT lane, disabled_at, reason FROM {schema}.delivery_destinations ORDER BY lane";

const COUNT_BY_LANE: &str = "
SELECT lane, count(*) AS pending, min(due_at) AS oldest_due
FROM {schema}.delivery_messages
WHERE state = 1
GROUP BY lane
ORDER BY lane";

const GET: &str = "
SELECT id, dedupe_key, account_id, purpose, channel, lane, content, traceparent, state, due_at, leased_until,
       attempts, last_error, send_at, created_at, sent_at, dead_at
FROM {schema}.delivery_messages
WHERE id = $1";

const ATTEMPTS: &str = "
SELECT attempt, started_at, outcome, status_code, error, duration_ms
FROM {schema}.delivery_attempts
WHERE message_id = $1
ORDER BY attempt DESC
LIMIT $2";

const LIST: &str = "
SELECT id, dedupe_key, account_id, purpose, channel, lane, content, traceparent, state, due_at, leased_until,
       attempts, last_error, send_at, created_at, sent_at, dead_at
FROM {schema}.delivery_messages
WHERE ($1::smallint IS NULL OR state = $1)
  AND ($2::smallint IS NULL OR channel = $2)
  AND ($3::text IS NULL OR purpose = $3)
  AND ($4::text IS NULL OR account_id = $4)
  AND ($5::text IS NULL OR lane = $5)
  AND ($6::timestamptz IS NULL OR (created_at, id) < ($6, $7))
ORDER BY created_at DESC, id DESC
LIMIT $8";

const LOCK: &str = "
SELECT state, leased_until FROM {schema}.delivery_messages WHERE id = $1 FOR UPDATE";

const REPLAY: &str = "
UPDATE {schema}.delivery_messages
SET state = 1, due_at = $2, leased_until = NULL, replayed_after = attempts, sent_at = NULL, dead_at = NULL
WHERE id = $1";

/// The attempts go with their message.
const PRUNE: &str = "
WITH old AS (
    SELECT id FROM {schema}.delivery_messages
    WHERE state = 2 AND sent_at < $1
    ORDER BY sent_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED
)
DELETE FROM {schema}.delivery_messages AS message USING old WHERE message.id = old.id";

/// Each half by its own partial index: those that were sent are by far the most.
const OBSERVE: &str = "
SELECT channel, state, count(*) AS messages, min(due_at) FILTER (WHERE due_at <= $1) AS oldest_due
FROM {schema}.delivery_messages
WHERE state = 1
GROUP BY channel, state
UNION ALL
SELECT channel, state, count(*), NULL
FROM {schema}.delivery_messages
WHERE state = 3
GROUP BY channel, state";
