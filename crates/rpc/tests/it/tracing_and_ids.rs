//! A call can be followed: by its request id, by its trace, and to the version that answered it.

use mainstay_api::mainstay::events::v1::{GetFeedPositionRequest, SubscribeRequest};
use mainstay_telemetry::TelemetrySettings;
use tonic::{Request, Status};
use tonic_types::StatusExt;

use crate::feed::{self, Behaviour};

fn with_id(id: &str) -> Request<GetFeedPositionRequest> {
    let mut request = Request::new(GetFeedPositionRequest {});
    request.metadata_mut().insert("x-request-id", id.parse().expect("a header"));
    request
}

#[tokio::test]
async fn a_callers_request_id_reaches_the_handler_and_comes_back() {
    let (mut client, _fake) = feed::with_defaults().await;
    let response = client.get_feed_position(with_id("crm-42")).await.expect("it is answered");
    assert_eq!(response.metadata().get("x-request-id").expect("it comes back"), "crm-42");
    assert_eq!(response.get_ref().oldest_cursor, "anonymous crm-42");
}

#[tokio::test]
async fn a_request_id_unfit_for_logs_is_replaced() {
    let (mut client, _fake) = feed::with_defaults().await;
    let response = client.get_feed_position(with_id("two words")).await.expect("it is answered");
    let id = response.metadata().get("x-request-id").expect("there is one").to_str().expect("text");
    assert_eq!(uuid::Uuid::parse_str(id).expect("a new id").get_version_num(), 7);
}

#[tokio::test]
async fn a_failure_names_the_request() {
    let (mut client, fake) = feed::with_defaults().await;
    fake.behave(Behaviour::Fail(Status::not_found("no such thing")));
    let status = client.get_feed_position(with_id("crm-43")).await.expect_err("it fails");
    let details = status.get_error_details();
    assert_eq!(details.request_info().expect("it is there").request_id, "crm-43");
    assert_eq!(status.metadata().get("x-request-id").expect("it comes back"), "crm-43");
}

#[tokio::test]
async fn a_streams_head_has_the_request_id() {
    let (mut client, _fake) = feed::with_defaults().await;
    let response = client.subscribe(SubscribeRequest::default()).await.expect("it begins");
    assert!(response.metadata().contains_key("x-request-id"));
}

#[tokio::test]
async fn each_answer_and_each_refusal_names_the_version_that_gave_it() {
    let version = concat!("mainstay/", env!("CARGO_PKG_VERSION"));
    let (mut client, fake) = feed::with_defaults().await;
    let response = client.get_feed_position(with_id("crm-42")).await.expect("it is answered");
    assert_eq!(response.metadata().get("server").expect("it is named"), version);
    fake.behave(Behaviour::Fail(Status::not_found("no such thing")));
    let status = client.get_feed_position(with_id("crm-43")).await.expect_err("it fails");
    assert_eq!(status.metadata().get("server").expect("it is named"), version);
}

#[tokio::test]
async fn the_callers_trace_goes_on_in_the_handler() {
    mainstay_telemetry::start(TelemetrySettings::named("test")).expect("it starts");
    let (mut client, _fake) = feed::with_defaults().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let mut request = Request::new(GetFeedPositionRequest {});
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    request.metadata_mut().insert("traceparent", parent.parse().expect("a header"));
    let inside = client.get_feed_position(request).await.expect("it is answered").into_inner().newest_cursor;
    assert!(inside.contains(trace), "{inside}");
    assert!(!inside.contains("00f067aa0ba902b7"), "it is a span of its own: {inside}");
}
