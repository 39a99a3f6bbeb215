//! The feed over gRPC, and a consumer of another service's feed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use mainstay_api::mainstay::events::v1 as api;
use mainstay_api::mainstay::events::v1::event_feed_service_client::EventFeedServiceClient;
use mainstay_events::{Consumer, Event, EventFeedServer, FeedReader, RemoteSource};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic::transport::{Channel, Endpoint, Server};
use tonic_types::StatusExt;

use crate::fixture::{FEED, Fixture, SCHEMA, quick, within_deadline};
use crate::handler::{Recorder, Then, quick_settings};

/// Serves the fixture's feed until `cancel`.
async fn serve(fixture: &Fixture, address: SocketAddr, cancel: CancellationToken) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind(address).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let reader =
        FeedReader::new(fixture.log.clone(), fixture.pool().clone(), FEED, cancel.clone()).with_settings(quick());
    let service = EventFeedServer::new(reader).into_service();
    let task = tokio::spawn(async move {
        Server::builder()
            .add_service(service)
            .serve_with_incoming_shutdown(TcpListenerStream::new(listener), cancel.cancelled())
            .await
            .expect("a server");
    });
    (address, task)
}

fn channel(address: SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{address}")).expect("an address").connect_lazy()
}

fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

#[tokio::test]
async fn the_feed_is_read_over_the_wire() {
    let fixture = Fixture::new().await;
    fixture.write(&["a", "b", "a"]).await;
    let (address, _server) = serve(&fixture, any_port(), fixture.cancel.clone()).await;
    let mut client = EventFeedServiceClient::new(channel(address));

    let position = client.get_feed_position(api::GetFeedPositionRequest {}).await.expect("a position").into_inner();
    assert_eq!((position.newest_offset, position.outbox_size), (3, 0));
    let request = api::SubscribeRequest { until_now: true, ..Default::default() };
    let responses: Vec<api::SubscribeResponse> = client
        .subscribe(request.clone())
        .await
        .expect("a stream")
        .into_inner()
        .map(|response| response.expect("a response"))
        .collect()
        .await;
    let events: Vec<&api::Event> = responses.iter().flat_map(|response| &response.events).collect();
    let summary: Vec<(&str, &str, i64)> =
        events.iter().map(|event| (event.account.as_str(), event.r#type.as_str(), event.offset)).collect();
    let sample = "mainstay.events.v1.FeedPosition";
    assert_eq!(summary, [("accounts/a", sample, 1), ("accounts/b", sample, 2), ("accounts/a", sample, 3)]);
    assert_eq!(events[0].payload.as_ref().expect("a payload").type_url, format!("type.googleapis.com/{sample}"));
    assert!(events.iter().all(|event| Event::try_from((*event).clone()).is_ok()));
    assert_eq!(responses.last().expect("one").cursor, position.newest_cursor);
    let from_oldest = api::SubscribeRequest { cursor: position.oldest_cursor, ..request.clone() };
    let again: Vec<_> = client.subscribe(from_oldest).await.expect("a stream").into_inner().collect().await;
    assert_eq!(again.len(), responses.len());

    let types = vec![String::new(), sample.to_owned(), "a\0b".to_owned(), "a b".to_owned(), "a".repeat(201)];
    let faulty = api::SubscribeRequest { types, partitions: vec![0, 64, -1], ..request.clone() };
    let status = client.subscribe(faulty).await.expect_err("refused");
    let fields: Vec<String> = status
        .get_details_bad_request()
        .expect("the fields")
        .field_violations
        .into_iter()
        .map(|violation| violation.field)
        .collect();
    assert_eq!(fields, ["types[0]", "types[2]", "types[3]", "types[4]", "partitions[1]", "partitions[2]"]);
    let status = client
        .subscribe(api::SubscribeRequest { cursor: "no cursor".to_owned(), ..request })
        .await
        .expect_err("refused");
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(status.get_details_error_info().expect("info").reason, "INVALID_CURSOR");
}

#[tokio::test]
async fn a_remote_consumer_goes_on_after_the_service_restarts() {
    let fixture = Fixture::new().await;
    fixture.write(&["a", "b"]).await;
    let first_life = CancellationToken::new();
    let (address, server) = serve(&fixture, any_port(), first_life.clone()).await;

    let source = Arc::new(RemoteSource::new(FEED, channel(address)));
    let handler = Arc::new(Recorder(|_: &Event| Then::Return));
    let consumer =
        Consumer::new("recorder", source, handler, fixture.other_pool(4), &SCHEMA).with_settings(quick_settings());
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let consuming = tokio::spawn(async move { consumer.run(stopped).await });
    fixture.until_effects(2).await;

    first_life.cancel();
    within_deadline("end of the server", server).await.expect("no panic");
    fixture.write(&["a", "c"]).await;
    let (_, _server) = serve(&fixture, address, fixture.cancel.clone()).await;
    fixture.until_effects(4).await;
    fixture.write(&["b"]).await;
    fixture.until_effects(5).await;
    stop.cancel();
    within_deadline("end of the consumer", consuming).await.expect("no panic");
    assert_eq!(fixture.effect_count().await, 5);
}

#[tokio::test]
async fn a_feed_of_another_name_is_not_consumed() {
    let fixture = Fixture::new().await;
    let (address, _server) = serve(&fixture, any_port(), fixture.cancel.clone()).await;
    let source = RemoteSource::new("other", channel(address));
    let source: &dyn mainstay_events::EventSource = &source;
    let refused = tokio::time::timeout(Duration::from_secs(10), source.position()).await.expect("an answer");
    assert!(matches!(refused, Err(mainstay_events::SourceError::Mismatch { .. })), "{refused:?}");
}
