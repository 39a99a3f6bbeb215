//! The scoring service through its RPCs, on a real PostgreSQL.

mod account_batches;
mod account_fixtures;
mod accounts;
mod harness;
mod health;
mod models;
mod recompute;
mod refusals;
mod signals;
