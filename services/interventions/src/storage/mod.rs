//! Rows and queries of the schema `interventions`: the only place with SQL.

pub(crate) mod alerts;
pub(crate) mod cases;
pub(crate) mod clocks;
pub(crate) mod codes;
pub(crate) mod digests;
mod migrations;
pub(crate) mod policies;
pub(crate) mod reports;
pub(crate) mod tasks;
pub(crate) mod timeline;
pub(crate) mod touches;

pub use migrations::{SCHEMA, migrator};
