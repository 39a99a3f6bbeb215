//! The service put together: RPCs and the answer page in front, workers behind, one shutdown.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mainstay_accounts::Accounts;
use mainstay_api::mainstay::surveys::v1::invitation_service_server::InvitationServiceServer;
use mainstay_api::mainstay::surveys::v1::program_service_server::ProgramServiceServer;
use mainstay_api::mainstay::surveys::v1::report_service_server::ReportServiceServer;
use mainstay_api::mainstay::surveys::v1::response_service_server::ResponseServiceServer;
use mainstay_delivery::{Delivery, DeliveryServer};
use mainstay_domain::SharedClock;
use mainstay_events::{EventFeedServer, EventSource, FeedReader};
use mainstay_jobs::Jobs;
use mainstay_rpc::server::{Server, ServerBuilder};
use mainstay_rpc::service_main::{Runnable, ServiceApp, ServiceContext, ServiceError};
use mainstay_rpc::settings::Reader;
use mainstay_rpc::{RpcSettings, limited};
use mainstay_service::{Core, DatabaseReadiness, DeliveryWork, Peer, StatusRpc, Workers, WorkersBuilder};
use mainstay_storage::{DatabaseSettings, Migrator, connect};
use mainstay_telemetry::Telemetry;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use crate::app::{App, Links};
use crate::grpc::{InvitationRpc, ProgramRpc, ReportRpc, ResponseRpc};
use crate::jobs::{Enrolments, FollowUps, InterventionsFeed, Occasions, Resurveys, ScoringFeed};
use crate::page::PageServer;
use crate::settings::SurveysSettings;
use crate::storage::{SCHEMA, migrator};

/// Name of the service, of its feed and its schema.
pub const SERVICE_NAME: &str = "surveys";

const SUBSCRIBE: &str = "/mainstay.events.v1.EventFeedService/Subscribe";

/// Connections for reading the feed, shared by all its readers: one look at the head, and pages as there is news.
const FEED_CONNECTIONS: u32 = 4;
/// How long a reader of the feed waits for one of them. It has no caller's deadline.
const FEED_ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// Workers that decide on occasions: a quarter begins for many accounts at once.
const OCCASION_WORKERS: usize = 2;

/// The feeds of other services that this one follows; an absent one is left out.
#[derive(Clone, Default)]
pub struct Feeds {
    /// Accounts and tickets.
    pub scoring: Option<Arc<dyn EventSource>>,
    /// Resolved cases.
    pub interventions: Option<Arc<dyn EventSource>>,
}

impl Feeds {
    /// The feeds of the services in the settings.
    ///
    /// # Errors
    /// When the settings of one cannot be used.
    pub fn of_peers(settings: &SurveysSettings) -> Result<Self, ServiceError> {
        Ok(Self {
            scoring: Peer::feed_of(settings.scoring.as_ref(), SERVICE_NAME, "scoring")?,
            interventions: Peer::feed_of(settings.interventions.as_ref(), SERVICE_NAME, "interventions")?,
        })
    }
}

/// What the service is put together from.
pub struct SurveysParts {
    /// Its own settings.
    pub settings: SurveysSettings,
    /// How it listens.
    pub rpc: RpcSettings,
    /// Where its data is.
    pub database: DatabaseSettings,
    /// The time.
    pub clock: SharedClock,
    /// Logs, traces, metrics; without it `/metrics` is empty.
    pub telemetry: Option<Telemetry>,
    /// What it follows.
    pub feeds: Feeds,
}

/// The service, ready to run.
pub struct SurveysService {
    server: Server,
    page: PageServer,
    page_addr: SocketAddr,
    workers: Workers,
}

impl SurveysService {
    /// Does all that can fail: connects, binds the ports.
    ///
    /// # Errors
    /// What keeps the service from starting.
    pub async fn complete(parts: SurveysParts) -> Result<Self, ServiceError> {
        let SurveysParts { settings, rpc, database, clock, telemetry, feeds } = parts;
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
            delivery: Delivery::new(&SCHEMA),
            links: Arc::new(Links::new(&settings.page.public_url, settings.page.link_secrets())),
            follows_scoring: feeds.scoring.is_some(),
        };
        let workers = workers(&app, &database, &settings, feeds)?.observe("feed", feed_pool.clone()).connect()?;
        let page = PageServer::bind(app.clone(), &settings.page)
            .await
            .map_err(|error| format!("the answer page cannot listen on {}: {error}", settings.page.listen.address()))?;
        let page_addr = page.local_addr()?;

