//! The service put together: RPCs in front, workers behind, one shutdown.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mainstay_accounts::Accounts;
use mainstay_api::mainstay::interventions::v1::alert_service_server::AlertServiceServer;
use mainstay_api::mainstay::interventions::v1::case_service_server::CaseServiceServer;
use mainstay_api::mainstay::interventions::v1::policy_service_server::PolicyServiceServer;
use mainstay_api::mainstay::interventions::v1::report_service_server::ReportServiceServer;
use mainstay_clients::ServiceChannel;
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

use crate::app::{App, NoticeChannels, seed_policies, send_billing_digest};
use crate::grpc::{AlertRpc, CaseRpc, PolicyRpc, ReportRpc};
use crate::jobs::{BillingDigests, Clocks, Monitoring, ScoringFeed, SurveysFeed};
use crate::peers::ScoringPeer;
use crate::settings::InterventionsSettings;
use crate::storage::{SCHEMA, migrator};

/// Name of the service, of its feed and its schema.
pub const SERVICE_NAME: &str = "interventions";

const SUBSCRIBE: &str = "/mainstay.events.v1.EventFeedService/Subscribe";

/// Connections for reading the feed, shared by all its readers.
const FEED_CONNECTIONS: u32 = 4;
/// How long a reader of the feed waits for one of them. It has no caller's deadline.
const FEED_ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// What the service hears of others, and whom it asks.
#[derive(Clone, Default)]
pub struct Peers {
    /// Scoring's feed: accounts, health, risk triggers.
    pub scoring_feed: Option<Arc<dyn EventSource>>,
    /// Scoring, to confirm recoveries.
    pub scoring: Option<ServiceChannel>,
    /// Surveys' feed: answers.
    pub surveys_feed: Option<Arc<dyn EventSource>>,
}

impl Peers {
    /// Those that the settings name.
    ///
    /// # Errors
    /// When an address, token or certificate cannot be used.
    pub fn connect(settings: &InterventionsSettings) -> Result<Self, ServiceError> {
        let connect = |peer| Peer::connect(peer, SERVICE_NAME);
        let scoring = settings.scoring.as_ref().map(connect).transpose()?;
        let surveys = settings.surveys.as_ref().map(connect).transpose()?;
        Ok(Self {
            scoring_feed: scoring.as_ref().map(|peer| peer.feed("scoring")),
            scoring: scoring.map(|peer| peer.channel),
            surveys_feed: surveys.map(|peer| peer.feed("surveys")),
        })
    }
}

/// What the service is put together from.
pub struct InterventionsParts {
    /// Its own settings.
    pub settings: InterventionsSettings,
    /// Other services.
    pub peers: Peers,
    /// How it listens.
    pub rpc: RpcSettings,
    /// Where its data is.
    pub database: DatabaseSettings,
    /// The time.
    pub clock: SharedClock,
    /// Logs, traces, metrics; without it `/metrics` is empty.
    pub telemetry: Option<Telemetry>,
}

/// The service, ready to run.
pub struct InterventionsService {
    server: Server,
    workers: Workers,
}

