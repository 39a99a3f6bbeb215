//! Subscriptions to a feed: where they start, how they are bounded, how they end.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use mainstay_api::mainstay::common::v1::ErrorReason;
use mainstay_rpc::ApiError;
use mainstay_storage::StorageError;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::cursor::Cursor;
use crate::event::Event;
use crate::log::EventLog;
use crate::page::{FeedExtent, FeedFilter, FeedPosition, PageLimit};
use crate::subscription::{FeedStream, Subscription};

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
    /// Wait before the first of them, which tells a reader that it has all there is, and moves it past what its filter hides.
    pub caught_up_after: Duration,
    /// Bounds of one batch.
    pub page: PageLimit,
    /// Batches that may wait for one reader.
    pub batches_buffered_max: usize,
    /// How long a reader may leave that buffer full before it is cut off.
    pub slow_reader_after: Duration,
}

impl Default for FeedSettings {
    /// Polls every 100 ms, caught up after 1 s, heartbeat every 15 s, batches of 500 events, 1 MiB and 20 000 examined offsets, 4 of them
    /// waiting for a reader for at most 30 s.
    fn default() -> Self {
        Self {
            poll_interval: Duration::from_millis(100),
            heartbeat_interval: Duration::from_secs(15),
            caught_up_after: Duration::from_secs(1),
            page: PageLimit { events_max: 500, bytes_max: 1 << 20, examined_max: 20_000 },
            batches_buffered_max: 4,
            slow_reader_after: Duration::from_secs(30),
        }
    }
}

/// Serves subscriptions to one feed. Clones share the one task that looks for news.
#[derive(Debug, Clone)]
pub struct FeedReader {
    log: EventLog,
    pool: PgPool,
    feed: &'static str,
    cancel: CancellationToken,
    settings: FeedSettings,
    poller: Arc<OnceLock<()>>,
}

impl FeedReader {
    /// A reader of the feed with the given name. When `cancel` is cancelled,
    /// subscriptions end with `SHUTTING_DOWN`.
    pub fn new(log: EventLog, pool: PgPool, feed: &'static str, cancel: CancellationToken) -> Self {
        Self { log, pool, feed, cancel, settings: FeedSettings::default(), poller: Arc::default() }
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

    /// Subscriptions that are open in this process, to this log.
    pub fn subscriptions(&self) -> usize {
        self.log.head().receiver_count()
    }

    /// Where the feed stands.
    pub async fn position(&self) -> Result<FeedPosition, StorageError> {
        self.log.position(&self.pool).await
    }

    /// The cursor after the event with an offset.
    pub fn cursor(&self, position: &FeedPosition, offset: i64) -> String {
        Cursor { feed_id: position.feed_id, offset }.encode(self.feed)
    }

    /// Opens a subscription. From [`FeedStart::Now`] it begins with an empty batch, whose cursor
    /// stands for the call. It stays open, with an empty batch as a sign of life
    /// from time to time, unless `until_now`: then it ends when the events that were
    /// committed at the call have been given.
    ///
    /// The stream may end with `RESOURCE_EXHAUSTED` (`SLOW_READER`) or `UNAVAILABLE`
    /// (`SHUTTING_DOWN`), both with the metadata `cursor` to go on from; with
    /// `OUT_OF_RANGE` (`CURSOR_EXPIRED`) when the feed was pruned faster than it was
    /// read; or with an error of the database.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` (`INVALID_CURSOR`); `OUT_OF_RANGE` (`CURSOR_EXPIRED`) with the
    /// metadata `oldest_cursor`; `SHUTTING_DOWN`; an error of the database.
    pub async fn subscribe(
        &self,
        start: FeedStart,
        filter: FeedFilter,
        until_now: bool,
    ) -> Result<FeedStream, ApiError> {
        if self.cancel.is_cancelled() {
            return Err(shutting_down());
        }
        if until_now || start == FeedStart::Now {
            // What is committed but has no offset yet existed at the call, too.
            self.log.drain(&self.pool).await?;
        }
        let extent = self.log.extent(&self.pool).await?;
        self.log.announce(extent.last_offset);
        let begins_with_cursor = start == FeedStart::Now;
        let after = self.first_offset(start, &extent)?;
        self.start_poller();
        let subscription = Subscription {
            log: self.log.clone(),
            pool: self.pool.clone(),
            feed: self.feed,
            feed_id: extent.feed_id,
            cancel: self.cancel.clone(),
            settings: self.settings,
            filter,
            until: until_now.then_some(extent.last_offset),
            begins_with_cursor,
        };
        Ok(subscription.open(after))
    }

    /// The offset after which a subscription starts.
    fn first_offset(&self, start: FeedStart, extent: &FeedExtent) -> Result<i64, ApiError> {
        let text = match start {
            FeedStart::Oldest => return Ok(extent.pruned_through),
            FeedStart::Now => return Ok(extent.last_offset),
            FeedStart::Cursor(text) => text,
        };
        let cursor = Cursor::decode(&text, self.feed)
            .ok_or_else(|| invalid_cursor(format!("the cursor is not one that the feed `{}` gave", self.feed)))?;
        if cursor.feed_id != extent.feed_id {
            return Err(invalid_cursor(format!(
                "the cursor is of an earlier feed `{}`, which was made anew since: start from the oldest event",
                self.feed
            )));
        }
        if cursor.offset > extent.last_offset {
            return Err(invalid_cursor(format!(
                "the cursor is ahead of the feed `{}`, which was set back to an earlier state: start from the oldest event",
                self.feed
            )));
        }
        if cursor.offset < extent.pruned_through {
            return Err(cursor_expired(self.feed, extent));
        }
        Ok(cursor.offset)
    }

    /// Starts, once, the task that looks for events sequenced by other processes.
    fn start_poller(&self) {
        if self.poller.set(()).is_err() {
            return;
        }
        let Self { log, pool, cancel, settings, .. } = self.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = cancel.cancelled() => return,
                    () = tokio::time::sleep(settings.poll_interval) => {}
                }
                if log.head().receiver_count() == 0 {
                    continue;
                }
                match log.extent(&pool).await {
                    Ok(extent) => log.announce(extent.last_offset),
                    Err(error) => {
                        tracing::warn!(error = %error, detail = ?error, "the head of the feed cannot be read");
                    }
                }
            }
        });
    }
}

fn invalid_cursor(message: String) -> ApiError {
    ApiError::common(ErrorReason::InvalidCursor, message)
}

pub(crate) fn cursor_expired(feed: &str, extent: &FeedExtent) -> ApiError {
    let oldest = Cursor { feed_id: extent.feed_id, offset: extent.pruned_through };
    ApiError::common(
        ErrorReason::CursorExpired,
        format!(
            "the feed `{feed}` no longer keeps what follows the cursor; the metadata `oldest_cursor` is where it starts"
        ),
    )
    .with_metadata("oldest_cursor", oldest.encode(feed))
}

pub(crate) fn shutting_down() -> ApiError {
    ApiError::common(
        ErrorReason::ShuttingDown,
        "the server is shutting down: connect again with the last cursor received",
    )
}

pub(crate) fn slow_reader() -> ApiError {
    ApiError::common(
        ErrorReason::SlowReader,
        "the reader took too long to take what was waiting for it: connect again with the metadata `cursor`",
    )
}
