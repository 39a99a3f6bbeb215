//! What the operator and Kubernetes ask.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use mainstay_api::mainstay::events::v1::GetFeedPositionRequest;
use mainstay_rpc::{Readiness, RpcSettings};
use mainstay_telemetry::TelemetrySettings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_stream::StreamExt;
use tokio_util::sync::CancellationToken;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::feed::{self, Behaviour};

/// The status line and the body of a page.
async fn page(address: SocketAddr, path: &str) -> (String, String) {
    let mut connection = TcpStream::connect(address).await.expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.expect("it is open");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.expect("it is text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    (head.lines().next().unwrap_or_default().to_owned(), body.to_owned())
}

#[derive(Default)]
struct Database {
    is_up: AtomicBool,
}

#[async_trait]
impl Readiness for Database {
    async fn check(&self) -> Result<(), String> {
        if self.is_up.load(Ordering::SeqCst) { Ok(()) } else { Err("the database is away".to_owned()) }
    }
}

#[tokio::test]
async fn readiness_follows_the_service_and_liveness_does_not() {
    let mut settings = RpcSettings::loopback();
    settings.readiness_interval = Duration::from_millis(5);
    let database = Arc::new(Database::default());
    let (builder, _fake) = feed::builder(&settings);
    let server = builder.readiness(database.clone()).complete().await.expect("it is complete");
    let handle = server.run(CancellationToken::new());
    let channel = Endpoint::from_shared(format!("http://{}", handle.admin_addr())).expect("an address");
    let mut health = HealthClient::new(channel.connect().await.expect("gRPC on the admin port"));
    let request = HealthCheckRequest { service: "readiness".to_owned() };
    let mut readiness = health.watch(request).await.expect("it is known").into_inner();
    assert_eq!(readiness.message().await.expect("open").expect("one").status(), ServingStatus::NotServing);

    database.is_up.store(true, Ordering::SeqCst);
    while readiness.message().await.expect("open").expect("one").status() != ServingStatus::Serving {}
    assert_eq!(page(handle.admin_addr(), "/readyz").await.0, "HTTP/1.1 200 OK");

    database.is_up.store(false, Ordering::SeqCst);
    while readiness.message().await.expect("open").expect("one").status() != ServingStatus::NotServing {}
    let (line, body) = page(handle.admin_addr(), "/readyz").await;
    assert_eq!((line.as_str(), body.as_str()), ("HTTP/1.1 503 Service Unavailable", "the database is away\n"));
    assert_eq!(page(handle.admin_addr(), "/livez").await.0, "HTTP/1.1 200 OK");
    let overall = health.check(HealthCheckRequest::default()).await.expect("it is known").into_inner();
    assert_eq!(overall.status(), ServingStatus::Serving, "the server itself serves");
}

#[tokio::test]
async fn the_metrics_page_has_what_was_counted() {
    let telemetry = mainstay_telemetry::start(TelemetrySettings::named("test")).expect("it starts");
    let (builder, fake) = feed::builder(&RpcSettings::loopback());
    let server = builder.metrics(telemetry).complete().await.expect("it is complete");
    let handle = server.run(CancellationToken::new());
    let mut client = feed::Client::new(handle.in_memory_channel());
    fake.behave(Behaviour::Fail(tonic::Status::data_loss("only this test does so")));
    client.get_feed_position(GetFeedPositionRequest {}).await.expect_err("it fails");
    let (line, body) = page(handle.admin_addr(), "/metrics").await;
    assert_eq!(line, "HTTP/1.1 200 OK");
    let has = |name: &str, labels: &[&str]| {
        body.lines().any(|line| line.starts_with(name) && labels.iter().all(|label| line.contains(label)))
    };
    let method = ["grpc_service=\"mainstay.events.v1.EventFeedService\"", "grpc_method=\"GetFeedPosition\""];
    assert!(has("grpc_server_started_total", &method), "{body}");
    assert!(has("grpc_server_handling_seconds_bucket", &method), "{body}");
    assert!(has("grpc_server_in_flight", &method), "{body}");
    assert!(has("grpc_server_handled_total", &[method[0], method[1], "grpc_code=\"INTERNAL\""]), "{body}");
}

#[tokio::test]
async fn a_page_that_is_not_there_is_not_found() {
    let (server, _fake) = feed::server(&RpcSettings::loopback()).await;
    let handle = server.run(CancellationToken::new());
    assert_eq!(page(handle.admin_addr(), "/secrets").await.0, "HTTP/1.1 404 Not Found");
}

#[tokio::test]
async fn reflection_lists_what_is_served() {
    let (server, _fake) = feed::server(&RpcSettings::loopback()).await;
    let mut reflection = ServerReflectionClient::new(server.in_memory_channel());
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers =
        reflection.server_reflection_info(tokio_stream::iter([request])).await.expect("it is served").into_inner();
    let answer = answers.next().await.expect("one").expect("well").message_response.expect("a message");
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("a list, not {answer:?}") };
    let names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
    for name in ["mainstay.events.v1.EventFeedService", "grpc.health.v1.Health"] {
        assert!(names.iter().any(|listed| listed == name), "{name} in {names:?}");
    }
}
