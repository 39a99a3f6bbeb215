//! The second step: serving, and ending.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tower::service_fn;

use super::connections::{Connections, Pages, Protocol, Rpcs};
use super::{DrainSettings, ServeError, StartError};
use crate::admin::{self, Gate, Readiness};
use crate::layers::Chain;
use crate::tls::Tls;

/// Bytes that an in-memory connection holds in each direction.
const DUPLEX_BYTES: usize = 256 * 1024;

/// How long the admin port's own connections may take to end: they only ask.
const ADMIN_DRAIN: Duration = Duration::from_millis(500);

/// All that [`super::ServerBuilder::complete`] made.
pub(super) struct Parts {
    pub(super) name: &'static str,
    pub(super) services: Vec<&'static str>,
    pub(super) health: HealthReporter,
    pub(super) gate: Arc<Gate>,
    pub(super) readiness: Option<Arc<dyn Readiness>>,
    pub(super) readiness_interval: Duration,
    pub(super) drain: DrainSettings,
    pub(super) streams_cancelled: CancellationToken,
    pub(super) tls: Option<Tls>,
    pub(super) chain: Arc<dyn Chain>,
    pub(super) pages: Router,
    pub(super) rpc_listener: TcpListener,
    pub(super) admin_listener: TcpListener,
    pub(super) connections: Connections,
    pub(super) admin_connections: Connections,
}

/// A server that has all it needs, and listens, but does not answer yet.
pub struct Server {
    parts: Parts,
    local_addr: SocketAddr,
    admin_addr: SocketAddr,
}

/// A server that serves.
pub struct ServerHandle {
    serving: JoinHandle<()>,
    memory: Memory,
    local_addr: SocketAddr,
    admin_addr: SocketAddr,
}

impl Server {
    pub(super) fn new(parts: Parts) -> Result<Self, StartError> {
        let address_of = |listener: &TcpListener, purpose| {
            let address = SocketAddr::from(([0, 0, 0, 0], 0));
            listener.local_addr().map_err(|source| StartError::Bind { purpose, address, source })
        };
        let local_addr = address_of(&parts.rpc_listener, "the RPC port")?;
        let admin_addr = address_of(&parts.admin_listener, "the admin port")?;
        Ok(Self { parts, local_addr, admin_addr })
    }

    /// Where the RPCs are.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Where `/livez`, `/readyz`, `/metrics` and the health service for probes are.
    pub fn admin_addr(&self) -> SocketAddr {
        self.admin_addr
    }

    /// A channel to this server without the network: the same layers, over memory. It works as soon as
    /// it is made, also before [`Server::run`], until the server is drained.
    pub fn in_memory_channel(&self) -> Channel {
        self.memory().channel()
    }

    /// Cancelled when the server begins to shut down; see [`super::ServerBuilder::streams_cancelled`].
    pub fn streams_cancelled(&self) -> CancellationToken {
        self.parts.streams_cancelled.clone()
    }

    /// Serves, in tasks of its own, until `shutdown` is cancelled; then drains: health says `NOT_SERVING`,
    /// calls are served for the drain delay, open streams are asked to end, no connection is accepted, calls in
    /// progress may finish within the drain timeout, and what is left is cut.
    pub fn run(self, shutdown: CancellationToken) -> ServerHandle {
        let memory = self.memory();
        let Self { parts, local_addr, admin_addr } = self;
        ServerHandle { serving: tokio::spawn(parts.serve(shutdown)), memory, local_addr, admin_addr }
    }

