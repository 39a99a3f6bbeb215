//! The scoring service through its RPCs, on a real PostgreSQL.

#![expect(clippy::float_cmp, reason = "points are multiples of 1/128, whose sums are exact")]

mod account_archive;
mod account_batches;
mod account_fixtures;
mod accounts;
mod cohorts;
mod deadlines;
mod forecasts;
mod harness;
mod health;
mod health_changes;
mod health_risks;
mod history;
mod housekeeping;
mod inactivity;
mod lifecycle;
mod models;
mod past_days;
mod plan_usage;
mod portfolio;
mod pulses;
mod recompute;
mod refusals;
mod renewals;
mod risk_fixtures;
mod risk_triggers;
mod segments;
mod signals;
mod stories;
mod unstorable_text;
