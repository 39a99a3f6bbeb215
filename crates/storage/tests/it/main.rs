//! The storage crate on a real PostgreSQL.

mod fixture;
mod idempotency;
mod migration;
mod migration_at_once;
mod pool;
mod roles;
mod transaction;