        let mut builder = ServerBuilder::new(SERVICE_NAME, rpc.clone(), clock.clone());
        if let Some(telemetry) = telemetry {
            builder = builder.metrics(telemetry);
        }
        let streams_cancelled = builder.streams_cancelled();
        let feed = FeedReader::new(app.core.events.clone(), feed_pool, SERVICE_NAME, streams_cancelled);
        let messages = DeliveryServer::new(
            app.delivery.clone(),
            pool.clone(),
            clock,
            app.core.idempotency.clone(),
            &settings.delivery,
        );
        let status = StatusRpc::new(SERVICE_NAME, app.core.clone(), workers.clone());
        let limits = &rpc.limits;
        let server = builder
            .add_service(limited!(ProgramServiceServer::new(ProgramRpc { app: app.clone() }), limits))
            .add_service(limited!(InvitationServiceServer::new(InvitationRpc { app: app.clone() }), limits))
            .add_service(limited!(ResponseServiceServer::new(ResponseRpc { app: app.clone() }), limits))
            .add_service(limited!(ReportServiceServer::new(ReportRpc { app }), limits))
            .add_service(limited!(messages.into_service(), limits))
            .add_service(limited!(EventFeedServer::new(feed).into_service(), limits))
            .add_service(limited!(status.into_service(), limits))
            .open_ended(&[SUBSCRIBE])
            .readiness(Arc::new(DatabaseReadiness(pool)))
            .complete()
            .await?;
        Ok(Self { server, page, page_addr, workers })
    }

    /// Where the RPCs are.
    pub fn local_addr(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// Where `/livez`, `/readyz` and `/metrics` are.
    pub fn admin_addr(&self) -> SocketAddr {
        self.server.admin_addr()
    }

    /// Where the answer page is.
    pub fn page_addr(&self) -> SocketAddr {
        self.page_addr
    }

    /// The answer page, for who runs it without the rest, with a turned clock.
    pub fn page(&self) -> PageServer {
        self.page.clone()
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

/// The work behind the RPCs: due jobs, what other services tell, mails.
fn workers(
    app: &App,
    database: &DatabaseSettings,
    settings: &SurveysSettings,
    feeds: Feeds,
) -> Result<WorkersBuilder, ServiceError> {
    let messages = DeliveryWork::connect(&app.delivery, &settings.delivery, database, app.core.clock.clone())?;
    let mut builder = WorkersBuilder::new(app.core.clone(), &SCHEMA, database.clone(), settings.workers.clone())
        .queue(Arc::new(Occasions(app.clone())), OCCASION_WORKERS)
        .queue(Arc::new(Enrolments(app.clone())), 1)
        .queue(Arc::new(FollowUps(app.clone())), 1)
        .queue(Arc::new(Resurveys(app.clone())), 1)
        .background(Arc::new(messages));
    if let Some(source) = feeds.scoring {
        builder = builder.consumer("scoring", source, Arc::new(ScoringFeed(app.clone())), ScoringFeed::event_types());
    }
    if let Some(source) = feeds.interventions {
        let handler = Arc::new(InterventionsFeed(app.clone()));
        builder = builder.consumer("interventions", source, handler, InterventionsFeed::event_types());
    }
    Ok(builder)
}

#[async_trait]
impl Runnable for SurveysService {
    async fn run(self, shutdown: CancellationToken) -> Result<(), ServiceError> {
        let Self { server, page, workers, .. } = self;
        let work = |cancelled: CancellationToken| async move {
            tokio::join!(workers.run(cancelled.clone()), page.run(cancelled));
        };
        Ok(server.run_with_work(shutdown, work).await?)
    }
}

/// The service as its binary runs it.
pub struct SurveysMain;

#[async_trait]
impl ServiceApp for SurveysMain {
    const NAME: &'static str = SERVICE_NAME;
    const PORT: u16 = 7462;
    const ABOUT: &'static str = "Asks customers how they are, and keeps what they say.";
    type Settings = SurveysSettings;
    type Complete = SurveysService;

    fn read_settings(reader: &mut Reader) -> SurveysSettings {
        SurveysSettings::read(reader)
    }

    fn migrator() -> Migrator {
        migrator()
    }

    fn jobs() -> Option<Jobs> {
        Some(Jobs::new(&SCHEMA))
    }

    async fn complete(context: ServiceContext<SurveysSettings>) -> Result<SurveysService, ServiceError> {
        let ServiceContext { settings, rpc, database, clock, telemetry } = context;
        let feeds = Feeds::of_peers(&settings)?;
        SurveysService::complete(SurveysParts { settings, rpc, database, clock, telemetry: Some(telemetry), feeds })
            .await
    }
}
