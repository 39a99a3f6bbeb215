//! A source in another service.

use mainstay_api::mainstay::events::v1::event_feed_service_client::EventFeedServiceClient;
use tonic::transport::Channel;
use uuid::Uuid;

use super::source::{EventSource, SourceError, SourcePosition, SourceStream};
use crate::page::FeedFilter;

/// Reads the feed of another service over gRPC.
#[derive(Debug, Clone)]
pub struct RemoteSource {
    feed: String,
    client: EventFeedServiceClient<Channel>,
}

impl RemoteSource {
    /// A source that reads the service behind the channel, whose feed has the given name.
    pub fn new(feed: impl Into<String>, channel: Channel) -> Self {
        Self { feed: feed.into(), client: EventFeedServiceClient::new(channel) }
    }
}

#[async_trait::async_trait]
impl EventSource for RemoteSource {
    fn feed(&self) -> &str {
        &self.feed
    }

    async fn position(&self) -> Result<SourcePosition, SourceError> {
        todo!("{:?}", self.client)
    }

    async fn subscribe(&self, feed_id: Uuid, after: i64, filter: FeedFilter) -> Result<SourceStream, SourceError> {
        todo!("{feed_id} {after} {filter:?}")
    }
}
