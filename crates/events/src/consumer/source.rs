//! Where a consumer's events come from.

use futures::stream::BoxStream;
use uuid::Uuid;

use crate::event::Event;
use crate::page::FeedFilter;

/// Where a feed stands, as a consumer sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourcePosition {
    /// Identity of the feed.
    pub feed_id: Uuid,
    /// Offset before the oldest event kept.
    pub oldest_offset: i64,
    /// Offset of the newest event.
    pub newest_offset: i64,
}

/// Some events, or none as a sign of life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceBatch {
    /// Events in feed order.
    pub events: Vec<Event>,
    /// The last offset examined.
    pub through: i64,
}

/// Why a source cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// It cannot be reached or ended the stream; connecting again may help.
    #[error("the feed `{feed}` cannot be read now: {reason}")]
    Unavailable {
        /// Name of the feed.
        feed: String,
        /// What it said.
        reason: String,
    },
    /// It no longer keeps what the consumer has yet to read. The consumer must be set up anew from a copy of the state; it
    /// never passes over events by itself.
    #[error("the feed `{feed}` has pruned events that were not read yet: {reason}")]
    Expired {
        /// Name of the feed.
        feed: String,
        /// What it said.
        reason: String,
    },
    /// It answers with what this version cannot read, or as another feed than before.
    #[error("the feed `{feed}` is not the one that was read before, or cannot be understood: {reason}")]
    Mismatch {
        /// Name of the feed.
        feed: String,
        /// What does not fit.
        reason: String,
    },
}

/// The batches of a source.
pub type SourceStream = BoxStream<'static, Result<SourceBatch, SourceError>>;

/// A feed that a consumer can read.
#[async_trait::async_trait]
pub trait EventSource: Send + Sync {
    /// Name of the feed.
    fn feed(&self) -> &str;

    /// Where the feed stands.
    async fn position(&self) -> Result<SourcePosition, SourceError>;

    /// Reads on after an offset of the feed with the given identity: without end, or `until_now` up to the newest event
    /// at the call.
    async fn subscribe(
        &self,
        feed_id: Uuid,
        after: i64,
        filter: FeedFilter,
        until_now: bool,
    ) -> Result<SourceStream, SourceError>;
}
