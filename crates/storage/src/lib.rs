//! PostgreSQL: pool, transactions, migrations, idempotency records, errors.
//!
//! What all services share of their storage, each in its own schema. Nothing here keeps
//! state in a session of a service's pool, so that all of it works behind a transaction pooler;
//! only the [`Migrator`], which holds a lock, needs a connection straight to the server.

mod deadline;
mod error;
mod idempotency;
mod migration;
mod migrator;
mod pool;
mod schema_name;
mod text;
mod transaction;

pub use deadline::within_deadline;
pub use error::{IsConflict, StorageError, exactly_one};
pub use idempotency::{Idempotency, Replay, RequestKey, fingerprint};
pub use migration::{Migration, MigrationSet};
pub use migrator::{MigrateError, MigrationReport, Migrator, SchemaState};
pub use pool::{DatabaseSettings, connect, observe_pool};
pub use schema_name::SchemaName;
pub use text::storable_text;
pub use transaction::{TransactionWork, begin, commit, transact};

/// The tables that this crate needs in a service's schema.
pub const MIGRATIONS: MigrationSet = MigrationSet {
    component: "storage",
    migrations: &[Migration {
        version: 1,
        name: "idempotency_records",
        sql: include_str!("../migrations/1_idempotency_records.sql"),
        transactional: true,
    }],
};
