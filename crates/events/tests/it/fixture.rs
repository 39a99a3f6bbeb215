//! What the tests share: a schema with accounts and effects, writers, readers, a handler.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt};
use mainstay_api::mainstay::events::v1::FeedPosition as Sample;
use mainstay_domain::{AccountId, Clock, IdSource, ManualClock};
use mainstay_events::{EventLog, FeedBatch, FeedReader, FeedSettings, MIGRATIONS, NewEvent, PageLimit};
use mainstay_rpc::ApiError;
use mainstay_storage::{Migration, MigrationSet, Migrator, SchemaName};
use mainstay_testkit::{TestDatabase, manual_clock};
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgConnection, PgPool};
use tokio_util::sync::CancellationToken;

pub(crate) const SCHEMA: SchemaName = SchemaName::new("events_test");

/// Name of the feed under test.
pub(crate) const FEED: &str = "sample";

/// Longest wait for something that must happen.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

static TEST_TABLES: MigrationSet = MigrationSet {
    component: "events_test",
    migrations: &[Migration {
        version: 1,
        name: "accounts_and_effects",
        sql: "CREATE TABLE {schema}.accounts (account_id text PRIMARY KEY, events bigint NOT NULL);
              CREATE TABLE {schema}.effects (event_id uuid PRIMARY KEY, feed_offset bigint NOT NULL, account_id text NOT NULL, number bigint NOT NULL);
              CREATE TABLE {schema}.seen (account_id text PRIMARY KEY, number bigint NOT NULL);",
        transactional: true,
    }],
};

/// A log on a database of its own.
pub(crate) struct Fixture {
    pub(crate) database: TestDatabase,
    pub(crate) log: EventLog,
    pub(crate) clock: ManualClock,
    pub(crate) ids: Arc<IdSource>,
    pub(crate) cancel: CancellationToken,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let migrator = Migrator::new(SCHEMA, vec![&MIGRATIONS, &TEST_TABLES]);
        let clock = manual_clock("1997-01-01T00:00:00Z");
        Self {
            database: mainstay_testkit::database(&migrator).await,
            log: EventLog::new(&SCHEMA),
            ids: Arc::new(IdSource::seeded(Arc::new(clock.clone()), 1)),
            clock,
            cancel: CancellationToken::new(),
        }
    }

    pub(crate) fn pool(&self) -> &PgPool {
        self.database.pool()
    }

    /// A pool of its own, as another process would have.
    pub(crate) fn other_pool(&self, connections: u32) -> PgPool {
        PgPoolOptions::new().max_connections(connections).connect_lazy(self.database.url()).expect("a URL")
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Writes the next event of each of the accounts in one transaction, and gives offsets.
    pub(crate) async fn write(&self, accounts: &[&str]) {
        let mut transaction = self.pool().begin().await.expect("a transaction");
        for account in accounts {
            write_next(&mut transaction, &self.log, &self.ids, account, self.now()).await;
        }
        transaction.commit().await.expect("a commit");
        self.log.drain(self.pool()).await.expect("offsets");
    }

    pub(crate) fn reader(&self) -> FeedReader {
        self.reader_with(quick())
    }

    pub(crate) fn reader_with(&self, settings: FeedSettings) -> FeedReader {
        FeedReader::new(self.log.clone(), self.pool().clone(), FEED, self.cancel.clone()).with_settings(settings)
    }

    /// The effects as `(account, number)`, in the order of the feed.
    pub(crate) async fn effects(&self) -> Vec<(String, i64)> {
        sqlx::query_as("SELECT account_id, number FROM events_test.effects ORDER BY feed_offset")
            .fetch_all(self.pool())
            .await
            .expect("effects")
    }

    pub(crate) async fn effect_count(&self) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM events_test.effects").fetch_one(self.pool()).await.expect("a count")
    }

    /// Waits until there are so many effects.
    pub(crate) async fn until_effects(&self, count: i64) {
        until(&format!("{count} effects"), async || self.effect_count().await >= count).await;
    }

    /// Asserts what must hold of the feed at any time: no gap, and the events of each account are numbered 1, 2, 3 …
    /// in the order of the feed. Gives the number of events.
    pub(crate) async fn assert_feed_is_whole(&self) -> usize {
        assert_eq!(self.log.find_gap(self.pool()).await.expect("an answer"), None);
        let reader = self.reader();
        let batches =
            reader.subscribe(mainstay_events::FeedStart::Oldest, mainstay_events::FeedFilter::default(), true);
        let events = events_of(&collect(batches.await.expect("a stream")).await);
        let mut last_numbers = std::collections::HashMap::new();
        let mut ids = std::collections::HashSet::new();
        for (place, (account, number, offset, id)) in events.iter().enumerate() {
            assert_eq!(*offset, i64::try_from(place).expect("small") + 1, "offsets have no gap");
            let last = last_numbers.entry(account.clone()).or_insert(0);
            assert_eq!(*number, *last + 1, "events of {account} stay in order, none lost or doubled");
            *last = *number;
            assert!(ids.insert(*id), "no event is doubled");
        }
        events.len()
    }
}

