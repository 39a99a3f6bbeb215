//! The service put together: RPCs in front, workers behind, one shutdown.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mainstay_api::google::longrunning::operations_server::OperationsServer;
use mainstay_api::mainstay::scoring::v1::account_card_service_server::AccountCardServiceServer;
use mainstay_api::mainstay::scoring::v1::account_service_server::AccountServiceServer;
use mainstay_api::mainstay::scoring::v1::adoption_service_server::AdoptionServiceServer;
use mainstay_api::mainstay::scoring::v1::backtest_service_server::BacktestServiceServer;
use mainstay_api::mainstay::scoring::v1::cohort_service_server::CohortServiceServer;
use mainstay_api::mainstay::scoring::v1::definition_service_server::DefinitionServiceServer;
use mainstay_api::mainstay::scoring::v1::forecast_service_server::ForecastServiceServer;
use mainstay_api::mainstay::scoring::v1::health_service_server::HealthServiceServer;
use mainstay_api::mainstay::scoring::v1::label_service_server::LabelServiceServer;
use mainstay_api::mainstay::scoring::v1::model_service_server::ModelServiceServer;
use mainstay_api::mainstay::scoring::v1::renewal_service_server::RenewalServiceServer;
use mainstay_api::mainstay::scoring::v1::report_service_server::ReportServiceServer;
use mainstay_api::mainstay::scoring::v1::risk_trigger_service_server::RiskTriggerServiceServer;
use mainstay_api::mainstay::scoring::v1::signal_service_server::SignalServiceServer;
use mainstay_domain::SharedClock;
use mainstay_events::{EventFeedServer, EventSource, FeedReader};
use mainstay_jobs::Jobs;
use mainstay_rpc::server::{Server, ServerBuilder};
use mainstay_rpc::service_main::{Runnable, ServiceApp, ServiceContext, ServiceError};
use mainstay_rpc::settings::Reader;
use mainstay_rpc::{RpcSettings, limited};
use mainstay_service::{DatabaseReadiness, Peer, StatusRpc, Workers, WorkersBuilder};
use mainstay_storage::{DatabaseSettings, Migrator, connect};
use mainstay_telemetry::Telemetry;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use crate::app::{App, report_plan_usage, seed_default_model};
use crate::grpc::{
    AccountCardRpc, AccountRpc, AdoptionRpc, BacktestRpc, CohortRpc, DefinitionRpc, ForecastRpc, HealthRpc, LabelRpc,
    ModelRpc, OperationsRpc, RenewalRpc, ReportRpc, RiskTriggerRpc, SignalRpc,
};
use crate::jobs::{
    Activation, DueTimes, Inactivity, InterventionsFeed, LabelExpiry, MarkAll, OperationMonitor, OperationSteps,
    PlanUsage, Recompute, Rescore, RiskLooks, SurveysFeed,
};
use crate::settings::ScoringSettings;
use crate::storage::{SCHEMA, migrator};
use crate::webhooks;

/// Name of the service, of its feed and its schema.
pub const SERVICE_NAME: &str = "scoring";

const SUBSCRIBE: &str = "/mainstay.events.v1.EventFeedService/Subscribe";
const WATCH_HEALTH: &str = "/mainstay.scoring.v1.HealthService/WatchHealth";
const STREAM_SIGNALS: &str = "/mainstay.scoring.v1.SignalService/StreamSignals";

/// Connections for reading the feed, shared by all its readers: one look at the head, and pages as there is news.
const FEED_CONNECTIONS: u32 = 4;
/// How long a reader of the feed waits for one of them. It has no caller's deadline.
const FEED_ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// The feeds of other services that this one follows; an absent one is left out.
#[derive(Clone, Default)]
pub struct Feeds {
    /// Answers.
    pub surveys: Option<Arc<dyn EventSource>>,
    /// Contacts, and how cases ended.
    pub interventions: Option<Arc<dyn EventSource>>,
}

impl Feeds {
    /// The feeds of the services in the settings.
    ///
    /// # Errors
    /// When the settings of one cannot be used.
    pub fn of_peers(settings: &ScoringSettings) -> Result<Self, ServiceError> {
        Ok(Self {
            surveys: Peer::feed_of(settings.surveys.as_ref(), SERVICE_NAME, "surveys")?,
            interventions: Peer::feed_of(settings.interventions.as_ref(), SERVICE_NAME, "interventions")?,
        })
    }
}

