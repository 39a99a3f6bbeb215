//! The first step: all that can fail.

use std::convert::Infallible;
use std::sync::Arc;

use mainstay_domain::SharedClock;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

use super::{RpcSettings, Server, StartError};
use crate::admin::Readiness;

/// Collects what a server serves.
pub struct ServerBuilder {
    streams_cancelled: CancellationToken,
}

impl ServerBuilder {
    /// A server of the service `name`, for example `scoring`.
    pub fn new(name: &'static str, settings: RpcSettings, clock: SharedClock) -> Self {
        let _ = (name, settings, clock);
        Self { streams_cancelled: CancellationToken::new() }
    }

    /// Adds a generated gRPC service; wrap it in [`crate::limited`] first.
    #[must_use]
    pub fn add_service<S>(self, service: S) -> Self
    where
        S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        let _ = service;
        self
    }

    /// What `/readyz` asks; without it the server is ready while it serves.
    #[must_use]
    pub fn readiness(self, readiness: Arc<dyn Readiness>) -> Self {
        let _ = readiness;
        self
    }

    /// What `/metrics` answers.
    #[must_use]
    pub fn metrics(self, telemetry: mainstay_telemetry::Telemetry) -> Self {
        let _ = telemetry;
        self
    }

    /// Streaming methods (`/package.Service/Method`) that stay open until one side ends them: no deadline
    /// after their first answer unless the caller gave one.
    #[must_use]
    pub fn open_ended(self, methods: &[&'static str]) -> Self {
        let _ = methods;
        self
    }

    /// Cancelled when the server begins to shut down: open streams watch it and end with
    /// `UNAVAILABLE` `SHUTTING_DOWN`.
    pub fn streams_cancelled(&self) -> CancellationToken {
        self.streams_cancelled.clone()
    }

    /// Checks and binds everything.
    ///
    /// # Errors
    /// What keeps the server from starting.
    pub async fn complete(self) -> Result<Server, StartError> {
        todo!()
    }
}
