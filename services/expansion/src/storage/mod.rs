//! Rows and queries: the only place with SQL, and only of the schema `expansion`.

pub(crate) mod candidates;
pub(crate) mod codes;
pub(crate) mod conditions;
mod migrations;
pub(crate) mod opportunities;
mod opportunity_row;
pub(crate) mod plans;
pub(crate) mod policies;
pub(crate) mod reports;
pub(crate) mod reviews;
pub(crate) mod timeline;
pub(crate) mod touches;
pub(crate) mod usage;

pub use migrations::{SCHEMA, migrator};
