//! Messages into the domain's types and back.

pub(crate) mod account;
pub(crate) mod account_card;
pub(crate) mod adoption;
pub(crate) mod backtest;
pub(crate) mod cohort;
pub(crate) mod common;
pub(crate) mod definition;
pub(crate) mod feature_request_report;
pub(crate) mod forecast;
pub(crate) mod health;
pub(crate) mod investment_comparison;
pub(crate) mod label;
pub(crate) mod model;
pub(crate) mod model_diff;
mod product;
pub(crate) mod renewal;
pub(crate) mod report;
pub(crate) mod retention_comparison;
pub(crate) mod revenue_report;
pub(crate) mod risk_trigger;
pub(crate) mod service_report;
pub(crate) mod signal;
pub(crate) mod story_signal;
pub(crate) mod told;
pub(crate) mod touchpoint;
mod voice;
mod why;
