//! Due work against a real PostgreSQL.

mod coalescing;
mod dead_letters;
mod fixture;
mod model;
mod replicas;
mod runner;
mod traces;
