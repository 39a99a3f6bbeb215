//! Messages into the domain's types and back.

pub(crate) mod account;
pub(crate) mod cohort;
pub(crate) mod common;
pub(crate) mod forecast;
pub(crate) mod health;
pub(crate) mod model;
pub(crate) mod renewal;
pub(crate) mod risk_trigger;
pub(crate) mod signal;
pub(crate) mod story_signal;
