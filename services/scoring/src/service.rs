//! The service put together: RPCs in front, workers behind, one shutdown.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use mainstay_api::google::longrunning::operations_server::OperationsServer;
use mainstay_api::mainstay::scoring::v1::account_service_server::AccountServiceServer;
use mainstay_api::mainstay::scoring::v1::health_service_server::HealthServiceServer;
use mainstay_api::mainstay::scoring::v1::model_service_server::ModelServiceServer;
use mainstay_api::mainstay::scoring::v1::signal_service_server::SignalServiceServer;
use mainstay_domain::SharedClock;
use mainstay_events::{EventFeedServer, FeedReader, Sequencer, SequencerSettings};
use mainstay_jobs::{Runner, RunnerSettings};
use mainstay_rpc::server::{Server, ServerBuilder};
use mainstay_rpc::service_main::{Runnable, ServiceApp, ServiceContext, ServiceError};
use mainstay_rpc::settings::Reader;
use mainstay_rpc::{Readiness, RpcSettings, limited};
use mainstay_storage::{DatabaseSettings, Idempotency, Migrator, connect, observe_pool};
use mainstay_telemetry::Telemetry;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use crate::app::{App, seed_default_model};
use crate::grpc::{AccountRpc, HealthRpc, ModelRpc, OperationsRpc, SignalRpc};
use crate::jobs::{MarkAll, OperationMonitor, Recompute, Rescore};
use crate::settings::ScoringSettings;
use crate::storage::{migrator, ping};

/// Name of the service, of its feed and its schema.
pub const SERVICE_NAME: &str = "scoring";

const SUBSCRIBE: &str = "/mainstay.events.v1.EventFeedService/Subscribe";
const WATCH_HEALTH: &str = "/mainstay.scoring.v1.HealthService/WatchHealth";
const STREAM_SIGNALS: &str = "/mainstay.scoring.v1.SignalService/StreamSignals";

/// How often what is old is thrown away.
const HOUSEKEEPING_INTERVAL: Duration = Duration::from_mins(10);
/// How often the pools' sizes are told.
const POOL_OBSERVATION_INTERVAL: Duration = Duration::from_secs(15);
const SWEEP_BATCH: u32 = 1_000;

/// What the service is put together from.
pub struct ScoringParts {
    /// Its own settings.
    pub settings: ScoringSettings,
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
        let ScoringParts { settings, rpc, database, clock, telemetry } = parts;
        // Long work in the background must not take the callers' connections.
        let pool = connect(&database)?;
        let worker_connections = settings.rescore_workers + 4;
        let worker_pool = connect(&DatabaseSettings { max_connections: worker_connections, ..database })?;
        let app = App::new(pool.clone(), clock.clone());
        seed_default_model::execute(&app).await?;

        let mut builder = ServerBuilder::new(SERVICE_NAME, rpc.clone(), clock.clone());
        if let Some(telemetry) = telemetry {
            builder = builder.metrics(telemetry);
        }
        let streams_cancelled = builder.streams_cancelled();
        let feed = FeedReader::new(app.events.clone(), pool.clone(), SERVICE_NAME, streams_cancelled.clone());
        let limits = &rpc.limits;
        let server = builder
            .add_service(limited!(AccountServiceServer::new(AccountRpc { app: app.clone() }), limits))
            .add_service(limited!(SignalServiceServer::new(SignalRpc { app: app.clone(), streams_cancelled }), limits))
            .add_service(limited!(ModelServiceServer::new(ModelRpc { app: app.clone() }), limits))
            .add_service(limited!(HealthServiceServer::new(HealthRpc { app: app.clone(), feed: feed.clone() }), limits))
            .add_service(limited!(OperationsServer::new(OperationsRpc { app: app.clone() }), limits))
            .add_service(limited!(EventFeedServer::new(feed).into_service(), limits))
            .open_ended(&[SUBSCRIBE, WATCH_HEALTH, STREAM_SIGNALS])
            .readiness(Arc::new(DatabaseReadiness(pool.clone())))
            .complete()
            .await?;
        Ok(Self { server, workers: Workers::new(app, worker_pool, &settings) })
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

#[async_trait]
impl Runnable for ScoringService {
    async fn run(self, shutdown: CancellationToken) -> Result<(), ServiceError> {
        let server = self.server.run(shutdown.clone());
        // Workers go on while calls drain, so that what was acknowledged is also scored if time allows.
        let workers_cancelled = CancellationToken::new();
        let workers = tokio::spawn(self.workers.run(workers_cancelled.clone()));
        let ended = server.join().await;
        workers_cancelled.cancel();
        workers.await?;
        Ok(ended?)
    }
}

/// The work behind the RPCs: scoring, sequencing events, housekeeping.
#[derive(Clone)]
pub struct Workers {
    app: App,
    pool: PgPool,
    runner: Arc<Runner>,
    feed_retention: Duration,
}

impl Workers {
    fn new(app: App, pool: PgPool, settings: &ScoringSettings) -> Self {
        let concurrency = usize::try_from(settings.rescore_workers).unwrap_or(1);
        let runner_settings = RunnerSettings { poll_interval: settings.poll_interval, concurrency };
        let runner = Runner::new(app.jobs.clone(), pool.clone(), app.clock.clone(), runner_settings)
            .with(Arc::new(MarkAll(app.clone())))
            .with(Arc::new(Rescore(app.clone())))
            .with(Arc::new(Recompute(app.clone())))
            .with(Arc::new(OperationMonitor(app.clone())));
        Self { app, pool, runner: Arc::new(runner), feed_retention: settings.feed_retention }
    }

