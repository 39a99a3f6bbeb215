//! Events that were set aside.

use mainstay_storage::{SchemaName, StorageError};
use sqlx::PgPool;

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
    /// Whether it is to be tried again.
    pub requeued: bool,
}

/// Lists and releases what consumers of a schema have set aside.
#[derive(Debug, Clone)]
pub struct ParkedEvents {
    schema: SchemaName,
}

impl ParkedEvents {
    /// Of the consumers that keep their offsets in the schema.
    pub fn new(schema: &SchemaName) -> Self {
        Self { schema: *schema }
    }

    /// The parked events by consumer, feed, account and offset, at most `limit`, after the given one.
    pub async fn list(
        &self,
        pool: &PgPool,
        limit: i64,
        after: Option<&ParkedEvent>,
    ) -> Result<Vec<ParkedEvent>, StorageError> {
        todo!("{} {pool:?} {limit} {after:?}", self.schema)
    }

    /// Has an account's parked events tried again, in their order; says how many.
    pub async fn requeue(
        &self,
        pool: &PgPool,
        consumer: &str,
        feed: &str,
        account_id: &str,
    ) -> Result<u64, StorageError> {
        todo!("{} {pool:?} {consumer} {feed} {account_id}", self.schema)
    }

    /// Gives up one parked event, so that those behind it can go on; says whether there was one.
    pub async fn discard(&self, pool: &PgPool, parked: &ParkedEvent) -> Result<bool, StorageError> {
        todo!("{} {pool:?} {parked:?}", self.schema)
    }
}
