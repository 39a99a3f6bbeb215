//! A receiver of HTTP requests on a real socket: records each request and answers what it was told.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::inbox::Inbox;
use crate::tls::acceptor;

/// Larger bodies are no tests'.
const BODY_BYTES_MAX: usize = 16 << 20;

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedRequest {
    /// The method, in capitals.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The headers by their names in lower case; of several with one name, the last.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Bytes,
}

impl ReceivedRequest {
    /// A header's value. Panics when there is none.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        match self.headers.get(name) {
            Some(value) => value,
            None => panic!("no header {name} among {:?}", self.headers),
        }
    }

    /// The body as JSON. Panics when it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("the body is not JSON ({error}): {:?}", self.body),
        }
    }
}

/// What to answer.
#[derive(Debug, Clone, Default)]
pub struct HttpAnswer {
    /// The status, 200 for 0.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl HttpAnswer {
    /// An answer without headers and body.
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// With a header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With a body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<String>) -> Self {
        self.body = body.into();
        self
    }
}

/// The receiver, on a port of its own on the loopback address. It ends when dropped.
#[derive(Debug)]
pub struct HttpReceiver {
    address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    inbox: Inbox<ReceivedRequest>,
    answers: Mutex<Answers>,
    held: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Answers {
    next: VecDeque<HttpAnswer>,
    then: HttpAnswer,
}

impl HttpReceiver {
    /// A receiver that answers 200 to everything.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port on the loopback address");
        let address = listener.local_addr().expect("its address");
        Self::serve(listener, address, "http")
    }

    /// The same behind TLS, with the certificate of [`tls`](crate::tls).
    pub async fn start_with_tls() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port on the loopback address");
        let address = listener.local_addr().expect("its address");
        Self::serve(TlsListener { listener, acceptor: acceptor() }, address, "https")
    }

    fn serve<L>(listener: L, address: SocketAddr, scheme: &'static str) -> Self
    where
        L: Listener,
        L::Addr: std::fmt::Debug,
    {
        let shared =
            Arc::new(Shared { inbox: Inbox::new(), answers: Mutex::default(), held: watch::Sender::new(false) });
        let router = Router::new().fallback(receive).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("a receiver serves until it is dropped");
        });
        Self { address, scheme, shared, task }
    }

    /// Where it is, with a path: `http://127.0.0.1:{port}{path}`, or `https`.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// Answers the next requests with these, one each, before what [`answer`](Self::answer) said.
    pub fn answer_next(&self, answers: impl IntoIterator<Item = HttpAnswer>) {
        self.shared.answers().next.extend(answers);
    }

    /// From now on answers this to all requests.
    pub fn answer(&self, answer: HttpAnswer) {
        self.shared.answers().then = answer;
    }

    /// Records requests, but does not answer until [`release`](Self::release).
    pub fn hold(&self) {
        self.shared.held.send_replace(true);
    }

    /// Answers the held requests, and those to come.
    pub fn release(&self) {
        self.shared.held.send_replace(false);
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.shared.inbox.items()
    }

    /// All requests, once there are at least `count`. Panics after 30 s.
    pub async fn wait_for(&self, count: usize) -> Vec<ReceivedRequest> {
        self.shared.inbox.wait_for(count).await
    }
}

impl Drop for HttpReceiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn answers(&self) -> std::sync::MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Handshakes that fail are the client's affair.
struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            if let Ok((stream, address)) = self.listener.accept().await
                && let Ok(stream) = self.acceptor.accept(stream).await
            {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

async fn receive(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, BODY_BYTES_MAX).await.expect("a whole body");
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    // Decided before it is seen: who waits for a request and then changes the answer means the next one.
    let answer = {
        let mut answers = shared.answers();
        answers.next.pop_front().unwrap_or_else(|| answers.then.clone())
    };
    shared.inbox.push(ReceivedRequest {
        method: head.method.to_string(),
        path: head.uri.path_and_query().map_or_else(String::new, ToString::to_string),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body,
    });
    // Ends with the receiver, which holds the sender.
    let _ = shared.held.subscribe().wait_for(|held| !held).await;
    let status =
        if answer.status == 0 { StatusCode::OK } else { StatusCode::from_u16(answer.status).expect("a status") };
    let mut response = (status, answer.body).into_response();
    for (name, value) in answer.headers {
        let value = HeaderValue::from_str(&value).expect("a header's value");
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
    response
}
