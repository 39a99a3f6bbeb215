//! The server as its callers and its operator meet it.

mod admin;
mod authentication;
mod command_line;
mod connections;
mod encryption;
mod errors_doc;
mod failures;
mod feed;
mod limits;
mod shutdown;
mod signals;
mod start;
mod tracing_and_ids;
