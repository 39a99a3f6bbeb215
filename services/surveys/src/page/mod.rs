//! The answer page: what customers see, over HTTP on a port of its own.
//!
//! * A link is all that it takes, and says nothing of who it is for. `GET` shows and never writes, so that whoever follows
//!   links to look for evil in them answers nothing; `POST` writes, once.
//! * It works without JavaScript, which it forbids, and by keyboard; it loads nothing from elsewhere.
//! * Each request is bounded: its size, its time, how many at once, how many from one address. What is not signed by us is
//!   refused before the database is asked.

mod html;
mod rate_limit;
mod routes;
mod server;

pub use server::PageServer;
