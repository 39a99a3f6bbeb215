//! Connections: accepted, served, aged, closed.
//!
//! Tonic's own server is not used: its time limit lies outside of all layers, so that no layer can
//! say what it means; it has no limit for a connection that says nothing; and what it accepted
//! cannot be cut. So connections are served here, by hyper.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use http_body::Body as HttpBody;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use mainstay_domain::IdSource;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::transport::server::TcpConnectInfo;
use tower::Service;

use super::rewound::await_first_bytes;
use super::{ConnectionSettings, Limits};
use crate::layers::Chain;
use crate::tls::Tls;

/// How long accepting pauses when the system has no more sockets to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Bytes after which a connection is known to speak, by what it speaks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Protocol {
    /// HTTP/2 from the first byte; its preface has 24.
    Grpc,
    /// HTTP/1.1 or HTTP/2; the shortest HTTP/1.1 request has 18.
    Any,
}

impl Protocol {
    fn first_bytes(self) -> usize {
        match self {
            Self::Grpc => 24,
            Self::Any => 18,
        }
    }
}

/// All connections of a server, and their end.
#[derive(Clone)]
pub(super) struct Connections {
    settings: ConnectionSettings,
    limits: Limits,
    ids: Arc<IdSource>,
    free: Arc<Semaphore>,
    open: TaskTracker,
    closing: CancellationToken,
    cut: CancellationToken,
}

/// What answers the requests of a connection.
pub(super) trait Answer<B>: Clone + Send + Sync + 'static {
    /// Answers one request.
    fn answer(&self, request: http::Request<Incoming>) -> BoxFuture<'static, http::Response<B>>;
}

/// Answers with the layers and services.
#[derive(Clone)]
pub(super) struct Rpcs(pub(super) Arc<dyn Chain>);

impl Answer<tonic::body::Body> for Rpcs {
    fn answer(&self, request: http::Request<Incoming>) -> BoxFuture<'static, http::Response<tonic::body::Body>> {
        self.0.clone().answer(request.map(tonic::body::Body::new))
    }
}

/// Answers with pages.
#[derive(Clone)]
pub(super) struct Pages(pub(super) axum::Router);

impl Answer<axum::body::Body> for Pages {
    fn answer(&self, request: http::Request<Incoming>) -> BoxFuture<'static, http::Response<axum::body::Body>> {
        let mut router = self.0.clone();
        Box::pin(async move {
            match router.call(request).await {
                Ok(response) => response,
                Err(impossible) => match impossible {},
            }
        })
    }
}

impl Connections {
    pub(super) fn new(settings: ConnectionSettings, limits: Limits, ids: Arc<IdSource>) -> Self {
        let free = Arc::new(Semaphore::new(limits.connections_max));
        let (closing, cut) = (CancellationToken::new(), CancellationToken::new());
        Self { settings, limits, ids, free, open: TaskTracker::new(), closing, cut }
    }