    /// Does everything that is due by the clock, and puts all events into the feed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle(&self) -> Result<(), ServiceError> {
        self.runner.run_due().await?;
        self.app.events.drain(&self.pool).await?;
        Ok(())
    }

    async fn run(self, cancel: CancellationToken) {
        let sequencer = Sequencer::new(self.app.events.clone(), self.pool.clone(), SequencerSettings::default());
        tokio::join!(
            self.runner.run(cancel.clone()),
            sequencer.run(cancel.clone()),
            self.wake_runner(&cancel),
            self.observe_pools(&cancel),
            self.keep_house(&cancel),
        );
    }

    /// Has new work done at once instead of at the next look.
    async fn wake_runner(&self, cancel: &CancellationToken) {
        while cancel.run_until_cancelled(self.app.work_arrived.notified()).await.is_some() {
            self.runner.wake();
        }
    }

    async fn observe_pools(&self, cancel: &CancellationToken) {
        let mut ticks = tokio::time::interval(POOL_OBSERVATION_INTERVAL);
        while cancel.run_until_cancelled(ticks.tick()).await.is_some() {
            observe_pool(&self.app.pool, "rpc");
            observe_pool(&self.pool, "workers");
        }
    }

    /// Throws away answers kept for repeated requests, and events, that are past their time.
    async fn keep_house(&self, cancel: &CancellationToken) {
        let mut ticks = tokio::time::interval(HOUSEKEEPING_INTERVAL);
        while cancel.run_until_cancelled(ticks.tick()).await.is_some() {
            if let Err(error) = self.throw_away_old().await {
                tracing::warn!(error = %error, "old requests and events could not be thrown away; tried again later");
            }
        }
    }

    async fn throw_away_old(&self) -> Result<(), ServiceError> {
        let now = self.app.clock.now();
        let swept_before = now - Idempotency::RETENTION;
        while self.app.idempotency.sweep(&self.pool, swept_before, SWEEP_BATCH).await? == u64::from(SWEEP_BATCH) {}
        let kept_since = now - TimeDelta::from_std(self.feed_retention)?;
        while self.app.events.prune(&self.pool, kept_since).await? > 0 {}
        Ok(())
    }
}

/// Ready while the database answers.
struct DatabaseReadiness(PgPool);

#[async_trait]
impl Readiness for DatabaseReadiness {
    async fn check(&self) -> Result<(), String> {
        ping(&self.0).await.map_err(|error| error.to_string())
    }
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

    async fn complete(context: ServiceContext<ScoringSettings>) -> Result<ScoringService, ServiceError> {
        let ServiceContext { settings, rpc, database, clock, telemetry } = context;
        ScoringService::complete(ScoringParts { settings, rpc, database, clock, telemetry: Some(telemetry) }).await
    }
}
