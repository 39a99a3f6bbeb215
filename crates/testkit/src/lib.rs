//! Fixtures for tests: a database each, a clock turned by hand, shared suites.

pub mod browser;
mod clock;
mod database;
pub mod feed;
pub mod http;
pub mod idempotency;
mod inbox;
pub mod pagination;
mod refusal;
pub mod smtp;
pub mod tls;

pub use clock::manual_clock;
pub use database::{TestDatabase, database, database_settings, empty_database};
