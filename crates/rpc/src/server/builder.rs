//! The first step: all that can fail.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use mainstay_domain::{IdSource, SharedClock};
use mainstay_telemetry::Telemetry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::RoutesBuilder;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};
use tower::Service;

use super::connections::Connections;
use super::listen::Listen;
use super::running::{Parts, Server};
use super::{RpcSettings, StartError, reflection};
use crate::admin::{self, Gate, Readiness};
use crate::auth::{self, MethodPermissions};
use crate::layers::{self, LayerParts, Methods};
use crate::tls::Tls;

/// Health's watch is open until its caller has enough.
const HEALTH_WATCH: &str = "/grpc.health.v1.Health/Watch";

/// Collects what a server serves.
pub struct ServerBuilder {
    name: &'static str,
    settings: RpcSettings,
    clock: SharedClock,
    routes: RoutesBuilder,
    services: Vec<&'static str>,
    open_ended: HashSet<&'static str>,
    readiness: Option<Arc<dyn Readiness>>,
    telemetry: Option<Telemetry>,
    admin_routes: Router,
    streams_cancelled: CancellationToken,
}

impl ServerBuilder {
    /// A server of the service `name`, for example `scoring`.
    pub fn new(name: &'static str, settings: RpcSettings, clock: SharedClock) -> Self {
        Self {
            name,
            settings,
            clock,
            routes: RoutesBuilder::default(),
            services: Vec::new(),
            open_ended: HashSet::from([HEALTH_WATCH]),
            readiness: None,
            telemetry: None,
            admin_routes: Router::new(),
            streams_cancelled: CancellationToken::new(),
        }
    }

    /// Adds a generated gRPC service, made with [`crate::limited`].
    #[must_use]
    pub fn add_service<S>(mut self, service: S) -> Self
    where
        S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.routes.add_service(service);
        self.services.push(S::NAME);
        self
    }

    /// What `/readyz` asks; without it the server is ready while it serves.
    #[must_use]
    pub fn readiness(mut self, readiness: Arc<dyn Readiness>) -> Self {
        self.readiness = Some(readiness);
        self
    }

    /// What `/metrics` answers; without it the page is empty. Telemetry must have been started before
    /// [`Self::complete`] for the calls to be counted.
    #[must_use]
    pub fn metrics(mut self, telemetry: Telemetry) -> Self {
        self.telemetry = Some(telemetry);
        self
    }

    /// What else the admin port answers. It is neither encrypted nor authenticated: these routes must see to that themselves.
    #[must_use]
    pub fn admin_routes(mut self, routes: Router) -> Self {
        self.admin_routes = self.admin_routes.merge(routes);
        self
    }

    /// Streaming methods (`/package.Service/Method`) that stay open until one side ends them: no deadline
    /// after their first answer unless the caller gave one.
    #[must_use]
    pub fn open_ended(mut self, methods: &[&'static str]) -> Self {
        self.open_ended.extend(methods);
        self
    }

    /// Cancelled when the server begins to shut down: open streams watch it and end with
    /// `UNAVAILABLE` `SHUTTING_DOWN`.
    pub fn streams_cancelled(&self) -> CancellationToken {
        self.streams_cancelled.clone()
    }

    /// Checks permissions, loads keys and the certificate, binds both ports. Needs a tokio runtime.
    ///
    /// # Errors
    /// What keeps the server from starting.
    pub async fn complete(self) -> Result<Server, StartError> {
        let Self {
            name,
            settings,
            clock,
            mut routes,
            services,
            open_ended,
            readiness,
            telemetry,
            admin_routes,
            streams_cancelled,
        } = self;
        refuse_open_doors(&settings)?;
        let methods = known_methods(&services, &open_ended)?;
        let permissions = MethodPermissions::from_descriptors(
            mainstay_api::FILE_DESCRIPTOR_SET,
            &[services.as_slice(), &[HEALTH_SERVICE], &reflection::SERVICES].concat(),
            settings.reflection_public,
        )?;
        let authenticator = auth::authenticator(&settings.auth, permissions, clock.clone()).await?;
        let tls = settings.tls.as_ref().map(Tls::load).transpose().map_err(StartError::Tls)?;

        // Before anything is bound, so that nobody meets a server that says it serves and does not.
        let health = HealthReporter::new();
        for service in services.iter().copied().chain(["", admin::READINESS_SERVICE]) {
            health.set_service_status(service, ServingStatus::NotServing).await;
        }
        routes.add_service(HealthServer::new(HealthService::from_health_reporter(health.clone())));
        reflection::add(&mut routes)?;

        let ids = Arc::new(IdSource::new(clock));
        let parts = LayerParts {
            limits: settings.limits.clone(),
            ids: ids.clone(),
            methods: Arc::new(methods),
            authenticator,
            streams_cancelled: streams_cancelled.clone(),
        };
        let chain = layers::around_routes(routes.routes(), &parts);
        let gate = Arc::new(Gate::new());
        let admin_health = HealthServer::new(HealthService::from_health_reporter(health.clone()));
        let pages = admin::router(gate.clone(), telemetry, admin_health).merge(admin_routes);
        let rpc_listener = bind("the RPC port", &settings.listen).await?;
        let admin_listener = bind("the admin port", &settings.admin_listen).await?;
        let connections = Connections::new(settings.connections.clone(), settings.limits.clone(), ids.clone());
        let admin_connections = Connections::new(settings.connections.clone(), settings.limits.clone(), ids);
        Server::new(Parts {
            name,
            services,
            health,
            gate,
            readiness,
            readiness_interval: settings.readiness_interval,
            drain: settings.drain,
            streams_cancelled,
            tls,
            chain,
            pages,
            rpc_listener,
            admin_listener,
            connections,
            admin_connections,
        })
    }
}

/// The health service's name.
const HEALTH_SERVICE: &str = "grpc.health.v1.Health";

/// Without authentication only this machine may call, unless told otherwise in so many words.
fn refuse_open_doors(settings: &RpcSettings) -> Result<(), StartError> {
    let is_open = !settings.auth.is_configured() && !settings.listen.address().ip().is_loopback();
    if is_open && !settings.allow_unauthenticated_non_loopback {
        return Err(StartError::Unauthenticated { address: settings.listen.address() });
    }
    Ok(())
}

fn known_methods(services: &[&'static str], open_ended: &HashSet<&'static str>) -> Result<Methods, StartError> {
    let served = services.iter().copied().chain([HEALTH_SERVICE]).chain(reflection::SERVICES).collect();
    let methods = Methods::from_descriptors(&reflection::DESCRIPTOR_SETS, &served, open_ended)
        .map_err(|error| StartError::Descriptors(error.to_string()))?;
    match open_ended.iter().find(|path| !methods.contains(path)) {
        Some(path) => Err(StartError::Descriptors(format!("the open-ended method {path} is not served"))),
        None => Ok(methods),
    }
}

async fn bind(purpose: &'static str, listen: &Listen) -> Result<TcpListener, StartError> {
    listen.bind().await.map_err(|source| StartError::Bind { purpose, address: listen.address(), source })
}
