//! The log itself: append, sequence, read, position, prune.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use mainstay_storage::{SchemaName, StorageError, exactly_one, transact};
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Row, SqlSafeStr, SqlStr};
use tokio::sync::watch;

use crate::event::{Event, NewEvent};
use crate::page::{FeedExtent, FeedFilter, FeedPage, FeedPosition, PageLimit};

/// Most events of one INSERT; more are written by several.
const APPEND_CHUNK: usize = 2_000;

/// Events that [`EventLog::drain`] moves at once.
const DRAIN_BATCH: i64 = 2_000;

/// Events that [`EventLog::prune`] deletes in one transaction.
const PRUNE_BATCH: i64 = 5_000;

/// The event log of one schema. Clones share the wake-up of readers.
#[derive(Debug, Clone)]
pub struct EventLog {
    statements: Arc<Statements>,
    head: Arc<watch::Sender<i64>>,
}

#[derive(Debug)]
struct Statements {
    append: SqlStr,
    outbox_first: SqlStr,
    outbox_last: SqlStr,
    lock_head: SqlStr,
    sequence: SqlStr,
    extent: SqlStr,
    read: SqlStr,
    position: SqlStr,
    prune_bound: SqlStr,
    prune_delete: SqlStr,
    prune_head: SqlStr,
    find_gap: SqlStr,
}

/// A place where the feed's offsets are not what they must be: proof of a bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The last offset before the gap.
    pub after: i64,
    /// The next offset there is, or where the feed should have ended.
    pub before: i64,
}

impl EventLog {
    /// The log of a schema that has [`crate::MIGRATIONS`].
    pub fn new(schema: &SchemaName) -> Self {
        Self { statements: Arc::new(Statements::new(*schema)), head: Arc::new(watch::Sender::new(0)) }
    }

    /// Writes events into the caller's transaction, in the order given, in one
    /// statement up to 2 000 events.
    ///
    /// The caller has locked the row of each account concerned, earlier in the
    /// transaction: that is what gives an account's events their order. Nothing is
    /// readable before the transaction has committed and a [`crate::Sequencer`] has
    /// given the events their offsets.
    ///
    /// # Errors
    /// [`StorageError::CheckViolation`] for a payload above [`NewEvent::PAYLOAD_BYTES_MAX`].
    pub async fn append(
        &self,
        conn: &mut PgConnection,
        events: &[NewEvent],
        recorded_at: DateTime<Utc>,
    ) -> Result<(), StorageError> {
        for chunk in events.chunks(APPEND_CHUNK) {
            let ids: Vec<_> = chunk.iter().map(|event| event.id).collect();
            let accounts: Vec<_> = chunk.iter().map(|event| event.account_id.as_str()).collect();
            let partitions: Vec<_> = chunk.iter().map(NewEvent::partition).collect();
            let types: Vec<_> = chunk.iter().map(|event| event.event_type.as_str()).collect();
            let payloads: Vec<_> = chunk.iter().map(|event| event.payload.as_slice()).collect();
            let times: Vec<_> = chunk.iter().map(|event| event.event_time).collect();
            let traceparents: Vec<_> = chunk.iter().map(|event| event.traceparent.as_str()).collect();
            sqlx::query(self.statements.append.clone())
                .bind(ids)
                .bind(accounts)
                .bind(partitions)
                .bind(types)
                .bind(payloads)
                .bind(times)
                .bind(traceparents)
                .bind(recorded_at)
                .execute(&mut *conn)
                .await?;
        }
        Ok(())
    }

    /// Gives the next offsets to at most `limit` events of the outbox; says to how many.
    ///
    /// Any replica may call it at any time: the row of `feed_head` is the lock, and
    /// a second caller waits for it. The statement that reads the outbox starts
    /// after the lock is held, so that its snapshot includes all that the sequencer
    /// before it moved; an account's events are visible in their order to every
    /// snapshot, so that taking them by `sequence` keeps that order.
    pub async fn sequence(&self, pool: &PgPool, limit: i64) -> Result<usize, StorageError> {
        let waiting: Option<i64> =
            sqlx::query_scalar(self.statements.outbox_first.clone()).fetch_optional(pool).await?;
        if waiting.is_none() {
            return Ok(0);
        }
        let (moved, last_offset) =
            transact(pool, async |conn: &mut PgConnection| self.statements.move_events(conn, limit).await).await?;
        self.announce(last_offset);
        metrics::counter!("mainstay_feed_events_sequenced_total").increment(moved.unsigned_abs());
        usize::try_from(moved).map_err(|_| StorageError::Corrupt("the feed's head moved backwards".to_owned()))
    }

    /// Gives offsets to all events that are committed at the call; says to how many.
    pub async fn drain(&self, pool: &PgPool) -> Result<usize, StorageError> {
        let last: Option<i64> = sqlx::query_scalar(self.statements.outbox_last.clone()).fetch_one(pool).await?;
        let Some(last) = last else { return Ok(0) };
        let mut moved = 0;
        loop {
            let first: Option<i64> =
                sqlx::query_scalar(self.statements.outbox_first.clone()).fetch_optional(pool).await?;
            match first {
                Some(first) if first <= last => moved += self.sequence(pool, DRAIN_BATCH).await?,
                _ => return Ok(moved),
            }
        }
    }

