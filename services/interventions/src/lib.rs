//! The interventions service: alerts with clocks, cases with gates, tasks, touches, and the story of each account.
//!
//! Data goes one way: [`grpc`] turns messages into the domain's types and calls
//! a use case in [`app`]; use cases apply the rules in [`domain`] and read and
//! write through [`storage`]; [`jobs`] does what happens because time passes or another service said something.

mod app;
mod convert;
pub mod domain;
mod grpc;
mod jobs;
mod peers;
mod service;
mod settings;
mod storage;

pub use service::{InterventionsMain, InterventionsParts, InterventionsService, Peers, SERVICE_NAME};
pub use settings::InterventionsSettings;
pub use storage::{SCHEMA, migrator};
