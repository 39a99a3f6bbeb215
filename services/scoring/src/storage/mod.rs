//! Rows and queries: the only place with SQL, and only of the schema `scoring`.

pub(crate) mod account_news;
pub(crate) mod accounts;
pub(crate) mod arr_history;
pub(crate) mod backtests;
pub(crate) mod billing_records;
pub(crate) mod billing_reports;
pub(crate) mod churn_times;
pub(crate) mod codes;
pub(crate) mod cohorts;
mod customer_filters;
pub(crate) mod data_quality;
pub(crate) mod feature_reports;
pub(crate) mod feature_signals;
pub(crate) mod forecasts;
pub(crate) mod health;
pub(crate) mod health_reports;
pub(crate) mod health_views;
pub(crate) mod labels;
pub(crate) mod metrics;
mod migrations;
pub(crate) mod models;
pub(crate) mod operations;
pub(crate) mod peers;
pub(crate) mod plan_usage;
pub(crate) mod pulses;
pub(crate) mod renewals;
pub(crate) mod risk_triggers;
pub(crate) mod scoring_facts;
pub(crate) mod segments;
pub(crate) mod series;
pub(crate) mod series_deltas;
pub(crate) mod signal_details;
pub(crate) mod signals;
pub(crate) mod stories;
pub(crate) mod tenures;

pub use migrations::{SCHEMA, migrator};
