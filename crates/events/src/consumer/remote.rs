//! A source in another service.

use futures::StreamExt;
use mainstay_api::mainstay::events::v1 as api;
use mainstay_api::mainstay::events::v1::event_feed_service_client::EventFeedServiceClient;
use tonic::Status;
use tonic::body::Body;
use tonic::client::GrpcService;
use uuid::Uuid;

use super::source::{EventSource, SourceBatch, SourceError, SourcePosition, SourceStream};
use crate::cursor::Cursor;
use crate::event::Event;
use crate::page::FeedFilter;

/// Reads the feed of another service over gRPC.
///
/// To its readers a cursor is opaque. Both ends of this connection are this crate, so that this end may look inside: it
/// keeps an offset for each partition and starts where the furthest behind is, which no received cursor need name.
#[derive(Debug, Clone)]
pub struct RemoteSource<C> {
    feed: String,
    client: EventFeedServiceClient<C>,
}

impl<C> RemoteSource<C>
where
    C: GrpcService<Body>,
    C::Error: Into<tonic::codegen::StdError>,
    C::ResponseBody: tonic::codegen::Body<Data = bytes::Bytes> + Send + 'static,
    <C::ResponseBody as tonic::codegen::Body>::Error: Into<tonic::codegen::StdError> + Send,
{
    /// A source that reads the service behind the channel, whose feed has the given name.
    pub fn new(feed: impl Into<String>, channel: C) -> Self {
        Self { feed: feed.into(), client: EventFeedServiceClient::new(channel) }
    }
}

#[async_trait::async_trait]
impl<C> EventSource for RemoteSource<C>
where
    C: GrpcService<Body, Future: Send> + Clone + Send + Sync + 'static,
    C::Error: Into<tonic::codegen::StdError>,
    C::ResponseBody: tonic::codegen::Body<Data = bytes::Bytes> + Send + 'static,
    <C::ResponseBody as tonic::codegen::Body>::Error: Into<tonic::codegen::StdError> + Send,
{
    fn feed(&self) -> &str {
        &self.feed
    }

    async fn position(&self) -> Result<SourcePosition, SourceError> {
        let answer = self.client.clone().get_feed_position(api::GetFeedPositionRequest {}).await;
        let position = answer.map_err(|status| source_error(&self.feed, &status))?.into_inner();
        let oldest = read_cursor(&self.feed, &position.oldest_cursor)?;
        Ok(SourcePosition {
            feed_id: oldest.feed_id,
            oldest_offset: oldest.offset,
            newest_offset: position.newest_offset,
        })
    }

    async fn subscribe(
        &self,
        feed_id: Uuid,
        after: i64,
        filter: FeedFilter,
        until_now: bool,
    ) -> Result<SourceStream, SourceError> {
        let request = api::SubscribeRequest {
            cursor: Cursor { feed_id, offset: after }.encode(&self.feed),
            types: filter.types,
            partitions: filter.partitions.into_iter().map(i32::from).collect(),
            until_now,
        };
        let answer = self.client.clone().subscribe(request).await;
        let responses = answer.map_err(|status| source_error(&self.feed, &status))?.into_inner();
        let feed = self.feed.clone();
        Ok(responses
            .map(move |response| match response {
                Ok(response) => batch_of(&feed, response),
                Err(status) => Err(source_error(&feed, &status)),
            })
            .boxed())
    }
}

fn batch_of(feed: &str, response: api::SubscribeResponse) -> Result<SourceBatch, SourceError> {
    let through = read_cursor(feed, &response.cursor)?.offset;
    let events: Result<Vec<Event>, _> = response.events.into_iter().map(Event::try_from).collect();
    let events = events.map_err(|error| SourceError::Mismatch { feed: feed.to_owned(), reason: error.to_string() })?;
    Ok(SourceBatch { events, through })
}

fn read_cursor(feed: &str, text: &str) -> Result<Cursor, SourceError> {
    Cursor::decode(text, feed).ok_or_else(|| SourceError::Mismatch {
        feed: feed.to_owned(),
        reason: "its cursors are those of a feed of another name, or of a newer version".to_owned(),
    })
}

fn source_error(feed: &str, status: &Status) -> SourceError {
    SourceError::of(feed, status.code(), status.message())
}
