//! The feed of another service: a real event log in a schema of its own.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, Clock, IdSource, ManualClock};
use mainstay_events::{EventLog, EventSource, FeedReader, LocalSource, NewEvent};
use mainstay_storage::{Migrator, SchemaName};
use prost::{Message, Name};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::TestDatabase;

/// What another service tells, without the service.
pub struct FakeFeed {
    log: EventLog,
    reader: FeedReader,
    ids: IdSource,
    clock: ManualClock,
    pool: PgPool,
}

impl FakeFeed {
    /// The feed of the service of this name, which has told nothing yet.
    ///
    /// # Panics
    /// When its tables cannot be made.
    pub async fn start(name: &'static str, database: &TestDatabase, clock: &ManualClock) -> Self {
        let schema = SchemaName::new(name);
        let migrator = Migrator::new(schema, vec![&mainstay_events::MIGRATIONS]);
        migrator.migrate(database.pool(), clock.now(), None).await.expect("a feed's tables");
        let log = EventLog::new(&schema);
        let pool = database.pool().clone();
        Self {
            reader: FeedReader::new(log.clone(), pool.clone(), name, CancellationToken::new()),
            log,
            ids: IdSource::new(Arc::new(clock.clone())),
            clock: clock.clone(),
            pool,
        }
    }

    /// For the service that hears it.
    pub fn source(&self) -> Arc<dyn EventSource> {
        Arc::new(LocalSource::new(self.reader.clone()))
    }

    /// Tells of something that happens to an account now.
    ///
    /// # Panics
    /// When it cannot be written.
    pub async fn tell<M: Message + Name>(&self, account: &str, payload: &M) {
        self.tell_at(account, payload, self.clock.now()).await;
    }

    /// Tells of something that happened to an account then.
    ///
    /// # Panics
    /// When it cannot be written.
    pub async fn tell_at<M: Message + Name>(&self, account: &str, payload: &M, time: DateTime<Utc>) {
        let account = AccountId::parse(account).expect("an id");
        let event = NewEvent::of(self.ids.new_id(), Some(&account), payload, time);
        let mut transaction = self.pool.begin().await.expect("a transaction");
        self.log.append(&mut transaction, &[event], self.clock.now()).await.expect("an event");
        transaction.commit().await.expect("a commit");
        self.log.drain(&self.pool).await.expect("an offset");
    }
}
