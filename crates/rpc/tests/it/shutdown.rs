//! The server ends in bounded time, whatever its callers do.

use std::time::Duration;

use mainstay_api::mainstay::events::v1::{GetFeedPositionRequest, SubscribeRequest};
use mainstay_rpc::RpcSettings;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::feed::{self, Behaviour, reason_of};

/// Far beyond what any of these may take; reached only by a server that hangs.
const BOUND: Duration = Duration::from_secs(30);

fn settings(delay: Duration, drain: Duration) -> RpcSettings {
    let mut settings = RpcSettings::loopback();
    settings.drain.delay = delay;
    settings.drain.timeout = drain;
    settings
}

#[tokio::test]
async fn an_open_stream_is_told_why_and_the_server_ends() {
    let (server, _fake) = feed::server(&settings(Duration::ZERO, BOUND * 2)).await;
    let shutdown = CancellationToken::new();
    let handle = server.run(shutdown.clone());
    let mut client = feed::Client::connect(format!("http://{}", handle.local_addr())).await.expect("it listens");
    let mut answers = client.subscribe(SubscribeRequest::default()).await.expect("it begins").into_inner();
    answers.message().await.expect("the first arrives");
    shutdown.cancel();
    let status = timeout(BOUND, answers.message()).await.expect("in time").expect_err("it is told");
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(reason_of(&status).0, "SHUTTING_DOWN");
    timeout(BOUND, handle.join()).await.expect("in time").expect("well");
}

#[tokio::test]
async fn a_stream_that_does_not_end_is_cut() {
    let (server, fake) = feed::server(&settings(Duration::ZERO, Duration::from_millis(50))).await;
    fake.behave(Behaviour::Rude);
    let shutdown = CancellationToken::new();
    let handle = server.run(shutdown.clone());
    let mut client = feed::Client::connect(format!("http://{}", handle.local_addr())).await.expect("it listens");
    let mut answers = client.subscribe(SubscribeRequest::default()).await.expect("it begins").into_inner();
    answers.message().await.expect("the first arrives");
    shutdown.cancel();
    timeout(BOUND, handle.join()).await.expect("in time").expect("well");
    timeout(BOUND, answers.message()).await.expect("in time").expect_err("it is cut");
}

#[tokio::test]
async fn a_connection_that_says_nothing_does_not_hold_the_server() {
    let mut settings = settings(Duration::ZERO, BOUND * 2);
    settings.connections.handshake_timeout = BOUND * 2;
    let (server, _fake) = feed::server(&settings).await;
    let shutdown = CancellationToken::new();
    let handle = server.run(shutdown.clone());
    let _silent = TcpStream::connect(handle.local_addr()).await.expect("it is accepted");
    let _silent_admin = TcpStream::connect(handle.admin_addr()).await.expect("it is accepted");
    let mut client = feed::Client::connect(format!("http://{}", handle.local_addr())).await.expect("it listens");
    client.get_feed_position(GetFeedPositionRequest {}).await.expect("the connections before are accepted by now");
    shutdown.cancel();
    timeout(BOUND, handle.join()).await.expect("in time").expect("well");
}

#[tokio::test]
async fn somebody_who_watches_health_does_not_hold_the_server() {
    let (server, _fake) = feed::server(&settings(Duration::ZERO, BOUND * 2)).await;
    let shutdown = CancellationToken::new();
    let handle = server.run(shutdown.clone());
    let endpoint = Endpoint::from_shared(format!("http://{}", handle.local_addr())).expect("an address");
    let mut health = HealthClient::new(endpoint.connect().await.expect("it listens"));
    let mut statuses = health.watch(HealthCheckRequest::default()).await.expect("it is known").into_inner();
    while statuses.message().await.expect("open").expect("a status").status() != ServingStatus::Serving {}
    shutdown.cancel();
    let told = async {
        loop {
            match statuses.message().await {
                Ok(status) => assert_eq!(status.expect("a status").status(), ServingStatus::NotServing),
                Err(status) => return status,
            }
        }
    };
    assert_eq!(reason_of(&timeout(BOUND, told).await.expect("in time")).0, "SHUTTING_DOWN");
    timeout(BOUND, handle.join()).await.expect("in time").expect("well");
}

