//! The listener of the answer page.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::routes::{self, PeerAddress};
use crate::app::App;
use crate::settings::PageSettings;

/// How long a client may take to send a request's head, and stay silent between two.
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// The longest head of a request.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// How long requests that are under way at shutdown have to end.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);
/// How long to leave a listener alone that cannot accept, for instance for want of file handles.
const FAULT_WAIT: Duration = Duration::from_millis(200);

/// The answer page, bound to its port. Clones are the same.
#[derive(Clone)]
pub struct PageServer {
    listener: Arc<TcpListener>,
    router: Router,
    connections: Arc<Semaphore>,
}

impl PageServer {
    /// Binds the port.
    ///
    /// # Errors
    /// When it cannot be bound.
    pub(crate) async fn bind(app: App, settings: &PageSettings) -> io::Result<Self> {
        let listener = Arc::new(settings.listen.bind().await?);
        let connections = Arc::new(Semaphore::new(usize::try_from(settings.connections_max).unwrap_or(1)));
        Ok(Self { listener, router: routes::router(app, settings), connections })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not say.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until cancelled; requests under way may then end.
    pub async fn run(self, cancel: CancellationToken) {
        let open = TaskTracker::new();
        while let Some(accepted) = cancel.run_until_cancelled(self.accept()).await {
            let (stream, peer, place) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "the answer page cannot accept a connection");
                    tokio::time::sleep(FAULT_WAIT).await;
                    continue;
                }
            };
            let router = self.router.clone().layer(Extension(PeerAddress(peer)));
            let cancel = cancel.clone();
            open.spawn(async move {
                serve(stream, router, &cancel).await;
                drop(place);
            });
        }
        open.close();
        if tokio::time::timeout(DRAIN_TIME_MAX, open.wait()).await.is_err() {
            tracing::warn!("requests of the answer page took too long to end and were cut off");
        }
    }

    /// The next connection, when there is room for one.
    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
        let place = Arc::clone(&self.connections).acquire_owned().await.map_err(io::Error::other)?;
        let (stream, peer) = self.listener.accept().await?;
        Ok((stream, peer, place))
    }
}

async fn serve(stream: TcpStream, router: Router, cancel: &CancellationToken) {
    let service = TowerToHyperService::new(router);
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME_MAX)
            .max_buf_size(HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), service)
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = cancel.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection of the answer page ended early");
    }
}
