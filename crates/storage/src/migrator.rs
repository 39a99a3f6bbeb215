//! Brings a schema up to date, and tells whether it is.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use thiserror::Error;

use crate::{MigrationSet, SchemaName, StorageError};

/// Applies the migrations of a service's components to its schema.
#[derive(Debug, Clone)]
pub struct Migrator {
    schema: SchemaName,
    sets: Vec<&'static MigrationSet>,
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
        Self { schema, sets }
    }

    /// The schema that it migrates.
    pub fn schema(&self) -> &SchemaName {
        &self.schema
    }

    /// The sets that it applies, in order.
    pub fn sets(&self) -> &[&'static MigrationSet] {
        &self.sets
    }

    /// Applies what is missing.
    pub async fn migrate(
        &self,
        pool: &PgPool,
        applied_at: DateTime<Utc>,
        serving_role: Option<&str>,
    ) -> Result<MigrationReport, MigrateError> {
        let _ = (pool, applied_at, serving_role);
        todo!()
    }

    /// Tells whether the schema is as this program needs it.
    pub async fn check(&self, pool: &PgPool) -> Result<(), SchemaState> {
        let _ = pool;
        todo!()
    }
}