#[tokio::test]
async fn a_call_in_progress_is_finished() {
    let (server, fake) = feed::server(&settings(Duration::ZERO, BOUND * 2)).await;
    fake.behave(Behaviour::Wait);
    let shutdown = CancellationToken::new();
    let streams_cancelled = server.streams_cancelled();
    let handle = server.run(shutdown.clone());
    let mut client = feed::Client::connect(format!("http://{}", handle.local_addr())).await.expect("it listens");
    let call = tokio::spawn(async move { client.get_feed_position(GetFeedPositionRequest {}).await });
    fake.has_entered().await;
    shutdown.cancel();
    streams_cancelled.cancelled().await;
    fake.release.notify_one();
    call.await.expect("no panic").expect("it is answered");
    timeout(BOUND, handle.join()).await.expect("in time").expect("well");
}

#[tokio::test]
async fn health_says_no_first_and_calls_are_still_served() {
    let (server, _fake) = feed::server(&settings(BOUND * 2, Duration::ZERO)).await;
    let channel = server.in_memory_channel();
    let mut health = HealthClient::new(channel.clone());
    for service in ["", "mainstay.events.v1.EventFeedService"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let status = health.check(request).await.expect("it is known").into_inner().status();
        assert_eq!(status, ServingStatus::NotServing, "before it serves");
    }
    let mut overall = health.watch(HealthCheckRequest::default()).await.expect("it is known").into_inner();
    let mut next = async || overall.message().await.expect("open").expect("a status").status();
    assert_eq!(next().await, ServingStatus::NotServing);
    let shutdown = CancellationToken::new();
    let _handle = server.run(shutdown.clone());
    assert_eq!(next().await, ServingStatus::Serving);
    shutdown.cancel();
    assert_eq!(next().await, ServingStatus::NotServing);
    let mut client = feed::Client::new(channel);
    client.get_feed_position(GetFeedPositionRequest {}).await.expect("it is still served");
}

#[tokio::test]
async fn work_that_ends_by_itself_ends_the_server_with_an_error() {
    let works: [fn() -> (); 2] = [|| panic!("the work's own panic"), || ()];
    for (work, reason) in works.into_iter().zip(["the work's own panic", "it returned"]) {
        let (server, _fake) = feed::server(&settings(Duration::ZERO, BOUND * 2)).await;
        let address = server.local_addr();
        let served = server.run_with_work(CancellationToken::new(), |_| async move { work() });
        let error = timeout(BOUND, served).await.expect("in time").expect_err("nobody asked it to end");
        assert!(error.to_string().contains(reason), "{error}");
        TcpStream::connect(address).await.expect_err("nobody listens any more");
    }
}

#[tokio::test]
async fn work_is_told_to_end_when_calls_are_drained() {
    let (server, fake) = feed::server(&settings(Duration::ZERO, BOUND * 2)).await;
    fake.behave(Behaviour::Wait);
    let (address, shutdown) = (server.local_addr(), CancellationToken::new());
    let streams_cancelled = server.streams_cancelled();
    let (tell_end, mut ended) = tokio::sync::oneshot::channel();
    let work = |cancelled: CancellationToken| async move {
        cancelled.cancelled().await;
        tell_end.send(()).expect("the test listens");
    };
    let serving = tokio::spawn(server.run_with_work(shutdown.clone(), work));
    let mut client = feed::Client::connect(format!("http://{address}")).await.expect("it listens");
    let call = tokio::spawn(async move { client.get_feed_position(GetFeedPositionRequest {}).await });
    fake.has_entered().await;
    shutdown.cancel();
    streams_cancelled.cancelled().await;
    ended.try_recv().expect_err("a call is still in progress");
    fake.release.notify_one();
    call.await.expect("no panic").expect("it is answered");
    timeout(BOUND, serving).await.expect("in time").expect("no panic").expect("well");
    ended.await.expect("the work was told");
}
