//! A source in the same database as the consumer.

use uuid::Uuid;

use super::source::{EventSource, SourceError, SourcePosition, SourceStream};
use crate::cursor::Cursor;
use crate::page::FeedFilter;
use crate::reader::FeedReader;

/// Reads a log by its [`FeedReader`], without the network.
#[derive(Debug, Clone)]
pub struct LocalSource {
    reader: FeedReader,
}

impl LocalSource {
    /// A source that reads what the reader reads.
    pub fn new(reader: FeedReader) -> Self {
        Self { reader }
    }
}

#[async_trait::async_trait]
impl EventSource for LocalSource {
    fn feed(&self) -> &str {
        self.reader.feed()
    }

    async fn position(&self) -> Result<SourcePosition, SourceError> {
        let position = self.reader.position().await.expect("todo");
        Ok(SourcePosition {
            feed_id: position.feed_id,
            oldest_offset: position.pruned_through,
            newest_offset: position.last_offset,
        })
    }

    async fn subscribe(&self, feed_id: Uuid, after: i64, filter: FeedFilter) -> Result<SourceStream, SourceError> {
        todo!("{} {after} {filter:?}", Cursor { feed_id, offset: after }.encode(self.feed()))
    }
}
