//! A database for each test.
use mainstay_storage::Migrator;
use sqlx::PgPool;

/// A database of one test.
#[derive(Debug)]
pub struct TestDatabase {
    pool: PgPool,
    url: String,
}

impl TestDatabase {
    /// A pool on the database, of this test's runtime.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The URL of the database, as its superuser.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// A fresh database with the migrations applied.
#[expect(clippy::unused_async, reason = "signature first")]
pub async fn database(migrator: &Migrator) -> TestDatabase {
    todo!("{}", migrator.schema().as_str())
}

/// A fresh database with nothing in it.
#[expect(clippy::unused_async, reason = "signature first")]
pub async fn empty_database() -> TestDatabase {
    todo!()
}
