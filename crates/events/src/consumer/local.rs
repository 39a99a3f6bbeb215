//! A source in the consumer's own process.

use futures::StreamExt;
use mainstay_rpc::ApiError;
use tonic::Code;
use uuid::Uuid;

use super::source::{EventSource, SourceBatch, SourceError, SourcePosition, SourceStream};
use crate::cursor::Cursor;
use crate::page::FeedFilter;
use crate::reader::{FeedReader, FeedStart};

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
        let feed = self.reader.feed();
        let position = self.reader.position().await.map_err(|error| source_error(feed, &error.into()))?;
        Ok(SourcePosition {
            feed_id: position.feed_id,
            oldest_offset: position.pruned_through,
            newest_offset: position.last_offset,
        })
    }

    async fn subscribe(
        &self,
        feed_id: Uuid,
        after: i64,
        filter: FeedFilter,
        until_now: bool,
    ) -> Result<SourceStream, SourceError> {
        let feed = self.reader.feed();
        let start = FeedStart::Cursor(Cursor { feed_id, offset: after }.encode(feed));
        let batches =
            self.reader.subscribe(start, filter, until_now).await.map_err(|error| source_error(feed, &error))?;
        Ok(batches
            .map(move |batch| match batch {
                Ok(batch) => Ok(SourceBatch { events: batch.events, through: batch.through }),
                Err(error) => Err(source_error(feed, &error)),
            })
            .boxed())
    }
}

fn source_error(feed: &str, error: &ApiError) -> SourceError {
    SourceError::of(feed, error.code(), error.message())
}

impl SourceError {
    /// The error for a feed's answer. Of the codes that a feed gives, two mean that reading again is of no use.
    pub(super) fn of(feed: &str, code: Code, message: &str) -> Self {
        let feed = feed.to_owned();
        let reason = format!("{code:?}: {message}");
        match code {
            Code::OutOfRange => Self::Expired { feed, reason },
            Code::InvalidArgument => Self::Mismatch { feed, reason },
            _ => Self::Unavailable { feed, reason },
        }
    }
}
