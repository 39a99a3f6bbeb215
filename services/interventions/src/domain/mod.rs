//! The service's own words and rules: alerts, clocks, policies, cases, tasks, touches. Pure.

pub mod alert;
pub mod billing_digest;
pub mod case;
pub mod clock;
pub mod default_policies;
pub mod owners;
pub mod policy;
pub mod priority;
pub mod report;
pub mod task;
pub mod timeline;
pub mod touch;
