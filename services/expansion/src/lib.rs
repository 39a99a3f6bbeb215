//! The expansion service: plans, monthly reviews that find who is ready to grow, opportunities and their reports.
//!
//! Data goes one way: `grpc` turns messages into the domain's types and calls
//! a use case in `app`; use cases apply the rules in [`domain`] and read and
//! write through `storage`; `jobs` does what happens because time passes, or because another service said something.

mod app;
mod convert;
pub mod domain;
mod grpc;
mod jobs;
mod service;
mod settings;
mod storage;

pub use service::{ExpansionMain, ExpansionParts, ExpansionService, Feeds, SERVICE_NAME};
pub use settings::ExpansionSettings;
pub use storage::{SCHEMA, migrator};
