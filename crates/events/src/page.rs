//! What one asks of a feed, and what it answers.

use uuid::Uuid;

use crate::event::Event;

/// What of a feed is wanted. Empty lists: all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeedFilter {
    /// Full names of the payloads' messages.
    pub types: Vec<String>,
    /// Partitions, each 0 to 63.
    pub partitions: Vec<i16>,
}

/// Bounds of one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit {
    /// Most events of a page.
    pub events_max: i64,
    /// Most bytes of payload of a page; a single larger event is a page of its own.
    pub bytes_max: i64,
    /// Most offsets looked at for one page, so that a filter that hides nearly all does not read without bound.
    pub examined_max: i64,
}

/// A page of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPage {
    /// The events, in feed order.
    pub events: Vec<Event>,
    /// The last offset examined: read on after it.
    pub through: i64,
    /// Offset of the newest event when the page was read.
    pub last_offset: i64,
    /// Offset up to which events are pruned. A page asked for after a lower offset is empty.
    pub pruned_through: i64,
}

/// Which offsets a feed keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FeedExtent {
    pub(crate) feed_id: Uuid,
    pub(crate) pruned_through: i64,
    pub(crate) last_offset: i64,
}

/// Where a feed stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedPosition {
    /// Identity of the feed, drawn when its tables were made.
    pub feed_id: Uuid,
    /// Offset up to which events are pruned; the oldest event kept is the next one.
    pub pruned_through: i64,
    /// Offset of the newest event; 0 before the first.
    pub last_offset: i64,
    /// Events that were written but have no offset yet.
    pub outbox_size: i64,
}
