//! The surveys service: programmes, invitations, answers, reports, and the page on which customers answer.
//!
//! Data goes one way: [`grpc`] and [`page`] turn messages and forms into the domain's types and call a use case in
//! [`app`]; use cases apply the rules in [`domain`] and read and write through [`storage`]; [`jobs`] does what happens
//! because time passes or because another service said something.

mod app;
mod convert;
pub mod domain;
mod grpc;
mod jobs;
mod page;
mod service;
mod settings;
mod storage;

pub use page::PageServer;
pub use service::{Feeds, SERVICE_NAME, SurveysMain, SurveysParts, SurveysService};
pub use settings::{PageSettings, SurveysSettings};
pub use storage::{SCHEMA, migrator};