/// Settings with which nothing takes long.
pub(crate) fn quick() -> FeedSettings {
    FeedSettings {
        poll_interval: Duration::from_millis(5),
        heartbeat_interval: Duration::from_mins(10),
        caught_up_after: Duration::from_mins(10),
        page: PageLimit { events_max: 7, bytes_max: 1 << 20, examined_max: 10 },
        batches_buffered_max: 2,
        slow_reader_after: Duration::from_mins(10),
    }
}

pub(crate) fn account(id: &str) -> AccountId {
    AccountId::parse(id).expect("an id")
}

/// An event that carries a number.
pub(crate) fn sample(ids: &IdSource, account_id: &str, number: i64, time: DateTime<Utc>) -> NewEvent {
    let payload = Sample { newest_offset: number, ..Default::default() };
    NewEvent::of(ids.new_id(), Some(&account(account_id)), &payload, time)
}

/// Locks the account's row, counts its events on, appends the event with that number.
pub(crate) async fn write_next(
    conn: &mut PgConnection,
    log: &EventLog,
    ids: &IdSource,
    account_id: &str,
    now: DateTime<Utc>,
) {
    let number: i64 = sqlx::query_scalar(
        "INSERT INTO events_test.accounts AS account (account_id, events) VALUES ($1, 1)
         ON CONFLICT (account_id) DO UPDATE SET events = account.events + 1
         RETURNING events",
    )
    .bind(account_id)
    .fetch_one(&mut *conn)
    .await
    .expect("a number");
    log.append(conn, &[sample(ids, account_id, number, now)], now).await.expect("an append");
}

/// All batches until the stream ends; it must end well.
pub(crate) async fn collect(stream: impl Stream<Item = Result<FeedBatch, ApiError>>) -> Vec<FeedBatch> {
    let mut stream = std::pin::pin!(stream);
    let mut batches = Vec::new();
    while let Some(batch) = within_deadline("a batch", stream.next()).await {
        batches.push(batch.expect("a batch"));
    }
    batches
}

/// Account, number, offset and id of the events.
pub(crate) fn events_of(batches: &[FeedBatch]) -> Vec<(String, i64, i64, uuid::Uuid)> {
    let events = batches.iter().flat_map(|batch| &batch.events);
    events
        .map(|event| {
            let account_id = event.account.as_ref().map(|account| account.as_str().to_owned()).unwrap_or_default();
            let sample: Sample = event.decode().expect("a sample");
            (account_id, sample.newest_offset, event.offset, event.id)
        })
        .collect()
}

pub(crate) fn offsets_of(batches: &[FeedBatch]) -> Vec<i64> {
    batches.iter().flat_map(|batch| batch.events.iter().map(|event| event.offset)).collect()
}

/// The value, which must come in time.
pub(crate) async fn within_deadline<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.unwrap_or_else(|_| panic!("no {what} within {DEADLINE:?}"))
}

/// Looks again and again until the condition holds.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    within_deadline(what, async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    })
    .await;
}

/// Reason and metadata of an error, as a caller sees them.
pub(crate) fn error_info(error: ApiError) -> (tonic::Code, String, std::collections::HashMap<String, String>) {
    use tonic_types::StatusExt;
    let status = tonic::Status::from(error);
    let info = status.get_details_error_info().expect("error info");
    (status.code(), info.reason, info.metadata)
}
