//! The server as its callers and its operator meet it.

mod admin;
mod connections;
mod failures;
mod feed;
mod limits;
mod shutdown;
mod start;
mod tracing_and_ids;
