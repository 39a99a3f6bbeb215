//! The service put together: RPCs in front, workers behind, one shutdown.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mainstay_accounts::Accounts;
use mainstay_api::mainstay::expansion::v1::catalog_service_server::CatalogServiceServer;
use mainstay_api::mainstay::expansion::v1::opportunity_service_server::OpportunityServiceServer;
use mainstay_api::mainstay::expansion::v1::qualification_service_server::QualificationServiceServer;
use mainstay_api::mainstay::expansion::v1::report_service_server::ReportServiceServer;
use mainstay_domain::SharedClock;
use mainstay_events::{EventFeedServer, EventSource, FeedReader};
use mainstay_jobs::Jobs;
use mainstay_rpc::server::{Server, ServerBuilder};
use mainstay_rpc::service_main::{Runnable, ServiceApp, ServiceContext, ServiceError};
use mainstay_rpc::settings::Reader;
use mainstay_rpc::{RpcSettings, limited};
use mainstay_service::{Core, DatabaseReadiness, Peer, StatusRpc, Workers, WorkersBuilder};
use mainstay_storage::{DatabaseSettings, Migrator, connect};
use mainstay_telemetry::Telemetry;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use crate::app::{App, schedule_reviews};
use crate::grpc::{CatalogRpc, OpportunityRpc, QualificationRpc, ReportRpc};
use crate::jobs::{BeginReviews, InterventionsFeed, ReviewPages, RingClocks, ScoringFeed};
use crate::settings::ExpansionSettings;
use crate::storage::{SCHEMA, migrator};

/// Name of the service, of its feed and its schema.
pub const SERVICE_NAME: &str = "expansion";

const SUBSCRIBE: &str = "/mainstay.events.v1.EventFeedService/Subscribe";
const SCORING: &str = "scoring";
const INTERVENTIONS: &str = "interventions";

/// Connections for reading the feed, shared by all its readers.
const FEED_CONNECTIONS: u32 = 4;
/// How long a reader of the feed waits for one of them. It has no caller's deadline.
const FEED_ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// The feeds of other services; what is not there is not listened to.
#[derive(Clone, Default)]
pub struct Feeds {
    /// Scoring's.
    pub scoring: Option<Arc<dyn EventSource>>,
    /// That of interventions.
    pub interventions: Option<Arc<dyn EventSource>>,
}

/// What the service is put together from.
pub struct ExpansionParts {
    /// Its own settings.
    pub settings: ExpansionSettings,
    /// How it listens.
    pub rpc: RpcSettings,
    /// Where its data is.
    pub database: DatabaseSettings,
    /// The time.
    pub clock: SharedClock,
    /// Logs, traces, metrics; without it `/metrics` is empty.
    pub telemetry: Option<Telemetry>,
    /// Feeds in place of those that the settings lead to.
    pub feeds: Feeds,
}

/// The service, ready to run.
pub struct ExpansionService {
    server: Server,
    workers: Workers,
}

