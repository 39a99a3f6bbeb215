//! The rows of one consumer: its offsets, its replicas, what it has set aside.

use std::sync::Arc;
use std::time::Duration;

use mainstay_domain::PARTITION_COUNT;
use mainstay_storage::{SchemaName, StorageError, exactly_one, storable_text};
use sqlx::postgres::types::PgInterval;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Row, SqlSafeStr, SqlStr};
use uuid::Uuid;

use crate::event::Event;

/// Longest text of an error that is kept, in characters.
const ERROR_TEXT_MAX: usize = 1_000;

/// How far a consumer is in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PartitionOffset {
    pub(super) partition: i16,
    pub(super) feed_id: Uuid,
    pub(super) offset: i64,
}

/// The rows of a consumer of a feed.
#[derive(Debug)]
pub(super) struct Store {
    consumer: String,
    feed: String,
    statements: Statements,
}

#[derive(Debug)]
struct Statements {
    register: SqlStr,
    forget_replicas: SqlStr,
    beat: SqlStr,
    replicas: SqlStr,
    leave: SqlStr,
    offsets: SqlStr,
    lock_partition: SqlStr,
    advance: SqlStr,
    checkpoint: SqlStr,
    record_failure: SqlStr,
    parked_accounts: SqlStr,
    parked_count: SqlStr,
    park: SqlStr,
    requeued: SqlStr,
    first_requeued: SqlStr,
    delete_parked: SqlStr,
    requeue_next: SqlStr,
    fail_parked: SqlStr,
}

impl Store {
    pub(super) fn new(schema: SchemaName, consumer: &str, feed: &str) -> Self {
        Self { consumer: consumer.to_owned(), feed: feed.to_owned(), statements: Statements::new(schema) }
    }

    /// Makes the rows of all partitions, unless they are there.
    pub(super) async fn register(&self, pool: &PgPool, feed_id: Uuid, offset: i64) -> Result<(), StorageError> {
        sqlx::query(self.statements.register.clone())
            .bind(&self.consumer)
            .bind(&self.feed)
            .bind(feed_id)
            .bind(offset)
            .bind(i32::from(PARTITION_COUNT) - 1)
            .execute(pool)
            .await?;
        Ok(())
    }

    /// Says that a replica lives, which the database gives an id the first time, and forgets those that are long dead.
    pub(super) async fn beat(
        &self,
        pool: &PgPool,
        replica: Option<Uuid>,
        lease: Duration,
    ) -> Result<Uuid, StorageError> {
        let lease = PgInterval::try_from(lease)
            .map_err(|error| StorageError::Corrupt(format!("the lease is no interval: {error}")))?;
        sqlx::query(self.statements.forget_replicas.clone())
            .bind(&self.consumer)
            .bind(&self.feed)
            .execute(pool)
            .await?;
        Ok(sqlx::query_scalar(self.statements.beat.clone())
            .bind(&self.consumer)
            .bind(&self.feed)
            .bind(replica)
            .bind(lease)
            .fetch_one(pool)
            .await?)
    }

    /// The replicas that live, in an order that is the same for all of them.
    pub(super) async fn replicas(&self, pool: &PgPool) -> Result<Vec<Uuid>, StorageError> {
        Ok(sqlx::query_scalar(self.statements.replicas.clone())
            .bind(&self.consumer)
            .bind(&self.feed)
            .fetch_all(pool)
            .await?)
    }

    /// Says that a replica has ended.
    pub(super) async fn leave(&self, pool: &PgPool, replica: Uuid) -> Result<(), StorageError> {
        sqlx::query(self.statements.leave.clone())
            .bind(&self.consumer)
            .bind(&self.feed)
            .bind(replica)
            .execute(pool)
            .await?;
        Ok(())
    }

