//! Brings a schema up to date, and tells whether it is.

mod apply;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use thiserror::Error;

use crate::migration::{AppliedMigration, Comparison, PendingMigration, assert_sound, compare};
use crate::{MigrationSet, SchemaName, StorageError};

/// How long a migrator waits for another one, unless told otherwise.
const LOCK_WAIT_MAX: Duration = Duration::from_mins(1);

/// Applies the migrations of a service's components to its schema, forward only.
///
/// What was applied is recorded in the schema's table `schema_migrations`. One migrator at a time
/// works on a schema, those of other schemas in the same database do not wait for it.
#[derive(Debug, Clone)]
pub struct Migrator {
    schema: SchemaName,
    sets: Vec<&'static MigrationSet>,
    lock_wait_max: Duration,
    applied_sql: Arc<str>,
}

/// What a run of the migrator did. Migrations are named `component/version_name`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MigrationReport {
    /// Those applied now, in order; empty when the schema was up to date.
    pub applied: Vec<String>,
    /// Those in the database that this program does not know: a newer one was here.
    pub unknown: Vec<String>,
}

/// Why the schema could not be brought up to date.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// Another migrator holds the schema.
    #[error(
        "another migration of the schema {schema} is still running after {waited_seconds} s; try again when it is done"
    )]
    Locked {
        /// The schema.
        schema: SchemaName,
        /// How long this one waited, in seconds.
        waited_seconds: u64,
    },
    /// A migration has other content than when it was applied.
    #[error(
        "{migration} in the schema {schema} has changed since it was applied; released migrations must not change: write a new one"
    )]
    Changed {
        /// The schema.
        schema: SchemaName,
        /// The migration.
        migration: String,
    },
    /// There is something to apply, but a program with other migrations was here.
    #[error("the schema {schema} has migrations that this program does not know ({}) and lacks others; use the newest program", unknown.join(", "))]
    Diverged {
        /// The schema.
        schema: SchemaName,
        /// What this program does not know.
        unknown: Vec<String>,
    },
    /// The role that is to serve does not exist.
    #[error("the role {role} does not exist; create it before the migration")]
    UnknownRole {
        /// The role.
        role: String,
    },
    /// A migration failed; those before it are applied, of this one nothing is.
    #[error("{migration} failed: {source}")]
    Failed {
        /// The migration.
        migration: String,
        /// Why. For the operator, so with the database's own words.
        source: sqlx::Error,
    },
    /// The database did not do what the migrator itself needs.
    #[error("the schema cannot be prepared: {0}")]
    Database(#[from] sqlx::Error),
}

/// Why a service cannot (or, if [`SchemaState::Ahead`], might not) serve on its schema.
#[derive(Debug, Error)]
pub enum SchemaState {
    /// Migrations are missing.
    #[error("the schema {schema} is behind: {} missing ({}); run this program with `migrate`", missing.len(), missing.join(", "))]
    Behind {
        /// The schema.
        schema: SchemaName,
        /// Those missing, in the order in which they are to be applied.
        missing: Vec<String>,
    },
    /// A newer program has migrated the schema. Migrations expand before they contract, so that the program before may go on.
    #[error("the schema {schema} is ahead of this program ({})", unknown.join(", "))]
    Ahead {
        /// The schema.
        schema: SchemaName,
        /// What this program does not know.
        unknown: Vec<String>,
    },
    /// A migration has other content than when it was applied.
    #[error("{migration} in the schema {schema} has changed since it was applied")]
    Changed {
        /// The schema.
        schema: SchemaName,
        /// The migration.
        migration: String,
    },
    /// It cannot be told.
    #[error("the state of the schema cannot be read: {0}")]
    Unreachable(#[from] StorageError),
}

impl Migrator {
    /// A migrator of `schema`; the sets are applied in their order.
    ///
    /// # Panics
    /// When two sets name the same component, or a set's versions do not rise from 1 or more.
    pub fn new(schema: SchemaName, sets: Vec<&'static MigrationSet>) -> Self {
        assert_sound(&sets);
        let applied_sql = format!("SELECT component, version, name, checksum FROM {schema}.schema_migrations");
        Self { schema, sets, lock_wait_max: LOCK_WAIT_MAX, applied_sql: applied_sql.into() }
    }

    /// The same, waiting this long for another migrator of the schema instead of a minute.
    #[must_use]
    pub fn with_lock_wait(mut self, lock_wait_max: Duration) -> Self {
        self.lock_wait_max = lock_wait_max;
        self
    }

    /// The schema that it migrates.
    pub fn schema(&self) -> &SchemaName {
        &self.schema
    }

    /// The sets that it applies, in order.
    pub fn sets(&self) -> &[&'static MigrationSet] {
        &self.sets
    }

    /// Applies what is missing, each migration in a transaction together with its record, and lets
    /// `serving_role` read and write rows in the schema, and nothing more.
    ///
    /// Of the pool only the address is used: the migrator works on a connection of its own, without the
    /// pool's time limits, and one that must lead straight to the server, not to a transaction pooler.
    /// Dropping the future ends that connection, and with it the migration at hand.
    ///
    /// # Errors
    /// See [`MigrateError`]. What was applied before the error stays; calling again goes on from there.
    pub async fn migrate(
        &self,
        pool: &PgPool,
        applied_at: DateTime<Utc>,
        serving_role: Option<&str>,
    ) -> Result<MigrationReport, MigrateError> {
        let mut session = apply::Session::open(self, pool).await?;
        let outcome = session.run(applied_at, serving_role).await;
        session.close().await;
        outcome
    }

    /// Tells whether the schema is as this program needs it. Cheap, and possible for the serving role.
    ///
    /// # Errors
    /// See [`SchemaState`]. When several hold, what has changed comes before what is missing, and that
    /// before what is not known.
    pub async fn check(&self, pool: &PgPool) -> Result<(), SchemaState> {
        let mut connection = pool.acquire().await.map_err(StorageError::from)?;
        let applied = match self.read_applied(&mut connection).await {
            Ok(applied) => applied,
            Err(error) if is_absent(&error) => Vec::new(),
            Err(error) => return Err(StorageError::from(error).into()),
        };
        let schema = self.schema;
        let Comparison { pending, unknown, changed } = compare(&self.sets, &applied);
        if let Some(migration) = changed.into_iter().next() {
            return Err(SchemaState::Changed { schema, migration });
        }
        if !pending.is_empty() {
            return Err(SchemaState::Behind { schema, missing: pending.iter().map(PendingMigration::label).collect() });
        }
        if unknown.is_empty() { Ok(()) } else { Err(SchemaState::Ahead { schema, unknown }) }
    }

    async fn read_applied(&self, connection: &mut PgConnection) -> Result<Vec<AppliedMigration>, sqlx::Error> {
        let rows: Vec<(String, i64, String, Vec<u8>)> =
            sqlx::query_as(AssertSqlSafe(Arc::clone(&self.applied_sql))).fetch_all(connection).await?;
        Ok(rows
            .into_iter()
            .map(|(component, version, name, checksum)| AppliedMigration { component, version, name, checksum })
            .collect())
    }
}

/// Whether the statement named a table or schema that is not there.
fn is_absent(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    // undefined_table, invalid_schema_name
    matches!(code.as_deref(), Some("42P01" | "3F000"))
}