    /// Serves as [`Server::run`] does, beside the work behind the RPCs, and waits for the end of both. The work's token
    /// is cancelled when the server has drained, so that what was acknowledged is also worked on if time allows.
    ///
    /// # Errors
    /// When one of them ended without being asked to. If it is the work, the server is shut down: a service that
    /// answers and does not work is worse than one that its supervisor starts anew.
    pub async fn run_with_work<W>(
        self,
        shutdown: CancellationToken,
        work: impl FnOnce(CancellationToken) -> W,
    ) -> Result<(), ServeError>
    where
        W: Future<Output = ()> + Send + 'static,
    {
        let (stopping, work_cancelled) = (shutdown.child_token(), CancellationToken::new());
        let mut serving = std::pin::pin!(self.run(stopping.clone()).join());
        let mut working = tokio::spawn(work(work_cancelled.clone()));
        tokio::select! {
            served = &mut serving => {
                work_cancelled.cancel();
                working.await.map_err(|error| ServeError::WorkEnded(error.to_string()))?;
                served
            }
            ended = &mut working => {
                let reason = ended.err().map_or_else(|| "it returned".to_owned(), |error| error.to_string());
                tracing::error!(reason, "the work behind the RPCs ended by itself: shutting down");
                stopping.cancel();
                serving.await?;
                Err(ServeError::WorkEnded(reason))
            }
        }
    }

    fn memory(&self) -> Memory {
        Memory { connections: self.parts.connections.clone(), chain: self.parts.chain.clone() }
    }
}

impl ServerHandle {
    /// Where the RPCs are.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Where `/livez`, `/readyz`, `/metrics` and the health service for probes are.
    pub fn admin_addr(&self) -> SocketAddr {
        self.admin_addr
    }

    /// As [`Server::in_memory_channel`].
    pub fn in_memory_channel(&self) -> Channel {
        self.memory.channel()
    }

    /// Waits until the server has ended.
    ///
    /// # Errors
    /// When it ended without being asked to.
    pub async fn join(self) -> Result<(), ServeError> {
        self.serving.await.map_err(|error| ServeError::Stopped(error.to_string()))
    }
}

/// Makes connections that are not from the network.
#[derive(Clone)]
struct Memory {
    connections: Connections,
    chain: Arc<dyn Chain>,
}

impl Memory {
    fn channel(&self) -> Channel {
        let memory = self.clone();
        Endpoint::from_static("http://in-memory").connect_with_connector_lazy(service_fn(move |_: Uri| {
            let (client, server) = tokio::io::duplex(DUPLEX_BYTES);
            memory.connections.start_in_memory(server, Rpcs(memory.chain.clone()));
            async move { Ok::<_, io::Error>(TokioIo::new(client)) }
        }))
    }
}

impl Parts {
    async fn serve(self, shutdown: CancellationToken) {
        let accepting = {
            let connections = self.connections.clone();
            let answer = Rpcs(self.chain);
            tokio::spawn(async move { connections.accept(self.rpc_listener, self.tls, Protocol::Grpc, answer).await })
        };
        let accepting_admin = {
            let connections = self.admin_connections.clone();
            let answer = Pages(self.pages);
            tokio::spawn(async move { connections.accept(self.admin_listener, None, Protocol::Any, answer).await })
        };
        let watching = tokio::spawn(admin::watch(
            self.readiness,
            self.gate,
            self.health.clone(),
            self.readiness_interval,
            shutdown.clone(),
        ));
        announce(&self.health, &self.services, ServingStatus::Serving).await;
        tracing::info!(service = self.name, "serving");

        shutdown.cancelled().await;
        tracing::info!(service = self.name, delay = ?self.drain.delay, timeout = ?self.drain.timeout, "shutting down");
        announce(&self.health, &self.services, ServingStatus::NotServing).await;
        tokio::time::sleep(self.drain.delay).await;
        self.streams_cancelled.cancel();
        self.connections.close();
        self.connections.drain(self.drain.timeout).await;
        self.admin_connections.close();
        self.admin_connections.drain(ADMIN_DRAIN).await;
        for task in [accepting, accepting_admin, watching] {
            if let Err(error) = task.await {
                tracing::error!(%error, "a part of the server panicked");
            }
        }
        tracing::info!(service = self.name, "ended");
    }
}

/// Tells the health service about the server as a whole and each of its services.
async fn announce(health: &HealthReporter, services: &[&'static str], status: ServingStatus) {
    for service in services.iter().copied().chain([""]) {
        health.set_service_status(service, status).await;
    }
}
