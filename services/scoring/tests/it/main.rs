//! The scoring service through its RPCs, on a real PostgreSQL.

#![expect(clippy::float_cmp, reason = "points are multiples of 1/128, whose sums are exact")]

mod absences;
mod account_archive;
mod account_batches;
mod account_fixtures;
mod accounts;
mod activations;
mod backtest_fixtures;
mod backtest_speed;
mod backtests;
mod cohorts;
mod deadlines;
mod definitions;
mod forecasts;
mod harness;
mod health;
mod health_changes;
mod health_risks;
mod history;
mod housekeeping;
mod inactivity;
mod labels;
mod lifecycle;
mod model_diffs;
mod models;
mod past_days;
mod plan_usage;
mod portfolio;
mod pulses;
mod recompute;
mod refusals;
mod renewal_risks;
mod renewals;
mod risk_fixtures;
mod risk_triggers;
mod segments;
mod signals;
mod stories;
mod story_scores;
mod unstorable_text;
mod use_changes;
mod webhook_lists;
mod webhook_receiver;
mod webhooks;
mod why;