impl InterventionsService {
    /// Does all that can fail: connects, makes sure that there are policies and digests, binds the ports.
    ///
    /// # Errors
    /// What keeps the service from starting.
    pub async fn complete(parts: InterventionsParts) -> Result<Self, ServiceError> {
        let InterventionsParts { settings, peers, rpc, database, clock, telemetry } = parts;
        let pool = connect(&database)?;
        let feed_pool = connect(&DatabaseSettings {
            max_connections: FEED_CONNECTIONS,
            acquire_timeout: FEED_ACQUIRE_TIMEOUT,
            ..database.clone()
        })?;
        let channels = NoticeChannels {
            email: settings.delivery.smtp.is_some(),
            slack: settings.slack.clone(),
            webhooks: settings.webhooks.clone(),
        };
        let has_receivers = channels.email || !channels.slack.is_empty();
        let app = App {
            core: Core::new(&SCHEMA, pool.clone(), clock.clone()),
            accounts: Accounts::new(&SCHEMA),
            delivery: Delivery::new(&SCHEMA),
            default_owners: Arc::new(settings.default_owners.clone()),
            channels: Arc::new(channels),
            billing_digest_at: settings.billing_digest_at.filter(|_| has_receivers),
            scoring: peers.scoring.clone().map(ScoringPeer::new),
        };
        seed_policies::execute(&app).await?;
        send_billing_digest::schedule(&app).await?;
        let workers = workers(&app, &peers, &settings, &database)?.observe("feed", feed_pool.clone()).connect()?;

        let mut builder = ServerBuilder::new(SERVICE_NAME, rpc.clone(), clock.clone());
        if let Some(telemetry) = telemetry {
            builder = builder.metrics(telemetry);
        }
        let feed = FeedReader::new(app.core.events.clone(), feed_pool, SERVICE_NAME, builder.streams_cancelled());
        let idempotency = app.core.idempotency.clone();
        let delivery = DeliveryServer::new(app.delivery.clone(), pool.clone(), clock, idempotency, &settings.delivery);
        let status = StatusRpc::new(SERVICE_NAME, app.core.clone(), workers.clone());
        let limits = &rpc.limits;
        let server = builder
            .add_service(limited!(AlertServiceServer::new(AlertRpc { app: app.clone() }), limits))
            .add_service(limited!(CaseServiceServer::new(CaseRpc { app: app.clone() }), limits))
            .add_service(limited!(PolicyServiceServer::new(PolicyRpc { app: app.clone() }), limits))
            .add_service(limited!(ReportServiceServer::new(ReportRpc { app }), limits))
            .add_service(limited!(delivery.into_service(), limits))
            .add_service(limited!(status.into_service(), limits))
            .add_service(limited!(EventFeedServer::new(feed).into_service(), limits))
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

fn workers(
    app: &App,
    peers: &Peers,
    settings: &InterventionsSettings,
    database: &DatabaseSettings,
) -> Result<WorkersBuilder, ServiceError> {
    let clock_workers = usize::try_from(settings.clock_workers)?;
    let delivery = DeliveryWork::connect(&app.delivery, &settings.delivery, database, app.core.clock.clone())?;
    let mut builder = WorkersBuilder::new(app.core.clone(), &SCHEMA, database.clone(), settings.workers.clone())
        .queue(Arc::new(Clocks(app.clone())), clock_workers)
        .queue(Arc::new(Monitoring(app.clone())), 1)
        .background(Arc::new(delivery));
    // Of a replica without digests, which may be about to end, the job is left to those that have them.
    if let Some(time_of_day) = app.billing_digest_at {
        builder = builder.queue(Arc::new(BillingDigests { app: app.clone(), time_of_day }), 1);
    }
    if let Some(feed) = &peers.scoring_feed {
        builder = builder.consumer("scoring", feed.clone(), Arc::new(ScoringFeed(app.clone())), ScoringFeed::types());
    }
    if let Some(feed) = &peers.surveys_feed {
        builder = builder.consumer("surveys", feed.clone(), Arc::new(SurveysFeed(app.clone())), SurveysFeed::types());
    }
    Ok(builder)
}

#[async_trait]
impl Runnable for InterventionsService {
    async fn run(self, shutdown: CancellationToken) -> Result<(), ServiceError> {
        let Self { server, workers } = self;
        Ok(server.run_with_work(shutdown, |cancelled| workers.run(cancelled)).await?)
    }
}

/// The service as its binary runs it.
pub struct InterventionsMain;

#[async_trait]
impl ServiceApp for InterventionsMain {
    const NAME: &'static str = SERVICE_NAME;
    const PORT: u16 = 7463;
    const ABOUT: &'static str = "Runs the work that keeps customers: alerts, cases, tasks, each with deadlines.";
    type Settings = InterventionsSettings;
    type Complete = InterventionsService;

    fn read_settings(reader: &mut Reader) -> InterventionsSettings {
        InterventionsSettings::read(reader)
    }

    fn migrator() -> Migrator {
        migrator()
    }

    fn jobs() -> Option<Jobs> {
        Some(Jobs::new(&SCHEMA))
    }

    async fn complete(context: ServiceContext<InterventionsSettings>) -> Result<InterventionsService, ServiceError> {
        let ServiceContext { settings, rpc, database, clock, telemetry } = context;
        let peers = Peers::connect(&settings)?;
        let telemetry = Some(telemetry);
        InterventionsService::complete(InterventionsParts { settings, peers, rpc, database, clock, telemetry }).await
    }
}
