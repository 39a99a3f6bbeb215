//! The scoring service: accounts, signals, health models, health and why it is so.
//!
//! Data goes one way: [`grpc`] turns messages into the domain's types and calls
//! a use case in [`app`]; use cases apply the rules in [`domain`] and read and
//! write through [`storage`]; [`jobs`] does what happens because time passes, and
//! [`webhooks`] takes in what vendors send.

mod app;
mod convert;
pub mod domain;
mod grpc;
mod jobs;
mod service;
mod settings;
mod storage;
mod webhooks;

pub use convert::model::{model_draft, model_message};
pub use service::{Feeds, SERVICE_NAME, ScoringMain, ScoringParts, ScoringService};
pub use settings::{ScoringSettings, WebhookSettings};
pub use storage::{SCHEMA, migrator};
