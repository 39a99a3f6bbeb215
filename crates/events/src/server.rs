//! `EventFeedService` over gRPC.

use futures::StreamExt;
use futures::stream::BoxStream;
use mainstay_api::mainstay::events::v1 as api;
use mainstay_api::mainstay::events::v1::event_feed_service_server::{EventFeedService, EventFeedServiceServer};
use mainstay_domain::{PARTITION_COUNT, Violations};
use mainstay_rpc::ApiError;
use tonic::{Request, Response, Status};

use crate::event::Event;
use crate::page::FeedFilter;
use crate::reader::{FeedBatch, FeedReader, FeedStart};

/// Serves a feed to other services, sales tooling and warehouses.
#[derive(Debug, Clone)]
pub struct EventFeedServer {
    reader: FeedReader,
}

impl EventFeedServer {
    /// Serves what the reader reads.
    pub fn new(reader: FeedReader) -> Self {
        Self { reader }
    }

    /// As a service to be added to a server.
    pub fn into_service(self) -> EventFeedServiceServer<Self> {
        EventFeedServiceServer::new(self)
    }
}

#[async_trait::async_trait]
impl EventFeedService for EventFeedServer {
    type SubscribeStream = BoxStream<'static, Result<api::SubscribeResponse, Status>>;

    async fn subscribe(
        &self,
        request: Request<api::SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let request = request.into_inner();
        let filter = filter_of(&request)?;
        let start = match request.cursor {
            cursor if cursor.is_empty() => FeedStart::Oldest,
            cursor => FeedStart::Cursor(cursor),
        };
        let batches = self.reader.subscribe(start, filter, request.until_now).await?;
        Ok(Response::new(batches.map(|batch| Ok(response_of(batch?))).boxed()))
    }

    async fn get_feed_position(
        &self,
        _request: Request<api::GetFeedPositionRequest>,
    ) -> Result<Response<api::FeedPosition>, Status> {
        let position = self.reader.position().await.map_err(ApiError::from)?;
        Ok(Response::new(api::FeedPosition {
            oldest_cursor: self.reader.cursor(&position, position.pruned_through),
            newest_cursor: self.reader.cursor(&position, position.last_offset),
            newest_offset: position.last_offset,
            outbox_size: position.outbox_size,
        }))
    }
}

/// Most types in a filter.
const TYPES_MAX: usize = 200;

/// Most characters in the name of a type; ours have less than half of it.
const TYPE_LENGTH_MAX: usize = 200;

fn filter_of(request: &api::SubscribeRequest) -> Result<FeedFilter, ApiError> {
    let mut violations = Violations::new();
    if request.types.len() > TYPES_MAX {
        violations.add("types", format!("at most {TYPES_MAX} types, not {}", request.types.len()));
    }
    for (index, event_type) in request.types.iter().enumerate().take(TYPES_MAX) {
        if !is_type_name(event_type) {
            violations.add(
                format!("types[{index}]"),
                format!(
                    "the full name of a message, for example `mainstay.scoring.v1.HealthChanged`: letters, digits, `_` and `.`, at most {TYPE_LENGTH_MAX}"
                ),
            );
        }
    }
    let mut partitions = Vec::new();
    for (index, given) in request.partitions.iter().enumerate() {
        match i16::try_from(*given) {
            Ok(partition) if (0..PARTITION_COUNT).contains(&partition) => partitions.push(partition),
            _ => violations.add(format!("partitions[{index}]"), format!("0 to {}, not {given}", PARTITION_COUNT - 1)),
        }
    }
    partitions.sort_unstable();
    partitions.dedup();
    if violations.is_empty() {
        Ok(FeedFilter { types: request.types.clone(), partitions })
    } else {
        Err(ApiError::invalid(violations))
    }
}

fn is_type_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
    (1..=TYPE_LENGTH_MAX).contains(&text.len()) && text.bytes().all(is_part)
}

fn response_of(batch: FeedBatch) -> api::SubscribeResponse {
    api::SubscribeResponse {
        events: batch.events.into_iter().map(|event: Event| event.into()).collect(),
        cursor: batch.cursor,
    }
}
