//! A channel against real sockets.

use std::net::SocketAddr;
use std::time::Duration;

use mainstay_api::mainstay::scoring::v1::account_service_client::AccountServiceClient;
use mainstay_api::mainstay::scoring::v1::health_service_client::HealthServiceClient;
use mainstay_api::mainstay::scoring::v1::health_service_server::{HealthService, HealthServiceServer};
use mainstay_api::mainstay::scoring::v1::{
    BatchGetHealthRequest, BatchGetHealthResponse, ExplainHealthRequest, GetAccountRequest, GetHealthHistoryRequest,
    GetHealthHistoryResponse, GetHealthRequest, Health, HealthExplanation, HealthSummary, ListHealthRequest,
    ListHealthResponse, RecomputeHealthRequest, SummarizeHealthRequest, WatchHealthRequest, WatchHealthResponse,
};
use mainstay_clients::{BearerToken, ChannelSettings, ServiceChannel, connect};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Code, Request, Response, Status, async_trait};

/// Answers with what it heard in the headers.
struct Echo;

fn header<T>(request: &Request<T>, name: &str) -> String {
    request.metadata().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

#[async_trait]
impl HealthService for Echo {
    type WatchHealthStream = tokio_stream::Pending<Result<WatchHealthResponse, Status>>;

    async fn get_health(&self, request: Request<GetHealthRequest>) -> Result<Response<Health>, Status> {
        let account = header(&request, "authorization");
        let day = header(&request, "grpc-timeout");
        Ok(Response::new(Health { account, day, model: header(&request, "user-agent"), ..Health::default() }))
    }

    async fn batch_get_health(
        &self,
        _request: Request<BatchGetHealthRequest>,
    ) -> Result<Response<BatchGetHealthResponse>, Status> {
        std::future::pending().await
    }

    async fn list_health(&self, _request: Request<ListHealthRequest>) -> Result<Response<ListHealthResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn summarize_health(
        &self,
        _request: Request<SummarizeHealthRequest>,
    ) -> Result<Response<HealthSummary>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn get_health_history(
        &self,
        _request: Request<GetHealthHistoryRequest>,
    ) -> Result<Response<GetHealthHistoryResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn explain_health(
        &self,
        _request: Request<ExplainHealthRequest>,
    ) -> Result<Response<HealthExplanation>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn watch_health(
        &self,
        _request: Request<WatchHealthRequest>,
    ) -> Result<Response<Self::WatchHealthStream>, Status> {
        Ok(Response::new(tokio_stream::pending()))
    }

    async fn recompute_health(
        &self,
        _request: Request<RecomputeHealthRequest>,
    ) -> Result<Response<mainstay_api::google::longrunning::Operation>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    (listener, address)
}

fn settings(address: SocketAddr) -> ChannelSettings {
    ChannelSettings::new(address.to_string().parse().expect("an address"))
}

fn echo_server(listener: TcpListener) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let server = tonic::transport::Server::builder().add_service(HealthServiceServer::new(Echo));
        server.serve_with_incoming(TcpListenerStream::new(listener)).await.expect("serves");
    })
}

async fn get(channel: &ServiceChannel) -> Result<Health, Status> {
    let answer = HealthServiceClient::new(channel.clone()).get_health(GetHealthRequest::default()).await;
    answer.map(Response::into_inner)
}

#[tokio::test]
async fn token_deadline_and_name_of_the_caller_go_with_each_call() {
    let (listener, address) = listener().await;
    let _server = echo_server(listener);
    let mut settings = settings(address);
    settings.token = Some(BearerToken::new("secret").expect("a token"));
    settings.deadline = Duration::from_millis(4_321);
    settings.user_agent = "tester/1".to_owned();
    let heard = get(&connect(settings).expect("settings that fit")).await.expect("an answer");
    assert_eq!((heard.account.as_str(), heard.day.as_str()), ("Bearer secret", "4321m"));
    assert!(heard.model.starts_with("tester/1"), "{}", heard.model);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_and_named() {
    let (listener, address) = listener().await;
    drop(listener);
    let status = get(&connect(settings(address)).expect("settings that fit")).await.expect_err("nobody listens");
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().starts_with(&format!("cannot reach http://{address}: ")), "{}", status.message());
}

#[tokio::test]
async fn a_connection_is_made_again_once_the_server_is_there() {
    let (listener, address) = listener().await;
    drop(listener);
    let channel = connect(settings(address)).expect("settings that fit");
    assert!(get(&channel).await.is_err());
    let _server = echo_server(TcpListener::bind(address).await.expect("the port again"));
    assert!(get(&channel).await.is_ok());
}

#[tokio::test]
async fn a_server_that_never_answers_is_left_at_the_deadline() {
    let (silent, silent_address) = listener().await;
    let (answering, answering_address) = listener().await;
    let _server = echo_server(answering);
    for address in [silent_address, answering_address] {
        let mut settings = settings(address);
        settings.deadline = Duration::from_millis(200);
        let mut client = HealthServiceClient::new(connect(settings).expect("settings that fit"));
        let status = client.batch_get_health(BatchGetHealthRequest::default()).await.expect_err("no answer comes");
        assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    }
    drop(silent);
}

#[tokio::test]
async fn a_stream_whose_connection_is_cut_is_unavailable() {
    let (listener, address) = listener().await;
    let (socket_sender, socket_receiver) = tokio::sync::oneshot::channel();
    let proxied = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let server_address = proxied.local_addr().expect("bound");
    let _server = echo_server(proxied);
    let _proxy = tokio::spawn(async move {
        let (mut inbound, _) = listener.accept().await.expect("a caller");
        let mut outbound = tokio::net::TcpStream::connect(server_address).await.expect("the server");
        let cut = socket_receiver;
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut inbound, &mut outbound) => {}
            _ = cut => {}
        }
    });
    let mut client = HealthServiceClient::new(connect(settings(address)).expect("settings that fit"));
    let mut stream = client.watch_health(WatchHealthRequest::default()).await.expect("a stream").into_inner();
    socket_sender.send(()).expect("the proxy listens");
    let status = stream.message().await.expect_err("cut");
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert!(status.message().contains(&address.to_string()), "{}", status.message());
}

#[tokio::test]
async fn what_a_server_answers_is_passed_on_as_it_is() {
    let (listener, address) = listener().await;
    let _server = echo_server(listener);
    let mut client = AccountServiceClient::new(connect(settings(address)).expect("settings that fit"));
    let status = client.get_account(GetAccountRequest::default()).await.expect_err("not served");
    assert_eq!(status.code(), Code::Unimplemented);
}
