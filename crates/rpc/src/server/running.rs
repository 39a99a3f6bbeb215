//! The second step: serving.

use std::net::SocketAddr;

use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use super::ServeError;

/// A server that has all it needs, and listens, but does not answer yet.
pub struct Server {}

/// A server that serves.
pub struct ServerHandle {}

impl Server {
    /// Where the RPCs are.
    pub fn local_addr(&self) -> SocketAddr {
        todo!()
    }

    /// Where `/livez`, `/readyz`, `/metrics` and the health service for probes are.
    pub fn admin_addr(&self) -> SocketAddr {
        todo!()
    }

    /// A channel to this server without the network: the same layers, over memory. Answers as soon as it is made, also before [`Server::run`].
    pub fn in_memory_channel(&self) -> Channel {
        todo!()
    }

    /// Cancelled when the server begins to shut down; see [`super::ServerBuilder::streams_cancelled`].
    pub fn streams_cancelled(&self) -> CancellationToken {
        todo!()
    }

    /// Serves until `shutdown` is cancelled, then drains.
    pub fn run(self, shutdown: CancellationToken) -> ServerHandle {
        let _ = shutdown;
        todo!()
    }
}

impl ServerHandle {
    /// Waits until the server has ended.
    ///
    /// # Errors
    /// When it ended without being asked to.
    pub async fn join(self) -> Result<(), ServeError> {
        todo!()
    }
}