    /// Reads a page of the events after the offset `after`.
    ///
    /// The caller compares `after` with the page's `pruned_through` and
    /// `last_offset`; they are of the same snapshot as its events.
    pub async fn read(
        &self,
        pool: &PgPool,
        after: i64,
        filter: &FeedFilter,
        limit: PageLimit,
    ) -> Result<FeedPage, StorageError> {
        let rows = sqlx::query(self.statements.read.clone())
            .bind(after)
            .bind(limit.examined_max)
            .bind(&filter.types)
            .bind(&filter.partitions)
            .bind(limit.events_max)
            .bind(limit.bytes_max)
            .fetch_all(pool)
            .await?;
        let head = rows.first().ok_or_else(|| StorageError::Corrupt("feed_head has no row".to_owned()))?;
        let last_offset: i64 = head.try_get("last_offset")?;
        let pruned_through: i64 = head.try_get("pruned_through")?;
        let matched: Option<i64> = head.try_get("matched")?;
        let events = match matched {
            None => Vec::new(),
            Some(_) => rows.iter().map(Event::from_row).collect::<Result<_, _>>()?,
        };
        let cut_short = matched.is_some_and(|matched| matched >= limit.events_max || matched > row_count(&events));
        let through = match events.last() {
            Some(last) if cut_short => last.offset,
            _ => last_offset.min(after.saturating_add(limit.examined_max)).max(after),
        };
        Ok(FeedPage { events, through, last_offset, pruned_through })
    }

    /// Where the feed stands.
    pub async fn position(&self, pool: &PgPool) -> Result<FeedPosition, StorageError> {
        let row = sqlx::query(self.statements.position.clone()).fetch_one(pool).await?;
        Ok(FeedPosition {
            feed_id: row.try_get("feed_id")?,
            pruned_through: row.try_get("pruned_through")?,
            last_offset: row.try_get("last_offset")?,
            outbox_size: row.try_get("outbox_size")?,
        })
    }

    /// Deletes the oldest events, up to the first that was recorded at `before` or
    /// later; says how many. Works in transactions of 5 000 events, so that neither
    /// readers nor the sequencer wait for long. A reader that is not past them is
    /// told `CURSOR_EXPIRED`.
    pub async fn prune(&self, pool: &PgPool, before: DateTime<Utc>) -> Result<u64, StorageError> {
        let mut pruned = 0;
        loop {
            let deleted =
                transact(pool, async |conn: &mut PgConnection| self.statements.prune_batch(conn, before).await).await?;
            pruned += deleted;
            if deleted == 0 {
                return Ok(pruned);
            }
        }
    }

    /// Looks for a gap in the feed: a pair of neighbours whose offsets are not
    /// neighbours, or an end that is not the head's. It reads the whole index of the
    /// feed; the same query for an operator's console stands in the crate's documentation.
    pub async fn find_gap(&self, pool: &PgPool) -> Result<Option<Gap>, StorageError> {
        let row = sqlx::query(self.statements.find_gap.clone()).fetch_optional(pool).await?;
        row.map(|row| Ok(Gap { after: row.try_get("after")?, before: row.try_get("before")? })).transpose()
    }

    /// Which offsets the feed keeps.
    pub(crate) async fn extent(&self, pool: &PgPool) -> Result<FeedExtent, StorageError> {
        let row = sqlx::query(self.statements.extent.clone()).fetch_one(pool).await?;
        Ok(FeedExtent {
            feed_id: row.try_get("feed_id")?,
            pruned_through: row.try_get("pruned_through")?,
            last_offset: row.try_get("last_offset")?,
        })
    }

    /// Tells this process's readers that the feed reaches `last_offset`.
    pub(crate) fn announce(&self, last_offset: i64) {
        self.head.send_if_modified(|known| {
            let is_news = last_offset > *known;
            *known = last_offset.max(*known);
            is_news
        });
    }

    /// The newest offset that this process knows of.
    pub(crate) fn head(&self) -> &watch::Sender<i64> {
        &self.head
    }
}

fn row_count(events: &[Event]) -> i64 {
    i64::try_from(events.len()).unwrap_or(i64::MAX)
}

impl Statements {
    /// Moves events from the outbox to the feed; gives their number and the new head.
    async fn move_events(&self, conn: &mut PgConnection, limit: i64) -> Result<(i64, i64), StorageError> {
        let before: i64 = sqlx::query_scalar(self.lock_head.clone()).fetch_one(&mut *conn).await?;
        let after: i64 =
            sqlx::query_scalar(self.sequence.clone()).bind(limit).bind(before).fetch_one(&mut *conn).await?;
        Ok((after - before, after))
    }

