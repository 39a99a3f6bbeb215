//! What the tests share.

use std::time::Duration;

use chrono::{DateTime, Utc};
use mainstay_domain::Clock;
use mainstay_storage::{DatabaseSettings, Migration, connect};
use mainstay_testkit::{TestDatabase, empty_database, manual_clock};
use sqlx::PgPool;

/// A database, and a pool on it as services make theirs.
pub(crate) struct Fixture {
    /// Kept so that its server stays.
    pub(crate) database: TestDatabase,
    pub(crate) pool: PgPool,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let database = empty_database().await;
        let pool = connect(&settings(database.url())).expect("a pool");
        Self { database, pool }
    }

    /// Runs statements of the test's own.
    pub(crate) async fn run(&self, statements: &'static str) {
        sqlx::raw_sql(statements).execute(&self.pool).await.expect("the statements run");
    }

    /// The one value that a query of the test's own gives.
    pub(crate) async fn number(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.pool).await.expect("a number")
    }

    /// Asks until the query says yes, for what only the server knows. Fails after 20 s.
    pub(crate) async fn until(&self, query: &'static str) {
        let asking = async {
            while !sqlx::query_scalar::<_, bool>(query).fetch_one(&self.pool).await.expect("an answer") {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), asking).await.expect("the server says yes in time");
    }
}

/// Settings with room for all callers of a test and patience for a busy machine.
pub(crate) fn settings(url: &str) -> DatabaseSettings {
    DatabaseSettings {
        max_connections: 16,
        acquire_timeout: Duration::from_secs(20),
        ..DatabaseSettings::new(url, "storage-tests")
    }
}

/// When all the tests' things happen.
pub(crate) fn now() -> DateTime<Utc> {
    manual_clock("1997-01-01T00:00:00Z").now()
}

/// A migration in a transaction.
pub(crate) const fn step(version: i64, name: &'static str, sql: &'static str) -> Migration {
    Migration { version, name, sql, transactional: true }
}

/// A migration without one.
pub(crate) const fn step_outside(version: i64, name: &'static str, sql: &'static str) -> Migration {
    Migration { version, name, sql, transactional: false }
}