impl ExpansionService {
    /// Does all that can fail: connects, sets the timer of reviews, binds the ports.
    ///
    /// # Errors
    /// What keeps the service from starting.
    pub async fn complete(parts: ExpansionParts) -> Result<Self, ServiceError> {
        let ExpansionParts { settings, rpc, database, clock, telemetry, feeds } = parts;
        // Calls, readers of the feed and work in the background must not take each other's connections.
        let pool = connect(&database)?;
        let feed_pool = connect(&DatabaseSettings {
            max_connections: FEED_CONNECTIONS,
            acquire_timeout: FEED_ACQUIRE_TIMEOUT,
            ..database.clone()
        })?;
        let app = App {
            core: Core::new(&SCHEMA, pool.clone(), clock.clone()),
            accounts: Accounts::new(&SCHEMA),
            default_owner_email: settings.default_owner_email.as_str().into(),
        };
        let mut workers = WorkersBuilder::new(app.core.clone(), &SCHEMA, database, settings.workers.clone())
            .queue(Arc::new(RingClocks(app.clone())), 1)
            .queue(Arc::new(ReviewPages(app.clone())), 1)
            .queue(Arc::new(BeginReviews(app.clone())), 1)
            .observe("feed", feed_pool.clone());
        if let Some(source) = feed(feeds.scoring, settings.scoring.as_ref(), SCORING)? {
            workers = workers.consumer(SCORING, source, Arc::new(ScoringFeed(app.clone())), ScoringFeed::event_types());
        }
        if let Some(source) = feed(feeds.interventions, settings.interventions.as_ref(), INTERVENTIONS)? {
            let handler = Arc::new(InterventionsFeed(app.clone()));
            workers = workers.consumer(INTERVENTIONS, source, handler, InterventionsFeed::event_types());
        }
        let workers = workers.connect()?;
        schedule_reviews::execute(&app).await?;

        let mut builder = ServerBuilder::new(SERVICE_NAME, rpc.clone(), clock);
        if let Some(telemetry) = telemetry {
            builder = builder.metrics(telemetry);
        }
        let reader = FeedReader::new(app.core.events.clone(), feed_pool, SERVICE_NAME, builder.streams_cancelled());
        let status = StatusRpc::new(SERVICE_NAME, app.core.clone(), workers.clone());
        let limits = &rpc.limits;
        let server = builder
            .add_service(limited!(CatalogServiceServer::new(CatalogRpc { app: app.clone() }), limits))
            .add_service(limited!(QualificationServiceServer::new(QualificationRpc { app: app.clone() }), limits))
            .add_service(limited!(OpportunityServiceServer::new(OpportunityRpc { app: app.clone() }), limits))
            .add_service(limited!(ReportServiceServer::new(ReportRpc { app }), limits))
            .add_service(limited!(status.into_service(), limits))
            .add_service(limited!(EventFeedServer::new(reader).into_service(), limits))
            .open_ended(&[SUBSCRIBE])
            .readiness(Arc::new(DatabaseReadiness(pool)))
            .complete()
            .await?;
        Ok(Self { server, workers })
    }

    /// Where the RPCs are.
    pub fn local_addr(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// Where `/livez`, `/readyz` and `/metrics` are.
    pub fn admin_addr(&self) -> SocketAddr {
        self.server.admin_addr()
    }

    /// A channel to the service without the network.
    pub fn in_memory_channel(&self) -> Channel {
        self.server.in_memory_channel()
    }

    /// The work behind the RPCs; a turned clock makes it due, and this does it at once.
    pub fn workers(&self) -> Workers {
        self.workers.clone()
    }
}

/// The feed that was given, or the one that the settings lead to.
fn feed(
    given: Option<Arc<dyn EventSource>>,
    settings: Option<&mainstay_service::PeerSettings>,
    name: &str,
) -> Result<Option<Arc<dyn EventSource>>, ServiceError> {
    match (given, settings) {
        (Some(source), _) => Ok(Some(source)),
        (None, Some(settings)) => Ok(Some(Peer::connect(settings, SERVICE_NAME)?.feed(name))),
        (None, None) => Ok(None),
    }
}

#[async_trait]
impl Runnable for ExpansionService {
    async fn run(self, shutdown: CancellationToken) -> Result<(), ServiceError> {
        let Self { server, workers } = self;
        Ok(server.run_with_work(shutdown, |cancelled| workers.run(cancelled)).await?)
    }
}

/// The service as its binary runs it.
pub struct ExpansionMain;

#[async_trait]
impl ServiceApp for ExpansionMain {
    const NAME: &'static str = SERVICE_NAME;
    const PORT: u16 = 7464;
    const ABOUT: &'static str = "Finds customers who are ready for a larger plan, and leads the way there.";
    type Settings = ExpansionSettings;
    type Complete = ExpansionService;

    fn read_settings(reader: &mut Reader) -> ExpansionSettings {
        ExpansionSettings::read(reader)
    }

    fn migrator() -> Migrator {
        migrator()
    }

    fn jobs() -> Option<Jobs> {
        Some(Jobs::new(&SCHEMA))
    }

    async fn complete(context: ServiceContext<ExpansionSettings>) -> Result<ExpansionService, ServiceError> {
        let ServiceContext { settings, rpc, database, clock, telemetry } = context;
        let (telemetry, feeds) = (Some(telemetry), Feeds::default());
        ExpansionService::complete(ExpansionParts { settings, rpc, database, clock, telemetry, feeds }).await
    }
}
