//! The layers together: their order, and how long a call may take.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use mainstay_domain::{IdSource, SystemClock};
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Status};

use super::*;
use crate::auth::{Caller, Permissions};

/// Collects the names of the layers that a request meets.
#[derive(Debug, Clone, Default)]
struct Probe(Arc<Mutex<Vec<&'static str>>>);

pub(super) fn entered(name: &'static str, request: &Request) {
    if let Some(probe) = request.extensions().get::<Probe>() {
        probe.0.lock().unwrap_or_else(PoisonError::into_inner).push(name);
    }
}

#[derive(Debug)]
struct Anybody;

#[async_trait]
impl Authenticator for Anybody {
    async fn authorize(&self, _path: &str, _bearer_token: Option<&str>) -> Result<Caller, ApiError> {
        Ok(Caller::anonymous(Permissions::all()))
    }
}

#[tokio::test]
async fn a_request_meets_the_layers_in_the_order_that_is_written_down() {
    let chain = around_routes(Routes::default(), &parts(&[]));
    let probe = Probe::default();
    let request = http::Request::builder().uri("/a.Service/Method").extension(probe.clone()).body(Body::empty());
    chain.answer(request.expect("a request")).await;
    let met = probe.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(met, ORDER);
    assert_eq!(
        met,
        [
            "server_names",
            "request_ids",
            "spans",
            "call_metrics",
            "panic_guard",
            "error_mapping",
            "deadlines",
            "load_shedding",
            "authentication",
            "message_sizes",
        ]
    );
}

/// A handler of a test's own, in place of the services.
struct Stub<F>(F);

impl<F, O> Handler for Stub<F>
where
    F: Fn() -> O + Send + Sync + 'static,
    O: Future<Output = Response> + Send,
{
    async fn handle(&self, _request: Request) -> Response {
        (self.0)().await
    }
}

const UNARY: &str = "/mainstay.events.v1.EventFeedService/GetFeedPosition";
const STREAM: &str = "/mainstay.events.v1.EventFeedService/Subscribe";

fn parts(open_ended: &[&str]) -> LayerParts {
    let services = HashSet::from(["mainstay.events.v1.EventFeedService"]);
    let open_ended = open_ended.iter().copied().collect();
    let methods = Methods::from_descriptors(&[mainstay_api::FILE_DESCRIPTOR_SET], &services, &open_ended);
    LayerParts {
        limits: Limits {
            deadline_max: Duration::from_secs(30),
            stream_deadline_max: Duration::from_mins(10),
            ..Limits::default()
        },
        ids: Arc::new(IdSource::seeded(Arc::new(SystemClock), 1)),
        methods: Arc::new(methods.expect("they can be read")),
        authenticator: Arc::new(Anybody),
        streams_cancelled: CancellationToken::new(),
    }
}

/// How a call of `path` ends, and after how long, when the handler's head comes at once or never and its
/// body never ends.
async fn ended(path: &str, timeout: Option<&str>, open_ended: &[&str], has_head: bool) -> (Option<Code>, Duration) {
    let parts = parts(open_ended);
    let stub = Stub(move || async move {
        if !has_head {
            std::future::pending::<()>().await;
        }
        http::Response::new(Body::new(StreamBody::new(stream::pending::<Result<Frame<Bytes>, Status>>())))
    });
    let methods = parts.methods.clone();
    let chain = Arc::new(Resolved { methods, next: around(stub, &parts) });
    let mut request = http::Request::builder().uri(path);
    if let Some(timeout) = timeout {
        request = request.header("grpc-timeout", timeout);
    }
    let started = Instant::now();
    let response = chain.answer(request.body(Body::empty()).expect("a request")).await;
    if let Some(code) = body::code_of_head(&response) {
        return (Some(code), started.elapsed());
    }
    let a_year = Duration::from_hours(365 * 24);
    match tokio::time::timeout(a_year, response.into_body().collect()).await {
        Ok(Ok(collected)) => (collected.trailers().and_then(body::code_of), started.elapsed()),
        Ok(Err(status)) => (Some(status.code()), started.elapsed()),
        Err(_) => (None, a_year),
    }
}

#[tokio::test(start_paused = true)]
async fn the_smaller_of_the_callers_and_the_servers_deadline_holds() {
    let exceeded = |seconds| (Some(Code::DeadlineExceeded), Duration::from_secs(seconds));
    assert_eq!(ended(UNARY, None, &[], false).await, exceeded(30));
    assert_eq!(ended(UNARY, Some("5S"), &[], false).await, exceeded(5));
    assert_eq!(ended(UNARY, Some("5H"), &[], false).await, exceeded(30));
    assert_eq!(ended(UNARY, Some("5S"), &[], true).await, exceeded(5), "the body counts");
    assert_eq!(ended(STREAM, None, &[], false).await, exceeded(600));
    assert_eq!(ended(STREAM, None, &[], true).await, exceeded(600), "the body counts");
    assert_eq!(ended(STREAM, Some("7M"), &[], true).await, exceeded(420));
}

#[tokio::test(start_paused = true)]
async fn an_open_ended_stream_has_no_end_but_its_callers() {
    let exceeded = |seconds| (Some(Code::DeadlineExceeded), Duration::from_secs(seconds));
    assert_eq!(ended(STREAM, None, &[STREAM], true).await.0, None);
    assert_eq!(ended(STREAM, Some("20M"), &[STREAM], true).await, exceeded(1200));
    assert_eq!(ended(STREAM, None, &[STREAM], false).await, exceeded(30), "it must begin in time");
}
