//! How a consumer works.

use std::time::Duration;

/// Where a consumer starts that has never run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConsumerStart {
    /// With the oldest event that the feed keeps.
    #[default]
    Oldest,
    /// With the first event after its start.
    Now,
}

/// How a [`crate::Consumer`] works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerSettings {
    /// Where it starts when it has never run.
    pub start: ConsumerStart,
    /// Full names of the payloads' messages that it wants. Empty: all.
    pub types: Vec<String>,
    /// Partitions worked on at the same time, each with a connection of the pool.
    pub concurrency: usize,
    /// Attempts at an event before it is parked.
    pub attempts_max: i32,
    /// Wait before the second attempt at an event; it doubles with each. Also the first wait before the feed
    /// is tried again.
    pub retry_base: Duration,
    /// Longest wait between two attempts at an event.
    pub retry_max: Duration,
    /// How long a replica that says nothing counts as alive; each says so three times as often.
    pub lease: Duration,
    /// How long the feed may say nothing before the connection counts as lost; longer than its signs of life.
    pub silence_max: Duration,
}

impl Default for ConsumerSettings {
    /// From the oldest event, all types, 4 partitions at a time, 10 attempts from 200 ms to 60 s (two minutes or so in
    /// all), leases of 15 s, a connection is lost after 50 s
    /// without a sign of life.
    fn default() -> Self {
        Self {
            start: ConsumerStart::Oldest,
            types: Vec::new(),
            concurrency: 4,
            attempts_max: 10,
            retry_base: Duration::from_millis(200),
            retry_max: Duration::from_mins(1),
            lease: Duration::from_secs(15),
            silence_max: Duration::from_secs(50),
        }
    }
}
