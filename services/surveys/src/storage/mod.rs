//! Rows and queries: the only place with SQL, and only of the schema `surveys`.

pub(crate) mod codes;
pub(crate) mod invitations;
mod migrations;
pub(crate) mod programs;
pub(crate) mod recipients;
pub(crate) mod reports;
pub(crate) mod responses;

pub use migrations::{SCHEMA, migrator};