/// What the service is put together from.
pub struct ScoringParts {
    /// Its own settings.
    pub settings: ScoringSettings,
    /// What other services tell.
    pub feeds: Feeds,
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
pub struct ScoringService {
    server: Server,
    workers: Workers,
}

impl ScoringService {
    /// Does all that can fail: connects, makes sure that a model is active, binds the ports.
    ///
    /// # Errors
    /// What keeps the service from starting.
    pub async fn complete(parts: ScoringParts) -> Result<Self, ServiceError> {
        let ScoringParts { settings, feeds, rpc, database, clock, telemetry } = parts;
        // Calls, readers of the feed and work in the background must not take each other's connections.
        let pool = connect(&database)?;
        let feed_pool = connect(&DatabaseSettings {
            max_connections: FEED_CONNECTIONS,
            acquire_timeout: FEED_ACQUIRE_TIMEOUT,
            ..database.clone()
        })?;
        let app = App::new(pool.clone(), clock.clone());
        let workers = workers(&app, feeds, &settings, &database)?.observe("feed", feed_pool.clone()).connect()?;
        seed_default_model::execute(&app).await?;
        report_plan_usage::schedule(&app).await?;

        let mut builder = ServerBuilder::new(SERVICE_NAME, rpc.clone(), clock.clone());
        if let Some(telemetry) = telemetry {
            builder = builder.metrics(telemetry);
        }
        let streams_cancelled = builder.streams_cancelled();
        let feed = FeedReader::new(app.core.events.clone(), feed_pool, SERVICE_NAME, streams_cancelled.clone());
        let status = StatusRpc::new(SERVICE_NAME, app.core.clone(), workers.clone());
        let limits = &rpc.limits;
        let server = builder
            .add_service(limited!(AccountServiceServer::new(AccountRpc { app: app.clone() }), limits))
            .add_service(limited!(AccountCardServiceServer::new(AccountCardRpc { app: app.clone() }), limits))
            .add_service(limited!(SignalServiceServer::new(SignalRpc { app: app.clone(), streams_cancelled }), limits))
            .add_service(limited!(ModelServiceServer::new(ModelRpc { app: app.clone() }), limits))
            .add_service(limited!(BacktestServiceServer::new(BacktestRpc { app: app.clone() }), limits))
            .add_service(limited!(HealthServiceServer::new(HealthRpc { app: app.clone(), feed: feed.clone() }), limits))
            .add_service(limited!(RiskTriggerServiceServer::new(RiskTriggerRpc { app: app.clone() }), limits))
            .add_service(limited!(LabelServiceServer::new(LabelRpc { app: app.clone() }), limits))
            .add_service(limited!(DefinitionServiceServer::new(DefinitionRpc { app: app.clone() }), limits))
            .add_service(limited!(CohortServiceServer::new(CohortRpc { app: app.clone() }), limits))
            .add_service(limited!(ForecastServiceServer::new(ForecastRpc { app: app.clone() }), limits))
            .add_service(limited!(RenewalServiceServer::new(RenewalRpc { app: app.clone() }), limits))
            .add_service(limited!(AdoptionServiceServer::new(AdoptionRpc { app: app.clone() }), limits))
            .add_service(limited!(ReportServiceServer::new(ReportRpc { app: app.clone() }), limits))
            .add_service(limited!(status.into_service(), limits))
            .admin_routes(webhooks::router(app.clone(), &settings.webhooks))
            .add_service(limited!(OperationsServer::new(OperationsRpc { app }), limits))
            .add_service(limited!(EventFeedServer::new(feed).into_service(), limits))
            .open_ended(&[SUBSCRIBE, WATCH_HEALTH, STREAM_SIGNALS])
            .readiness(Arc::new(DatabaseReadiness(pool)))
            .complete()
            .await?;
        Ok(Self { server, workers })
    }

    /// Where the RPCs are.
    pub fn local_addr(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// Where `/livez`, `/readyz`, `/metrics` and `/webhooks/` are.
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

#[async_trait]
impl Runnable for ScoringService {
    async fn run(self, shutdown: CancellationToken) -> Result<(), ServiceError> {
        let Self { server, workers } = self;
        Ok(server.run_with_work(shutdown, |cancelled| workers.run(cancelled)).await?)
    }
}

/// The work behind the RPCs. All queues but rescoring have one worker each: they have time.
fn workers(
    app: &App,
    feeds: Feeds,
    settings: &ScoringSettings,
    database: &DatabaseSettings,
) -> Result<WorkersBuilder, ServiceError> {
    let rescore_workers = usize::try_from(settings.rescore_workers)?;
    let mut builder = WorkersBuilder::new(app.core.clone(), &SCHEMA, database.clone(), settings.workers.clone())
        .queue(Arc::new(Activation(app.clone())), 1)
        .queue(Arc::new(MarkAll(app.clone())), 1)
        .queue(Arc::new(Rescore(app.clone())), rescore_workers)
        .queue(Arc::new(Inactivity(app.clone())), 1)
        .queue(Arc::new(RiskLooks(app.clone())), 1)
        .queue(Arc::new(DueTimes(app.clone())), 1)
        .queue(Arc::new(PlanUsage(app.clone())), 1)
        .queue(Arc::new(LabelExpiry(app.clone())), 1)
        .queue(Arc::new(Recompute(app.clone())), 1)
        .queue(Arc::new(OperationSteps(app.clone())), 1)
        .queue(Arc::new(OperationMonitor(app.clone())), 1);
    if let Some(source) = feeds.surveys {
        builder = builder.consumer("surveys", source, Arc::new(SurveysFeed(app.clone())), SurveysFeed::event_types());
    }
    if let Some(source) = feeds.interventions {
        let handler = Arc::new(InterventionsFeed(app.clone()));
        builder = builder.consumer("interventions", source, handler, InterventionsFeed::event_types());
    }
    Ok(builder)
}

/// The service as its binary runs it.
pub struct ScoringMain;

#[async_trait]
impl ServiceApp for ScoringMain {
    const NAME: &'static str = SERVICE_NAME;
    const PORT: u16 = 7461;
    const ABOUT: &'static str = "Scores the health of every account from what it does, and says why.";
    type Settings = ScoringSettings;
    type Complete = ScoringService;

    fn read_settings(reader: &mut Reader) -> ScoringSettings {
        ScoringSettings::read(reader)
    }

    fn migrator() -> Migrator {
        migrator()
    }

    fn jobs() -> Option<Jobs> {
        Some(Jobs::new(&SCHEMA))
    }

    async fn complete(context: ServiceContext<ScoringSettings>) -> Result<ScoringService, ServiceError> {
        let ServiceContext { settings, rpc, database, clock, telemetry } = context;
        let feeds = Feeds::of_peers(&settings)?;
        ScoringService::complete(ScoringParts { settings, feeds, rpc, database, clock, telemetry: Some(telemetry) })
            .await
    }
}