    async fn prune_batch(&self, conn: &mut PgConnection, before: DateTime<Utc>) -> Result<u64, StorageError> {
        let bound: Option<i64> =
            sqlx::query_scalar(self.prune_bound.clone()).bind(before).bind(PRUNE_BATCH).fetch_one(&mut *conn).await?;
        let Some(bound) = bound else { return Ok(0) };
        let deleted = sqlx::query(self.prune_delete.clone()).bind(bound).execute(&mut *conn).await?;
        if deleted.rows_affected() > 0 {
            exactly_one(&sqlx::query(self.prune_head.clone()).bind(bound).execute(&mut *conn).await?)?;
        }
        Ok(deleted.rows_affected())
    }

    fn new(schema: SchemaName) -> Self {
        const COLUMNS: &str =
            "account_id, event_id, partition, event_type, payload, event_time, record_time, traceparent";
        let sql = |text: String| AssertSqlSafe(Arc::<str>::from(text)).into_sql_str();
        Self {
            append: sql(format!(
                "INSERT INTO {schema}.outbox
                     (event_id, account_id, partition, event_type, payload, event_time, traceparent, record_time)
                 SELECT event_id, account_id, partition, event_type, payload, event_time, traceparent, $8
                 FROM unnest($1::uuid[], $2::text[], $3::smallint[], $4::text[], $5::bytea[], $6::timestamptz[], $7::text[])
                     WITH ORDINALITY AS given
                     (event_id, account_id, partition, event_type, payload, event_time, traceparent, place)
                 ORDER BY place"
            )),
            outbox_first: sql(format!("SELECT sequence FROM {schema}.outbox ORDER BY sequence LIMIT 1")),
            outbox_last: sql(format!("SELECT max(sequence) FROM {schema}.outbox")),
            lock_head: sql(format!("SELECT last_offset FROM {schema}.feed_head FOR UPDATE")),
            // An array, not a join: the planner reaches its rows by the index whatever it believes of the table's
            // size, which statistics taken from an empty outbox get wrong.
            sequence: sql(format!(
                "WITH moved AS (
                     DELETE FROM {schema}.outbox
                     WHERE sequence = ANY (ARRAY (SELECT sequence FROM {schema}.outbox ORDER BY sequence LIMIT $1))
                     RETURNING sequence, {COLUMNS}
                 ), placed AS (
                     INSERT INTO {schema}.feed (feed_offset, {COLUMNS})
                     SELECT $2 + row_number() OVER (ORDER BY sequence), {COLUMNS} FROM moved
                 )
                 UPDATE {schema}.feed_head SET last_offset = $2 + (SELECT count(*) FROM moved) RETURNING last_offset"
            )),
            extent: sql(format!("SELECT feed_id, pruned_through, last_offset FROM {schema}.feed_head")),
            // The offsets examined are a bounded range of the primary key; `matched` tells a page that ended because
            // it was full from one that ended because nothing else matched.
            read: sql(format!(
                "SELECT head.last_offset, head.pruned_through, page.*
                 FROM {schema}.feed_head AS head
                 LEFT JOIN (
                     SELECT * FROM (
                         SELECT *, count(*) OVER () AS matched,
                             sum(octet_length(payload)) OVER (ORDER BY feed_offset) - octet_length(payload) AS bytes_before
                         FROM (
                             SELECT feed_offset, {COLUMNS}
                             FROM {schema}.feed
                             WHERE feed_offset > $1 AND feed_offset <= $1 + $2
                                 AND (cardinality($3::text[]) = 0 OR event_type = ANY ($3))
                                 AND (cardinality($4::smallint[]) = 0 OR partition = ANY ($4))
                             ORDER BY feed_offset
                             LIMIT $5
                         ) AS wanted
                     ) AS measured
                     WHERE bytes_before < $6
                 ) AS page ON head.pruned_through <= $1
                 ORDER BY page.feed_offset"
            )),
            position: sql(format!(
                "SELECT feed_id, pruned_through, last_offset, (SELECT count(*) FROM {schema}.outbox) AS outbox_size
                 FROM {schema}.feed_head"
            )),
            prune_bound: sql(format!(
                "SELECT coalesce(min(feed_offset) FILTER (WHERE record_time >= $1) - 1, max(feed_offset))
                 FROM (SELECT feed_offset, record_time FROM {schema}.feed ORDER BY feed_offset LIMIT $2) AS oldest"
            )),
            prune_delete: sql(format!("DELETE FROM {schema}.feed WHERE feed_offset <= $1")),
            prune_head: sql(format!(
                "UPDATE {schema}.feed_head SET pruned_through = greatest(pruned_through, $1)"
            )),
            find_gap: sql(format!(
                "SELECT after, before FROM (
                     SELECT pruned_through AS after, coalesce((SELECT min(feed_offset) FROM {schema}.feed), last_offset + 1) AS before
                     FROM {schema}.feed_head
                     UNION ALL
                     SELECT feed_offset, lead(feed_offset) OVER (ORDER BY feed_offset) FROM {schema}.feed
                     UNION ALL
                     SELECT coalesce((SELECT max(feed_offset) FROM {schema}.feed), pruned_through), last_offset + 1
                     FROM {schema}.feed_head
                 ) AS neighbours
                 WHERE before <> after + 1
                 ORDER BY after
                 LIMIT 1"
            )),
        }
    }
}
