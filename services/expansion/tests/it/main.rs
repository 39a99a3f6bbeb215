//! The expansion service through its RPCs and the feeds of other services, on a real PostgreSQL.

mod accounts;
mod catalog;
mod harness;
mod holds;
mod lists;
mod opportunities;
mod qualification;
mod refusals;
mod replicas;
mod reports;
mod reviews;
