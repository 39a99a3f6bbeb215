//! The event log: events are appended in the transaction that makes them true, get an offset, and are read in its order.
//!
//! ```text
//! use case ── append ──▶ outbox ── Sequencer ──▶ feed ── FeedReader ──▶ EventFeedServer ──▶ other services, sales tooling
//! (in its transaction)                                        └───────▶ LocalSource ──▶ Consumer ──▶ effect + offset
//! ```
//!
//! This crate owns the tables of [`MIGRATIONS`] in the schema of each service. What holds:
//!
//! * **Nothing is lost.** From the commit that made it true until it is pruned, an event is in `outbox` or in `feed`.
//! * **Nothing is reordered within an account.** A writer locks the account's row before it appends. So an account's
//!   events are committed in the order of `outbox.sequence`, any snapshot sees a beginning of them, and the sequencer,
//!   which takes the lowest it sees, places a beginning of them. Between accounts, the order is that of becoming visible.
//! * **Offsets have no gap.** They are given by whoever holds the row of `feed_head`, in the transaction that moves its
//!   `last_offset`. `feed` holds exactly the offsets above `pruned_through`, up to `last_offset`. So a reader that stands
//!   at an offset has read all before it, and a gap is proof of a bug. This finds one ([`EventLog::find_gap`] also looks
//!   at both ends):
//!
//!   ```sql
//!   SELECT * FROM (SELECT feed_offset, lead(feed_offset) OVER (ORDER BY feed_offset) AS next FROM scoring.feed) AS pairs
//!   WHERE next <> feed_offset + 1;
//!   ```
//! * **A transaction that stays open delays its own events only.**
//! * **Each event takes effect once** in a [`Consumer`]'s database: its offset moves in the transaction of the effect.
//!
//! Waiting readers are woken within the process by the sequencer, and across processes by polling one row; there is no
//! `LISTEN`, which a transaction pooler would break. Retention is [`EventLog::prune`], called by the service with the
//! time of its clock. `docs/adr/0003-event-log.md` has the reasons and the numbers.

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
    CatchUpError, Consumer, ConsumerProgress, ConsumerSettings, ConsumerStart, EventHandler, EventSource, HandlerError,
    LocalSource, ParkedEvent, ParkedEvents, RemoteSource, SourceBatch, SourceError, SourcePosition, SourceStream,
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
