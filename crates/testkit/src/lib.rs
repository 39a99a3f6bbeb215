//! Fixtures for tests: a database each, a clock turned by hand, shared suites.

mod clock;
mod database;
pub mod idempotency;
pub mod pagination;
mod refusal;

pub use clock::manual_clock;
pub use database::{TestDatabase, database, empty_database};
