//! The event log: outbox, sequencer, feed, consumer.

mod consumer;
mod cursor;
mod event;
mod log;
mod page;
mod reader;
mod sequencer;
mod server;
mod subscription;

use mainstay_storage::{Migration, MigrationSet};

pub use consumer::{
    Consumer, ConsumerSettings, ConsumerStart, EventHandler, EventSource, HandlerError, LocalSource, ParkedEvent,
    ParkedEvents, RemoteSource, SourceBatch, SourceError, SourcePosition, SourceStream,
};
pub use event::{Event, MalformedEvent, NewEvent, PayloadError};
pub use log::{EventLog, Gap};
pub use page::{FeedFilter, FeedPage, FeedPosition, PageLimit};
pub use reader::{FeedBatch, FeedReader, FeedSettings, FeedStart};
pub use sequencer::{Sequencer, SequencerSettings};
pub use server::EventFeedServer;
pub use subscription::FeedStream;

/// Tables of the log and of consumers: `outbox`, `feed`, `feed_head`,
/// `consumer_offsets`, `consumer_replicas`, `consumer_parked`.
pub const MIGRATIONS: MigrationSet = MigrationSet {
    component: "events",
    migrations: &[
        Migration { version: 1, name: "log", sql: include_str!("../migrations/0001_log.sql"), transactional: true },
        Migration {
            version: 2,
            name: "consumers",
            sql: include_str!("../migrations/0002_consumers.sql"),
            transactional: true,
        },
    ],
};
