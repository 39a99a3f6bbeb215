//! The event log against a real PostgreSQL: tests that try to break it.

mod catching_up;
mod consumer;
mod fixture;
mod handler;
mod log;
mod parking;
mod reader;
mod remote;
mod replicas;
mod sequencing;