    pub(super) async fn offsets(
        &self,
        pool: &PgPool,
        partitions: &[i16],
    ) -> Result<Vec<PartitionOffset>, StorageError> {
        let rows = sqlx::query(self.statements.offsets.clone())
            .bind(&self.consumer)
            .bind(&self.feed)
            .bind(partitions)
            .fetch_all(pool)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(PartitionOffset {
                    partition: row.try_get("partition")?,
                    feed_id: row.try_get("feed_id")?,
                    offset: row.try_get("feed_offset")?,
                })
            })
            .collect()
    }

    /// Locks the row of a partition for the transaction; gives its offset.
    pub(super) async fn lock_partition(&self, conn: &mut PgConnection, partition: i16) -> Result<i64, StorageError> {
        Ok(sqlx::query_scalar(self.statements.lock_partition.clone())
            .bind(&self.consumer)
            .bind(&self.feed)
            .bind(partition)
            .fetch_one(conn)
            .await?)
    }

    /// Moves a partition that is locked, and forgets its failure.
    pub(super) async fn advance(
        &self,
        conn: &mut PgConnection,
        partition: i16,
        offset: i64,
    ) -> Result<(), StorageError> {
        let result = sqlx::query(self.statements.advance.clone())
            .bind(&self.consumer)
            .bind(&self.feed)
            .bind(partition)
            .bind(offset)
            .execute(conn)
            .await?;
        exactly_one(&result)
    }

    /// Moves partitions in which nothing happened up to `offset`. One that another replica has locked is left.
    pub(super) async fn checkpoint(&self, pool: &PgPool, partitions: &[i16], offset: i64) -> Result<(), StorageError> {
        sqlx::query(self.statements.checkpoint.clone())
            .bind(&self.consumer)
            .bind(&self.feed)
            .bind(partitions)
            .bind(offset)
            .execute(pool)
            .await?;
        Ok(())
    }

    /// Counts a failed attempt at an event; gives the number of attempts, or `None` when another replica is past it.
    pub(super) async fn record_failure(
        &self,
        pool: &PgPool,
        event: &Event,
        error: &str,
    ) -> Result<Option<i32>, StorageError> {
        Ok(sqlx::query_scalar(self.statements.record_failure.clone())
            .bind(&self.consumer)
            .bind(&self.feed)
            .bind(event.partition)
            .bind(event.offset)
            .bind(storable_text(error, ERROR_TEXT_MAX))
            .fetch_optional(pool)
            .await?)
    }

    /// Which of the accounts have parked events.
    pub(super) async fn parked_accounts(
        &self,
        conn: &mut PgConnection,
        account_ids: &[&str],
    ) -> Result<Vec<String>, StorageError> {
        Ok(sqlx::query_scalar(self.statements.parked_accounts.clone())
            .bind(&self.consumer)
            .bind(&self.feed)
            .bind(account_ids)
            .fetch_all(conn)
            .await?)
    }

    /// How many events are set aside.
    pub(super) async fn parked_count(&self, pool: &PgPool) -> Result<i64, StorageError> {
        Ok(sqlx::query_scalar(self.statements.parked_count.clone())
            .bind(&self.consumer)
            .bind(&self.feed)
            .fetch_one(pool)
            .await?)
    }

    /// Sets an event aside.
    pub(super) async fn park(
        &self,
        conn: &mut PgConnection,
        event: &Event,
        reason: &str,
        attempts: i32,
    ) -> Result<(), StorageError> {
        sqlx::query(self.statements.park.clone())
            .bind(&self.consumer)
            .bind(&self.feed)
            .bind(event.offset)
            .bind(event.account_id())
            .bind(event.id)
            .bind(event.partition)
            .bind(&event.event_type)
            .bind(&event.payload)
            .bind(event.event_time)
            .bind(event.record_time)
            .bind(event.traceparent.as_deref().unwrap_or_default())
            .bind(storable_text(reason, ERROR_TEXT_MAX))
            .bind(attempts)
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Parked events of the partitions that are to be tried again, oldest first.
    pub(super) async fn requeued(&self, pool: &PgPool, partitions: &[i16]) -> Result<Vec<Event>, StorageError> {
        let rows = sqlx::query(self.statements.requeued.clone())
            .bind(&self.consumer)
            .bind(&self.feed)
            .bind(partitions)
            .fetch_all(pool)
            .await?;
        rows.iter().map(Event::from_row).collect()
    }

    /// Offset of an account's first parked event, when that is to be tried again.
    pub(super) async fn first_requeued(
        &self,
        conn: &mut PgConnection,
        account_id: &str,
    ) -> Result<Option<i64>, StorageError> {
        Ok(sqlx::query_scalar(self.statements.first_requeued.clone())
            .bind(&self.consumer)
            .bind(&self.feed)
            .bind(account_id)
            .fetch_optional(conn)
            .await?)
    }

    /// Takes a parked event away and has the next of its account tried.
    pub(super) async fn release(&self, conn: &mut PgConnection, event: &Event) -> Result<(), StorageError> {
        let result = sqlx::query(self.statements.delete_parked.clone())
            .bind(&self.consumer)
            .bind(&self.feed)
            .bind(event.account_id())
            .bind(event.offset)
            .execute(&mut *conn)
            .await?;
        exactly_one(&result)?;
        sqlx::query(self.statements.requeue_next.clone())
            .bind(&self.consumer)
            .bind(&self.feed)
            .bind(event.account_id())
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Leaves a parked event where it is after it failed again.
    pub(super) async fn fail_parked(&self, pool: &PgPool, event: &Event, reason: &str) -> Result<(), StorageError> {
        sqlx::query(self.statements.fail_parked.clone())
            .bind(&self.consumer)
            .bind(&self.feed)
            .bind(event.account_id())
            .bind(event.offset)
            .bind(storable_text(reason, ERROR_TEXT_MAX))
            .execute(pool)
            .await?;
        Ok(())
    }
}

/// Columns of a parked event, in the order in which they are read and written.
const COLUMNS: &str =
    "feed_offset, account_id, event_id, partition, event_type, payload, event_time, record_time, traceparent";

impl Statements {
    fn new(schema: SchemaName) -> Self {
        let sql = |text: String| AssertSqlSafe(Arc::<str>::from(text)).into_sql_str();
        Self {
            register: sql(format!(
                "INSERT INTO {schema}.consumer_offsets (consumer, feed, partition, feed_id, feed_offset)
                 SELECT $1, $2, partition::smallint, $3, $4 FROM generate_series(0, $5) AS partition
                 ON CONFLICT DO NOTHING"
            )),
            forget_replicas: sql(format!(
                "DELETE FROM {schema}.consumer_replicas
                 WHERE consumer = $1 AND feed = $2 AND alive_until < now() - interval '1 hour'"
            )),
            beat: sql(format!(
                "INSERT INTO {schema}.consumer_replicas AS replica (consumer, feed, replica_id, alive_until)
                 VALUES ($1, $2, coalesce($3, gen_random_uuid()), now() + $4)
                 ON CONFLICT (consumer, feed, replica_id) DO UPDATE SET alive_until = excluded.alive_until
                 RETURNING replica_id"
            )),
            replicas: sql(format!(
                "SELECT replica_id FROM {schema}.consumer_replicas
                 WHERE consumer = $1 AND feed = $2 AND alive_until > now()
                 ORDER BY replica_id"
            )),
            leave: sql(format!(
                "DELETE FROM {schema}.consumer_replicas WHERE consumer = $1 AND feed = $2 AND replica_id = $3"
            )),
            offsets: sql(format!(
                "SELECT partition, feed_id, feed_offset FROM {schema}.consumer_offsets
                 WHERE consumer = $1 AND feed = $2 AND partition = ANY ($3)
                 ORDER BY partition"
            )),
            lock_partition: sql(format!(
                "SELECT feed_offset FROM {schema}.consumer_offsets
                 WHERE consumer = $1 AND feed = $2 AND partition = $3
                 FOR UPDATE"
            )),
            advance: sql(format!(
                "UPDATE {schema}.consumer_offsets
                 SET feed_offset = $4, failing_offset = NULL, attempts = 0, last_error = NULL
                 WHERE consumer = $1 AND feed = $2 AND partition = $3 AND feed_offset < $4"
            )),
            checkpoint: sql(format!(
                "UPDATE {schema}.consumer_offsets AS moved
                 SET feed_offset = $4
                 FROM (
                     SELECT partition FROM {schema}.consumer_offsets
                     WHERE consumer = $1 AND feed = $2 AND partition = ANY ($3) AND feed_offset < $4
                     FOR UPDATE SKIP LOCKED
                 ) AS free
                 WHERE moved.consumer = $1 AND moved.feed = $2 AND moved.partition = free.partition"
            )),
            record_failure: sql(format!(
                "UPDATE {schema}.consumer_offsets
                 SET attempts = CASE WHEN failing_offset = $4 THEN attempts + 1 ELSE 1 END,
                     failing_offset = $4, last_error = $5
                 WHERE consumer = $1 AND feed = $2 AND partition = $3 AND feed_offset < $4
                 RETURNING attempts"
            )),
            parked_count: sql(format!(
                "SELECT count(*) FROM {schema}.consumer_parked WHERE consumer = $1 AND feed = $2"
            )),
            parked_accounts: sql(format!(
                "SELECT DISTINCT account_id FROM {schema}.consumer_parked
                 WHERE consumer = $1 AND feed = $2 AND account_id = ANY ($3)"
            )),
            park: sql(format!(
                "INSERT INTO {schema}.consumer_parked (consumer, feed, {COLUMNS}, reason, attempts)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
            )),
            requeued: sql(format!(
                "SELECT {COLUMNS} FROM {schema}.consumer_parked
                 WHERE consumer = $1 AND feed = $2 AND partition = ANY ($3) AND requeued
                 ORDER BY feed_offset
                 LIMIT 100"
            )),
            first_requeued: sql(format!(
                "SELECT feed_offset FROM (
                     SELECT feed_offset, requeued FROM {schema}.consumer_parked
                     WHERE consumer = $1 AND feed = $2 AND account_id = $3
                     ORDER BY feed_offset
                     LIMIT 1
                 ) AS first
                 WHERE requeued"
            )),
            delete_parked: sql(format!(
                "DELETE FROM {schema}.consumer_parked
                 WHERE consumer = $1 AND feed = $2 AND account_id = $3 AND feed_offset = $4"
            )),
            requeue_next: sql(format!(
                "UPDATE {schema}.consumer_parked SET requeued = true
                 WHERE consumer = $1 AND feed = $2 AND account_id = $3 AND feed_offset = (
                     SELECT min(feed_offset) FROM {schema}.consumer_parked
                     WHERE consumer = $1 AND feed = $2 AND account_id = $3
                 )"
            )),
            fail_parked: sql(format!(
                "UPDATE {schema}.consumer_parked SET requeued = false, attempts = attempts + 1, reason = $5
                 WHERE consumer = $1 AND feed = $2 AND account_id = $3 AND feed_offset = $4"
            )),
        }
    }
}
