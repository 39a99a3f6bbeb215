//! What one call and all together may take.

use std::time::Duration;

use mainstay_api::mainstay::events::v1::{GetFeedPositionRequest, SubscribeRequest};
use mainstay_rpc::RpcSettings;
use tonic::codec::CompressionEncoding;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::feed::{self, Behaviour, reason_of};

const MESSAGE_BYTES_MAX: usize = 4096;

fn small_messages() -> RpcSettings {
    let mut settings = RpcSettings::loopback();
    settings.limits.message_bytes_max = MESSAGE_BYTES_MAX;
    settings
}

fn assert_too_large(status: &Status) {
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    assert_eq!(reason_of(status).0, "MESSAGE_TOO_LARGE");
}

#[tokio::test]
async fn a_request_that_is_too_large_is_refused_with_its_reason() {
    let (mut client, _fake) = feed::in_memory(&small_messages()).await;
    let request = SubscribeRequest { cursor: "x".repeat(MESSAGE_BYTES_MAX + 1), ..SubscribeRequest::default() };
    assert_too_large(&client.subscribe(request).await.expect_err("it is too large"));
}

#[tokio::test]
async fn a_request_that_is_too_large_when_decompressed_is_refused() {
    let (client, _fake) = feed::in_memory(&small_messages()).await;
    let mut client = client.send_compressed(CompressionEncoding::Gzip);
    let request = SubscribeRequest { cursor: "x".repeat(MESSAGE_BYTES_MAX * 100), ..SubscribeRequest::default() };
    assert_too_large(&client.subscribe(request).await.expect_err("it is too large"));
}

#[tokio::test]
async fn a_compressed_request_within_the_limit_is_read() {
    let (client, _fake) = feed::in_memory(&small_messages()).await;
    let mut client = client.send_compressed(CompressionEncoding::Gzip).accept_compressed(CompressionEncoding::Gzip);
    let cursor = "x".repeat(MESSAGE_BYTES_MAX - 100);
    let request = SubscribeRequest { cursor: cursor.clone(), ..SubscribeRequest::default() };
    let mut answers = client.subscribe(request).await.expect("it is read").into_inner();
    assert_eq!(answers.message().await.expect("an answer").expect("one").cursor, cursor);
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_refused_with_its_reason() {
    let (mut client, fake) = feed::in_memory(&small_messages()).await;
    fake.behave(Behaviour::Big(MESSAGE_BYTES_MAX + 1));
    assert_too_large(&client.get_feed_position(GetFeedPositionRequest {}).await.expect_err("it is too large"));

    let mut answers = client.subscribe(SubscribeRequest::default()).await.expect("it begins").into_inner();
    let failure = loop {
        match answers.message().await {
            Ok(message) => assert!(message.expect("it does not end well").cursor.len() <= MESSAGE_BYTES_MAX),
            Err(status) => break status,
        }
    };
    assert_too_large(&failure);
}

#[tokio::test]
async fn a_timeout_that_cannot_be_read_is_refused() {
    let (mut client, _fake) = feed::with_defaults().await;
    let mut request = Request::new(GetFeedPositionRequest {});
    request.metadata_mut().insert("grpc-timeout", "soon".parse().expect("a header"));
    let status = client.get_feed_position(request).await.expect_err("it is refused");
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(reason_of(&status).0, "INVALID_TIMEOUT");
}

#[tokio::test]
async fn a_call_that_takes_too_long_exceeds_the_servers_deadline() {
    let mut settings = RpcSettings::loopback();
    settings.limits.deadline_max = Duration::from_millis(20);
    let (mut client, fake) = feed::in_memory(&settings).await;
    fake.behave(Behaviour::Wait);
    let status = client.get_feed_position(GetFeedPositionRequest {}).await.expect_err("nobody releases it");
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(reason_of(&status).0, "DEADLINE_EXCEEDED");
}

#[tokio::test]
async fn a_stream_that_is_not_open_ended_has_a_deadline_too() {
    let mut settings = RpcSettings::loopback();
    settings.limits.stream_deadline_max = Duration::from_millis(20);
    let (builder, fake) = feed::builder(&settings);
    fake.behave(Behaviour::Wait);
    let server = builder.complete().await.expect("it is complete");
    let mut client = feed::Client::new(server.in_memory_channel());
    let mut answers = client.subscribe(SubscribeRequest::default()).await.expect("it begins").into_inner();
    answers.message().await.expect("the first arrives");
    let status = answers.message().await.expect_err("there is no second");
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(reason_of(&status).0, "DEADLINE_EXCEEDED");
}

#[tokio::test]
async fn beyond_the_limit_calls_are_refused_at_once_and_health_still_answers() {
    let mut settings = RpcSettings::loopback();
    settings.limits.concurrency_max = 1;
    let (server, fake) = feed::server(&settings).await;
    fake.behave(Behaviour::Wait);
    let mut client = feed::Client::new(server.in_memory_channel());
    let mut other = feed::Client::new(server.in_memory_channel());
    let first = tokio::spawn(async move { client.get_feed_position(GetFeedPositionRequest {}).await });
    fake.has_entered().await;

    let status = other.get_feed_position(GetFeedPositionRequest {}).await.expect_err("there is no room");
    assert_eq!(status.code(), Code::ResourceExhausted);
    let (reason, details) = reason_of(&status);
    assert_eq!(reason, "OVERLOADED");
    assert!(details.retry_info().is_some_and(|info| info.retry_delay.is_some()));
    let mut health = HealthClient::new(server.in_memory_channel());
    health.check(HealthCheckRequest::default()).await.expect("a server at its limit is alive");

    fake.release.notify_one();
    first.await.expect("it did not panic").expect("it is answered");
    fake.behave(Behaviour::Answer);
    other.get_feed_position(GetFeedPositionRequest {}).await.expect("there is room again");
}

#[tokio::test]
async fn an_open_stream_takes_room_until_it_ends() {
    let mut settings = RpcSettings::loopback();
    settings.limits.concurrency_max = 1;
    let (mut client, fake) = feed::in_memory(&settings).await;
    let mut stream = client.subscribe(SubscribeRequest::default()).await.expect("it begins").into_inner();
    stream.message().await.expect("the first arrives");
    let status = client.get_feed_position(GetFeedPositionRequest {}).await.expect_err("the stream has the room");
    assert_eq!(reason_of(&status).0, "OVERLOADED");

    drop(stream);
    fake.behave(Behaviour::Answer);
    while let Err(status) = client.get_feed_position(GetFeedPositionRequest {}).await {
        assert_eq!(reason_of(&status).0, "OVERLOADED", "until the server has seen that the stream is gone");
        tokio::task::yield_now().await;
    }
}
