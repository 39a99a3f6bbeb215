//! An event feed that does what a test tells it to, and servers of it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures::stream::{self, Stream, StreamExt};
use mainstay_api::mainstay::common::v1::ErrorReason;
use mainstay_api::mainstay::events::v1::event_feed_service_client::EventFeedServiceClient;
use mainstay_api::mainstay::events::v1::event_feed_service_server::{EventFeedService, EventFeedServiceServer};
use mainstay_api::mainstay::events::v1::{FeedPosition, GetFeedPositionRequest, SubscribeRequest, SubscribeResponse};
use mainstay_domain::SystemClock;
use mainstay_rpc::{ApiError, RpcSettings, Server, ServerBuilder};
use mainstay_telemetry::{TelemetrySettings, propagation};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt};

pub(crate) const SUBSCRIBE: &str = "/mainstay.events.v1.EventFeedService/Subscribe";

pub(crate) type Client = EventFeedServiceClient<Channel>;

/// What the fake does when it is called.
#[derive(Debug, Clone, Default)]
pub(crate) enum Behaviour {
    /// Answers with the caller, the request's id and the trace in the position's texts.
    #[default]
    Answer,
    /// Waits until it is released.
    Wait,
    /// Panics; a stream after its first message.
    Panic,
    /// Answers with this many bytes; a stream in its second message.
    Big(usize),
    /// Fails with this status; a stream after its first message.
    Fail(Status),
    /// A stream that goes on whatever happens.
    Rude,
}

#[derive(Debug)]
pub(crate) struct Fake {
    behaviour: Mutex<Behaviour>,
    /// Gets a permit whenever a waiting call has begun.
    pub(crate) entered: Semaphore,
    /// Lets one waiting call go on.
    pub(crate) release: Notify,
    streams_cancelled: CancellationToken,
}

impl Fake {
    pub(crate) fn behave(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap_or_else(PoisonError::into_inner) = behaviour;
    }

    fn behaviour(&self) -> Behaviour {
        self.behaviour.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until a call waits in the fake.
    pub(crate) async fn has_entered(&self) {
        self.entered.acquire().await.expect("it is never closed").forget();
    }
}

/// What the generated server holds.
#[derive(Debug, Clone)]
struct Service(Arc<Fake>);

#[tonic::async_trait]
impl EventFeedService for Service {
    type SubscribeStream = Pin<Box<dyn Stream<Item = Result<SubscribeResponse, Status>> + Send>>;

    async fn subscribe(&self, request: Request<SubscribeRequest>) -> Result<Response<Self::SubscribeStream>, Status> {
        let cursor = request.into_inner().cursor;
        let first = stream::iter([Ok(SubscribeResponse { cursor, ..SubscribeResponse::default() })]);
        let cancelled = self.0.streams_cancelled.clone();
        let rest: Self::SubscribeStream = match self.0.behaviour() {
            Behaviour::Answer => Box::pin(stream::once(async move {
                cancelled.cancelled().await;
                Err(ApiError::common(ErrorReason::ShuttingDown, "connect again with the last cursor").into())
            })),
            Behaviour::Panic => Box::pin(stream::once(async {
                // Tonic sends what it has when there is nothing more at the moment.
                tokio::task::yield_now().await;
                panic!("the stream's own panic")
            })),
            Behaviour::Big(bytes) => Box::pin(stream::iter([Ok(SubscribeResponse {
                cursor: "x".repeat(bytes),
                ..SubscribeResponse::default()
            })])),
            Behaviour::Fail(status) => Box::pin(stream::iter([Err(status)])),
            Behaviour::Wait | Behaviour::Rude => Box::pin(stream::pending()),
        };
        Ok(Response::new(Box::pin(first.chain(rest))))
    }

    async fn get_feed_position(
        &self,
        request: Request<GetFeedPositionRequest>,
    ) -> Result<Response<FeedPosition>, Status> {
        match self.0.behaviour() {
            Behaviour::Panic => panic!("the handler's own panic"),
            Behaviour::Fail(status) => return Err(status),
            Behaviour::Big(bytes) => {
                let position = FeedPosition { newest_cursor: "x".repeat(bytes), ..FeedPosition::default() };
                return Ok(Response::new(position));
            }
            Behaviour::Wait => {
                self.0.entered.add_permits(1);
                self.0.release.notified().await;
            }
            Behaviour::Answer | Behaviour::Rude => {}
        }
        let id = mainstay_rpc::request_id_of(&request).map(|id| id.as_str().to_owned()).unwrap_or_default();
        Ok(Response::new(FeedPosition {
            oldest_cursor: format!("{} {id}", mainstay_rpc::caller(&request).identity),
            newest_cursor: propagation::current_traceparent().unwrap_or_default(),
            newest_offset: 0,
            outbox_size: 0,
        }))
    }
}

/// A builder of a server of the fake.
pub(crate) fn builder(settings: &RpcSettings) -> (ServerBuilder, Arc<Fake>) {
    // Before the first span, as in a service's binary: spans met while a subscriber is installed can stay off.
    mainstay_telemetry::start(TelemetrySettings { log_filter: "off".to_owned(), ..TelemetrySettings::named("test") })
        .expect("it starts");
    let builder = ServerBuilder::new("test", settings.clone(), Arc::new(SystemClock));
    let fake = Arc::new(Fake {
        behaviour: Mutex::default(),
        entered: Semaphore::new(0),
        release: Notify::new(),
        streams_cancelled: builder.streams_cancelled(),
    });
    let service = mainstay_rpc::limited!(EventFeedServiceServer::new(Service(fake.clone())), &settings.limits);
    (builder.add_service(service), fake)
}

/// A server of the fake, whose subscriptions are open-ended.
pub(crate) async fn server(settings: &RpcSettings) -> (Server, Arc<Fake>) {
    let (builder, fake) = builder(settings);
    (builder.open_ended(&[SUBSCRIBE]).complete().await.expect("it is complete"), fake)
}

/// The fake with a client, in memory.
pub(crate) async fn in_memory(settings: &RpcSettings) -> (Client, Arc<Fake>) {
    let (server, fake) = server(settings).await;
    (Client::new(server.in_memory_channel()), fake)
}

/// The fake with a client, in memory, with the default limits.
pub(crate) async fn with_defaults() -> (Client, Arc<Fake>) {
    in_memory(&RpcSettings::loopback()).await
}

/// The reason and the other details of a failure, which it must have.
pub(crate) fn reason_of(status: &Status) -> (String, ErrorDetails) {
    let details = status.get_error_details();
    let info = details.error_info().unwrap_or_else(|| panic!("no ErrorInfo in {status:?}"));
    assert_eq!(info.domain, "mainstay");
    (info.reason.clone(), details)
}
