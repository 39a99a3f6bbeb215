//! Subscriptions to a feed.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use mainstay_rpc::ApiError;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::event::Event;
use crate::log::EventLog;
use crate::page::{FeedFilter, FeedPosition, PageLimit};

/// Where a subscription starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedStart {
    /// With the oldest event kept.
    Oldest,
    /// With the first event after the call.
    Now,
    /// After the given cursor.
    Cursor(String),
}

/// Some events, or none as a sign of life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedBatch {
    /// Events in feed order.
    pub events: Vec<Event>,
    /// Cursor to go on from after these events.
    pub cursor: String,
    /// The last offset examined, which the cursor stands for.
    pub through: i64,
}

/// How subscriptions are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedSettings {
    /// Wait between two looks at the head of the feed; one look for all subscribers of the process.
    pub poll_interval: Duration,
    /// Wait between two signs of life while there is nothing to say.
    pub heartbeat_interval: Duration,
    /// Bounds of one batch.
    pub page: PageLimit,
    /// Batches that may wait for one reader.
    pub batches_buffered_max: usize,
    /// How long a reader may leave that buffer full before it is cut off.
    pub slow_reader_after: Duration,
}

impl Default for FeedSettings {
    /// Polls every 100 ms, heartbeat every 15 s, batches of 500 events, 1 MiB and 20 000 examined offsets, 4 of them
    /// waiting for a reader for at most 30 s.
    fn default() -> Self {
        Self {
            poll_interval: Duration::from_millis(100),
            heartbeat_interval: Duration::from_secs(15),
            page: PageLimit { events_max: 500, bytes_max: 1 << 20, examined_max: 20_000 },
            batches_buffered_max: 4,
            slow_reader_after: Duration::from_secs(30),
        }
    }
}

/// Serves subscriptions to one feed.
#[derive(Debug, Clone)]
pub struct FeedReader {
    log: EventLog,
    pool: PgPool,
    feed: &'static str,
    cancel: CancellationToken,
    settings: FeedSettings,
}

impl FeedReader {
    /// A reader of the feed with the given name. When `cancel` is cancelled,
    /// subscriptions end with `SHUTTING_DOWN`.
    pub fn new(log: EventLog, pool: PgPool, feed: &'static str, cancel: CancellationToken) -> Self {
        Self { log, pool, feed, cancel, settings: FeedSettings::default() }
    }

    /// The same with other settings.
    #[must_use]
    pub fn with_settings(self, settings: FeedSettings) -> Self {
        Self { settings, ..self }
    }

    /// Name of the feed.
    pub fn feed(&self) -> &'static str {
        self.feed
    }

    /// Where the feed stands, and its oldest and newest cursor.
    pub async fn position(&self) -> Result<(FeedPosition, String, String), ApiError> {
        todo!("{:?}", self.log)
    }

    /// Opens a subscription.
    pub async fn subscribe(
        &self,
        start: FeedStart,
        filter: FeedFilter,
        until_now: bool,
    ) -> Result<FeedStream, ApiError> {
        todo!("{start:?} {filter:?} {until_now} {:?} {} {:?} {:?}", self.pool, self.feed, self.cancel, self.settings)
    }
}

/// The batches of a subscription. Ends after an error, or after the last batch with `until_now`.
#[derive(Debug)]
pub struct FeedStream {}

impl Stream for FeedStream {
    type Item = Result<FeedBatch, ApiError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        todo!("{context:?}")
    }
}
