//! Events that were set aside: seen, requeued, given up.

use std::sync::Arc;

use mainstay_storage::{SchemaName, StorageError, transact};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Row, SqlSafeStr, SqlStr};

use crate::event::Event;

/// An event that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedEvent {
    /// Name of the consumer.
    pub consumer: String,
    /// Name of the feed.
    pub feed: String,
    /// The event.
    pub event: Event,
    /// Why it was set aside.
    pub reason: String,
    /// Attempts at it; 0 for an event that only waits behind an earlier one of its account.
    pub attempts: i32,
    /// Whether it is about to be tried again.
    pub requeued: bool,
}

/// The dead letters of the consumers of a schema.
///
/// An account's parked events are its oldest that have no effect yet, in their order. Requeuing tries the first; each that
/// takes effect has the next one tried, and when none is left, the account's events flow as before.
#[derive(Debug, Clone)]
pub struct ParkedEvents {
    statements: Arc<Statements>,
}

#[derive(Debug)]
struct Statements {
    list: SqlStr,
    requeue: SqlStr,
    lock_partition: SqlStr,
    discard: SqlStr,
}

impl ParkedEvents {
    /// Of the consumers that keep their offsets in the schema.
    pub fn new(schema: &SchemaName) -> Self {
        let sql = |text: String| AssertSqlSafe(Arc::<str>::from(text)).into_sql_str();
        let statements = Statements {
            list: sql(format!(
                "SELECT consumer, feed, account_id, feed_offset, event_id, partition, event_type, payload, event_time,
                     record_time, traceparent, reason, attempts, requeued
                 FROM {schema}.consumer_parked
                 WHERE (consumer, feed, account_id, feed_offset) > ($1, $2, $3, $4)
                 ORDER BY consumer, feed, account_id, feed_offset
                 LIMIT $5"
            )),
            requeue: sql(format!(
                "UPDATE {schema}.consumer_parked SET requeued = true
                 WHERE consumer = $1 AND feed = $2 AND account_id = $3 AND feed_offset = (
                     SELECT min(feed_offset) FROM {schema}.consumer_parked
                     WHERE consumer = $1 AND feed = $2 AND account_id = $3
                 )"
            )),
            lock_partition: sql(format!(
                "SELECT FROM {schema}.consumer_offsets
                 WHERE consumer = $1 AND feed = $2 AND partition = $3
                 FOR UPDATE"
            )),
            discard: sql(format!(
                "DELETE FROM {schema}.consumer_parked
                 WHERE consumer = $1 AND feed = $2 AND account_id = $3 AND feed_offset = $4"
            )),
        };
        Self { statements: Arc::new(statements) }
    }

    /// At most `limit` parked events after the given one, or from the first, by consumer, feed, account and offset.
    pub async fn list(
        &self,
        pool: &PgPool,
        after: Option<&ParkedEvent>,
        limit: i64,
    ) -> Result<Vec<ParkedEvent>, StorageError> {
        let rows = sqlx::query(self.statements.list.clone())
            .bind(after.map_or("", |parked| &parked.consumer))
            .bind(after.map_or("", |parked| &parked.feed))
            .bind(after.map_or("", |parked| parked.event.account_id()))
            .bind(after.map_or(0, |parked| parked.event.offset))
            .bind(limit)
            .fetch_all(pool)
            .await?;
        rows.iter().map(from_row).collect()
    }

    /// Has an account's parked events tried again, in their order; `account_id` is empty for what concerns no single
    /// account. Says whether there were any.
    pub async fn requeue(
        &self,
        pool: &PgPool,
        consumer: &str,
        feed: &str,
        account_id: &str,
    ) -> Result<bool, StorageError> {
        let result = sqlx::query(self.statements.requeue.clone())
            .bind(consumer)
            .bind(feed)
            .bind(account_id)
            .execute(pool)
            .await?;
        Ok(result.rows_affected() > 0)
    }

    /// Gives up one parked event, which then never takes effect, so that those behind it can be requeued. Says whether
    /// it was still there.
    pub async fn discard(&self, pool: &PgPool, parked: &ParkedEvent) -> Result<bool, StorageError> {
        transact(pool, async |conn: &mut PgConnection| {
            // Else an event that is just being applied could be parked behind one that is no longer there.
            sqlx::query(self.statements.lock_partition.clone())
                .bind(&parked.consumer)
                .bind(&parked.feed)
                .bind(parked.event.partition)
                .execute(&mut *conn)
                .await?;
            let result = sqlx::query(self.statements.discard.clone())
                .bind(&parked.consumer)
                .bind(&parked.feed)
                .bind(parked.event.account_id())
                .bind(parked.event.offset)
                .execute(&mut *conn)
                .await?;
            Ok(result.rows_affected() > 0)
        })
        .await
    }
}

fn from_row(row: &PgRow) -> Result<ParkedEvent, StorageError> {
    Ok(ParkedEvent {
        consumer: row.try_get("consumer")?,
        feed: row.try_get("feed")?,
        event: Event::from_row(row)?,
        reason: row.try_get("reason")?,
        attempts: row.try_get("attempts")?,
        requeued: row.try_get("requeued")?,
    })
}
