//! Every failure has details that programs can read, wherever it comes from.

use mainstay_api::mainstay::events::v1::{GetFeedPositionRequest, SubscribeRequest};
use mainstay_api::mainstay::scoring::v1::GetHealthRequest;
use mainstay_api::mainstay::scoring::v1::health_service_client::HealthServiceClient;
use mainstay_rpc::RpcSettings;
use tonic::{Code, Status};

use crate::feed::{self, Behaviour, reason_of};

async fn unary_failure(behaviour: Behaviour) -> Status {
    let (mut client, fake) = feed::with_defaults().await;
    fake.behave(behaviour);
    client.get_feed_position(GetFeedPositionRequest {}).await.expect_err("it fails")
}

/// The failure of a stream after its first message.
async fn stream_failure(behaviour: Behaviour) -> Status {
    let (mut client, fake) = feed::with_defaults().await;
    fake.behave(behaviour);
    let mut answers = client.subscribe(SubscribeRequest::default()).await.expect("it begins").into_inner();
    answers.message().await.expect("the first arrives").expect("there is a first");
    answers.message().await.expect_err("it fails")
}

#[tokio::test]
async fn a_panic_of_a_handler_is_internal_and_shows_nothing() {
    let status = unary_failure(Behaviour::Panic).await;
    assert_eq!(status.code(), Code::Internal);
    let (reason, details) = reason_of(&status);
    assert_eq!(reason, "INTERNAL");
    assert!(details.request_info().is_some());
    assert!(!status.message().contains("own panic"), "{status}");
}

#[tokio::test]
async fn a_panic_ends_one_call_and_the_connection_goes_on() {
    let (mut client, fake) = feed::with_defaults().await;
    let mut stream = client.subscribe(SubscribeRequest::default()).await.expect("it begins").into_inner();
    stream.message().await.expect("the first arrives");
    fake.behave(Behaviour::Panic);
    client.get_feed_position(GetFeedPositionRequest {}).await.expect_err("it panics");
    fake.behave(Behaviour::Answer);
    client.get_feed_position(GetFeedPositionRequest {}).await.expect("the next call is answered");
    assert!(futures::poll!(std::pin::pin!(stream.message())).is_pending(), "the stream beside it is still open");
}

#[tokio::test]
async fn a_panic_within_a_stream_is_internal_too() {
    let status = stream_failure(Behaviour::Panic).await;
    assert_eq!(status.code(), Code::Internal);
    let (reason, details) = reason_of(&status);
    assert_eq!(reason, "INTERNAL");
    assert!(details.request_info().is_some());
}

#[tokio::test]
async fn a_plain_status_gets_details_in_head_and_trailers_alike() {
    let plain = Behaviour::Fail(Status::not_found("no such thing"));
    for status in [unary_failure(plain.clone()).await, stream_failure(plain).await] {
        assert_eq!((status.code(), status.message()), (Code::NotFound, "no such thing"));
        let (reason, details) = reason_of(&status);
        assert_eq!(reason, "NOT_FOUND");
        assert!(details.request_info().is_some());
    }
}

#[tokio::test]
async fn a_plain_internal_status_loses_its_text() {
    let leaky = Behaviour::Fail(Status::internal("column \"secret\" does not exist"));
    for status in [unary_failure(leaky.clone()).await, stream_failure(leaky).await] {
        assert_eq!(status.code(), Code::Internal);
        assert!(!status.message().contains("secret"), "{status}");
        assert_eq!(reason_of(&status).0, "INTERNAL");
    }
}

#[tokio::test]
async fn tonics_own_timeout_becomes_deadline_exceeded() {
    let status = unary_failure(Behaviour::Fail(Status::cancelled("Timeout expired"))).await;
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(reason_of(&status).0, "DEADLINE_EXCEEDED");
}

#[tokio::test]
async fn a_service_that_is_not_served_is_unimplemented_with_details() {
    let (server, _fake) = feed::server(&RpcSettings::loopback()).await;
    let mut other = HealthServiceClient::new(server.in_memory_channel());
    let status = other.get_health(GetHealthRequest::default()).await.expect_err("it is not served");
    assert_eq!(status.code(), Code::Unimplemented);
    assert_eq!(reason_of(&status).0, "UNIMPLEMENTED");
}
