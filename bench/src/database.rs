//! A private PostgreSQL server, durable as in production, and databases on it.

use std::str::FromStr;

use anyhow::Context;
use mainstay_localpg::{LocalPg, LocalPgOptions};
use mainstay_storage::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool};

/// Connections of a benchmark's own pool.
const CONNECTIONS_MAX: u32 = 12;

/// What differs from PostgreSQL's defaults: room to keep the data in memory, no checkpoint in the middle of a
/// measurement, and counts of statements and times of commits to look at afterwards. `fsync`, `synchronous_commit` and `full_page_writes` are on.
pub(crate) const SETTINGS: [(&str, &str); 5] = [
    ("shared_buffers", "1GB"),
    ("max_wal_size", "8GB"),
    ("checkpoint_timeout", "30min"),
    ("shared_preload_libraries", "pg_stat_statements"),
    ("track_commit_timestamp", "on"),
];

/// The server of a benchmark.
pub(crate) struct Server(LocalPg);

impl Server {
    /// Starts an empty one in a temporary folder.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let settings = SETTINGS.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let options = LocalPgOptions { durable: true, settings, ..LocalPgOptions::default() };
        Ok(Self(LocalPg::start(options).await?))
    }

    /// An empty database of this name, made anew.
    pub(crate) async fn database(&self, name: &'static str) -> anyhow::Result<Database> {
        let admin = PgPoolOptions::new().max_connections(1).connect(&self.0.url("postgres")).await?;
        sqlx::query(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))).execute(&admin).await?;
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&admin).await?;
        admin.close().await;
        let url = self.0.url(name);
        let options = PgConnectOptions::from_str(&url)?.statement_cache_capacity(256);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .test_before_acquire(false)
            .connect_with(options)
            .await
            .with_context(|| format!("connect to the database {name}"))?;
        Ok(Database { pool, url })
    }

    /// Stops it and removes its folder.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        Ok(self.0.stop().await?)
    }
}

/// A database, and connections of the benchmark's own to it.
pub(crate) struct Database {
    /// The benchmark's own connections.
    pub pool: PgPool,
    /// Where it is.
    pub url: String,
}

impl Database {
    /// Brings the tables of a service into it.
    pub(crate) async fn migrate(&self, migrator: &Migrator) -> anyhow::Result<()> {
        migrator.migrate(&self.pool, chrono::DateTime::UNIX_EPOCH, None).await?;
        Ok(())
    }

    /// Runs statements one after another.
    pub(crate) async fn run(&self, sql: impl Into<String>) -> anyhow::Result<()> {
        sqlx::raw_sql(AssertSqlSafe(sql.into())).execute(&self.pool).await?;
        Ok(())
    }

    /// Bytes on disk of a table with its indexes.
    pub(crate) async fn size_bytes(&self, table: &str) -> anyhow::Result<f64> {
        let bytes: i64 = sqlx::query_scalar("SELECT pg_total_relation_size($1::text::regclass)")
            .bind(table)
            .fetch_one(&self.pool)
            .await?;
        Ok(bytes as f64)
    }
}
