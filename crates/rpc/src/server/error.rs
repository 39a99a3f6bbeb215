//! Why a server does not start, or did not end well.

use std::net::SocketAddr;

use crate::auth::{AuthError, MissingPermissions};

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be bound.
    #[error("{purpose} cannot listen on {address}: {source}")]
    Bind {
        /// What would be served there.
        purpose: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// Everybody on the network could call everything.
    #[error(
        "{address} can be reached from other machines, and no authentication is configured; configure `auth`, listen on 127.0.0.1, or set `rpc.allow_unauthenticated_non_loopback = true`"
    )]
    Unauthenticated {
        /// The address.
        address: SocketAddr,
    },
    /// A method does not say which permission it needs.
    #[error(transparent)]
    Permissions(#[from] MissingPermissions),
    /// Authentication cannot be set up.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The certificate or its key cannot be used.
    #[error("the certificate cannot be used: {0}")]
    Tls(String),
    /// The descriptors cannot be read, or name something else than what is served.
    #[error("the descriptors do not fit what is served: {0}")]
    Descriptors(String),
}

/// How serving ended badly.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A part of the server stopped by itself.
    #[error("the server stopped by itself: {0}")]
    Stopped(String),
    /// The work behind the RPCs ended by itself; the server was shut down.
    #[error("the work behind the RPCs ended by itself: {0}")]
    WorkEnded(String),
}
