//! The scoring service through its RPCs, on a real PostgreSQL.

#![expect(clippy::float_cmp, reason = "points are multiples of 1/128, whose sums are exact")]

mod account_batches;
mod account_fixtures;
mod accounts;
mod deadlines;
mod harness;
mod health;
mod housekeeping;
mod models;
mod recompute;
mod refusals;
mod signals;
