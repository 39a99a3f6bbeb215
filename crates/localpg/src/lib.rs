//! A private PostgreSQL server for the demo and the tests.
//!
//! [`LocalPg`] finds the machine's PostgreSQL (14 or newer), runs a server of its own on 127.0.0.1 with a password that
//! only its folder knows, and never touches a server that it did not start. Works on Linux and macOS.
//!
//! What holds:
//! * No server outlives its owner: a supervisor stops it even when the owner was killed (`kill -9`), and removes a
//!   temporary folder. Only a kill of the supervisor and the owner together leaves a server behind.
//! * A kept folder is used by one server at a time, and is only ever one that this crate made.
//! * Root's servers run as `postgres` or `nobody`, for PostgreSQL refuses to run as root.

mod error;
#[cfg(feature = "fetch")]
mod fetch;
mod folder;
mod locate;
mod process;
mod server;
mod supervisor;
mod user;

pub use error::LocalPgError;
pub use server::{LocalPg, LocalPgOptions};
