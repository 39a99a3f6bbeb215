//! The scoring service: accounts, signals, models, health.

pub mod domain;