    /// Accepts connections until [`Self::close`]; then the listener is gone.
    pub(super) async fn accept<B, A>(&self, listener: TcpListener, tls: Option<Tls>, protocol: Protocol, answer: A)
    where
        A: Answer<B>,
        B: HttpBody<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
    {
        loop {
            let next = async {
                let permit = self.free.clone().acquire_owned().await.map_err(io::Error::other)?;
                let (stream, peer) = listener.accept().await?;
                Ok::<_, io::Error>((permit, stream, peer))
            };
            let accepted = tokio::select! {
                () = self.closing.cancelled() => return,
                accepted = next => accepted,
            };
            match accepted {
                Ok((permit, stream, peer)) => self.start(permit, stream, peer, tls.clone(), protocol, answer.clone()),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn start<B, A>(
        &self,
        permit: OwnedSemaphorePermit,
        stream: TcpStream,
        peer: SocketAddr,
        tls: Option<Tls>,
        protocol: Protocol,
        answer: A,
    ) where
        A: Answer<B>,
        B: HttpBody<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
    {
        // Without it a small answer waits for the acknowledgement of the one before.
        let _ = stream.set_nodelay(true);
        let info = TcpConnectInfo { local_addr: stream.local_addr().ok(), remote_addr: Some(peer) };
        let connections = self.clone();
        let speaks_by = self.speaks_by();
        self.open.spawn(async move {
            let _permit = permit;
            match tls {
                None => connections.serve(stream, Some(info), protocol, speaks_by, answer).await,
                Some(tls) => {
                    let handshake = timeout_at(speaks_by, tls.accept(stream));
                    tokio::select! {
                        () = connections.closing.cancelled() => {}
                        outcome = handshake => match outcome {
                            Ok(Ok(stream)) => connections.serve(stream, Some(info), protocol, speaks_by, answer).await,
                            Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
                            Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
                        }
                    }
                }
            }
        });
    }

    /// Serves a connection that is not from the network.
    pub(super) fn start_in_memory<B, A>(&self, stream: tokio::io::DuplexStream, answer: A)
    where
        A: Answer<B>,
        B: HttpBody<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
    {
        let connections = self.clone();
        let speaks_by = self.speaks_by();
        self.open.spawn(async move { connections.serve(stream, None, Protocol::Grpc, speaks_by, answer).await });
    }

    /// When a connection that begins now must have said its first HTTP bytes, encrypted or not.
    fn speaks_by(&self) -> Instant {
        Instant::now() + self.settings.handshake_timeout
    }

    async fn serve<B, A, IO>(
        &self,
        stream: IO,
        info: Option<TcpConnectInfo>,
        protocol: Protocol,
        speaks_by: Instant,
        answer: A,
    ) where
        A: Answer<B>,
        B: HttpBody<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let first = await_first_bytes(stream, protocol.first_bytes(), speaks_by);
        let stream = tokio::select! {
            () = self.closing.cancelled() => return,
            first = first => match first {
                Ok(stream) => stream,
                Err(error) => {
                    tracing::debug!(%error, "a connection said nothing that begins a call");
                    return;
                }
            },
        };
        let service = hyper::service::service_fn(move |mut request: http::Request<Incoming>| {
            if let Some(info) = &info {
                request.extensions_mut().insert(info.clone());
            }
            let answer = answer.answer(request);
            async move { Ok::<_, Infallible>(answer.await) }
        });
        let builder = self.http(protocol);
        let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
        let mut is_closing = false;
        let age = tokio::time::sleep(self.age());
        tokio::pin!(age);
        loop {
            tokio::select! {
                ended = &mut connection => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection ended badly");
                    }
                    return;
                }
                () = self.cut.cancelled() => return,
                () = self.closing.cancelled(), if !is_closing => {
                    is_closing = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = &mut age, if !is_closing => {
                    is_closing = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }

    fn http(&self, protocol: Protocol) -> auto::Builder<TokioExecutor> {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        if let Protocol::Grpc = protocol {
            builder = builder.http2_only();
        }
        builder.http1().timer(TokioTimer::new()).header_read_timeout(self.settings.handshake_timeout);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(self.limits.streams_per_connection_max)
            .max_header_list_size(self.limits.header_bytes_max)
            .keep_alive_interval(self.settings.keepalive_interval)
            .keep_alive_timeout(self.settings.keepalive_timeout);
        builder
    }

    /// The age of one connection: `age_max` less up to the share that varies.
    fn age(&self) -> Duration {
        let [.., high, low] = *self.ids.new_id().as_bytes();
        aged(self.settings.age_max, self.settings.age_jitter_percent, u16::from_be_bytes([high, low]))
    }

    /// Accepts no more, asks each connection to end when its calls are done, and ends those that never began.
    pub(super) fn close(&self) {
        self.closing.cancel();
        self.open.close();
    }

    /// Waits until all connections have ended, for at most `limit`; then cuts them.
    pub(super) async fn drain(&self, limit: Duration) {
        if tokio::time::timeout(limit, self.open.wait()).await.is_err() {
            tracing::warn!(connections = self.open.len(), "connections are cut: their calls did not end in time");
            self.cut.cancel();
            self.open.wait().await;
        }
    }
}

/// `age_max` less a random part of `jitter_percent` of it.
fn aged(age_max: Duration, jitter_percent: u32, random: u16) -> Duration {
    let share = f64::from(jitter_percent) / 100.0 * f64::from(random) / f64::from(u16::MAX);
    age_max.mul_f64((1.0 - share).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_do_not_all_grow_equally_old() {
        let age = |random| aged(Duration::from_secs(100), 20, random);
        assert_eq!(age(0), Duration::from_secs(100));
        assert_eq!(age(u16::MAX), Duration::from_secs(80));
        assert!(age(100) > age(200));
    }
}
