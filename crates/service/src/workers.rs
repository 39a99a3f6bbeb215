//! The work behind a service's RPCs: due jobs, the sequencer of events, consumers of other services' feeds,
//! housekeeping.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use mainstay_delivery::MessageCounts;
use mainstay_events::{
    CatchUpError, Consumer, ConsumerProgress, ConsumerSettings, EventHandler, EventSource, Sequencer,
    SequencerSettings, SourceError,
};
use mainstay_jobs::{JobHandler, Runner, RunnerSettings};
use mainstay_rpc::service_main::ServiceError;
use mainstay_rpc::settings::Reader;
use mainstay_storage::{DatabaseSettings, Idempotency, SchemaName, StorageError, connect, observe_pool};
use sqlx::PgPool;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::Core;

/// Beside the runner's: housekeeping does one thing at a time.
const HOUSEKEEPING_CONNECTIONS: u32 = 1;
/// A pool of its own, so that no other work can hold up the events: it moves one batch at a time.
const SEQUENCER_CONNECTIONS: u32 = 1;
/// Partitions that a consumer works on at the same time, each with a connection.
const CONSUMER_CONCURRENCY: u32 = 2;
/// A consumer's lease and its look for requeued events, beside its effects.
const CONSUMER_CONNECTIONS: u32 = CONSUMER_CONCURRENCY + 1;
/// How often the pools are looked at.
const POOL_OBSERVATION_INTERVAL: Duration = Duration::from_secs(15);
/// How often what is past its time is thrown away.
const HOUSEKEEPING_INTERVAL: Duration = Duration::from_mins(10);
/// Records of requests in one statement.
const SWEEP_BATCH: u32 = 1_000;
/// How long the work may wait at the start for what other services' feeds hold.
const CATCH_UP_WAIT_MAX: Duration = Duration::from_secs(30);
/// Most rounds of [`Workers::settle`]: work that makes work for ever is a fault.
const SETTLE_ROUNDS_MAX: usize = 1_000;

/// How a service does the work behind its RPCs.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// How long a worker that found nothing due waits before it looks again.
    pub poll_interval: Duration,
    /// How long the event feed keeps its events.
    pub feed_retention: Duration,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self { poll_interval: Duration::from_millis(250), feed_retention: Duration::from_hours(24 * 90) }
    }
}

impl WorkerSettings {
    /// Reads them; faults go to the reader.
    pub fn read(reader: &mut Reader) -> Self {
        let defaults = Self::default();
        Self {
            poll_interval: reader.duration(
                "workers.poll_interval",
                "How long a worker that found nothing due waits before it looks again.",
                defaults.poll_interval,
                Duration::from_millis(10)..=Duration::from_mins(1),
            ),
            feed_retention: reader.duration(
                "workers.feed_retention",
                "How long the event feed keeps its events; readers further behind must start anew.",
                defaults.feed_retention,
                Duration::from_hours(1)..=Duration::from_hours(24 * 3650),
            ),
        }
    }
}

/// Work of another kind than jobs and events, for instance messages that leave.
#[async_trait]
pub trait Background: Send + Sync {
    /// Does everything that is due by the clock; says how much it did.
    async fn settle(&self) -> Result<usize, ServiceError>;

    /// Throws away what is past its time.
    async fn keep_house(&self) -> Result<(), ServiceError>;

    /// Works until cancelled.
    async fn run(&self, cancel: CancellationToken);

    /// Looks for work now: a mutation may have made some due.
    fn wake(&self);

    /// How many messages are still to be sent, and how many were given up; none for work of another kind.
    async fn message_counts(&self) -> Result<Option<MessageCounts>, StorageError> {
        Ok(None)
    }
}

/// The work behind a service's RPCs. Clones are the same.
#[derive(Clone)]
pub struct Workers {
    parts: Arc<Parts>,
}

struct Parts {
    core: Core,
    runner: Runner,
    consumers: Vec<Consumer>,
    background: Vec<Arc<dyn Background>>,
    housekeeping_pool: PgPool,
    sequencer_pool: PgPool,
    feed_retention: TimeDelta,
    /// For metrics, by name.
    pools: Vec<(&'static str, PgPool)>,
}

impl fmt::Debug for Workers {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Workers").field("consumers", &self.parts.consumers).finish_non_exhaustive()
    }
}

/// Collects the work behind a service's RPCs.
pub struct WorkersBuilder {
    core: Core,
    schema: SchemaName,
    database: DatabaseSettings,
    settings: WorkerSettings,
    runner: Runner,
    consumers: Vec<ConsumerParts>,
    background: Vec<Arc<dyn Background>>,
    pools: Vec<(&'static str, PgPool)>,
}

struct ConsumerParts {
    name: &'static str,
    source: Arc<dyn EventSource>,
    handler: Arc<dyn EventHandler>,
    types: Vec<String>,
}

impl WorkersBuilder {
    /// The work of the service with this core and schema; `database` says where the work's own connections lead.
    pub fn new(core: Core, schema: &SchemaName, database: DatabaseSettings, settings: WorkerSettings) -> Self {
        let runner_settings = RunnerSettings { poll_interval: settings.poll_interval, concurrency: 1 };
        let runner = Runner::new(core.jobs.clone(), core.pool.clone(), core.clock.clone(), runner_settings);
        let pools = vec![("rpc", core.pool.clone())];
        Self { core, schema: *schema, database, settings, runner, consumers: Vec::new(), background: Vec::new(), pools }
    }

    /// Adds a queue with so many workers in this process.
    #[must_use]
    pub fn queue(mut self, handler: Arc<dyn JobHandler>, workers: usize) -> Self {
        self.runner = self.runner.with_workers(handler, workers);
        self
    }

    /// Adds a consumer of a feed that wants events of these types (full message names).
    #[must_use]
    pub fn consumer(
        mut self,
        name: &'static str,
        source: Arc<dyn EventSource>,
        handler: Arc<dyn EventHandler>,
        types: Vec<String>,
    ) -> Self {
        self.consumers.push(ConsumerParts { name, source, handler, types });
        self
    }

    /// Adds work of another kind.
    #[must_use]
    pub fn background(mut self, work: Arc<dyn Background>) -> Self {
        self.background.push(work);
        self
    }

    /// Has a pool observed under a name.
    #[must_use]
    pub fn observe(mut self, name: &'static str, pool: PgPool) -> Self {
        self.pools.push((name, pool));
        self
    }

    /// Makes the connections' pools.
    ///
    /// # Errors
    /// When the database settings cannot be used.
    pub fn connect(mut self) -> Result<Workers, ServiceError> {
        let pool_of = |max_connections| connect(&DatabaseSettings { max_connections, ..self.database.clone() });
        let workers_pool = pool_of(self.runner.connections_needed() + HOUSEKEEPING_CONNECTIONS)?;
        let sequencer_pool = pool_of(SEQUENCER_CONNECTIONS)?;
        self.pools.push(("workers", workers_pool.clone()));
        self.pools.push(("sequencer", sequencer_pool.clone()));
        let mut consumers = Vec::new();
        if !self.consumers.is_empty() {
            let consumer_count = u32::try_from(self.consumers.len())?;
            let consumer_pool = pool_of(CONSUMER_CONNECTIONS * consumer_count)?;
            self.pools.push(("consumers", consumer_pool.clone()));
            consumers.extend(self.consumers.into_iter().map(|parts| {
                let ConsumerParts { name, source, handler, types } = parts;
                let concurrency = usize::try_from(CONSUMER_CONCURRENCY).unwrap_or(1);
                let settings = ConsumerSettings { types, concurrency, ..ConsumerSettings::default() };
                Consumer::new(name, source, handler, consumer_pool.clone(), &self.schema).with_settings(settings)
            }));
        }
        let parts = Parts {
            core: self.core,
            runner: self.runner.with_pool(workers_pool.clone()),
            consumers,
            background: self.background,
            housekeeping_pool: workers_pool,
            sequencer_pool,
            feed_retention: TimeDelta::from_std(self.settings.feed_retention)?,
            pools: self.pools,
        };
        Ok(Workers { parts: Arc::new(parts) })
    }
}

impl Workers {
    /// Does everything that is due by the clock, applies what other services' feeds hold, and puts all events into the
    /// feed, until nothing is left to do. A feed that cannot be reached is left for later.
    ///
    /// # Errors
    /// When the database fails, or there is no end.
    pub async fn settle(&self) -> Result<usize, ServiceError> {
        let mut done = 0;
        for _ in 0..SETTLE_ROUNDS_MAX {
            let round = self.settle_once().await?;
            if round == 0 {
                return Ok(done);
            }
            done += round;
        }
        Err("the work that is due makes new work without end".into())
    }

    async fn settle_once(&self) -> Result<usize, ServiceError> {
        let mut done = 0;
        for consumer in &self.parts.consumers {
            match consumer.catch_up().await {
                Ok(seen) => done += seen,
                Err(CatchUpError::Source(error @ SourceError::Unavailable { .. })) => {
                    tracing::debug!(%error, "left for later");
                }
                Err(error) => return Err(error.into()),
            }
        }
        done += self.parts.runner.run_due().await?;
        done += self.parts.core.events.drain(&self.parts.sequencer_pool).await?;
        for background in &self.parts.background {
            done += background.settle().await?;
        }
        Ok(done)
    }

    /// Throws away the answers to requests, events and whatever else is past its time by the clock.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_house(&self) -> Result<(), ServiceError> {
        self.throw_away_old().await?;
        for background in &self.parts.background {
            background.keep_house().await?;
        }
        Ok(())
    }

    /// How far the service has read each feed that it reads.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn progress(&self) -> Result<Vec<ConsumerProgress>, StorageError> {
        let mut all = Vec::new();
        for consumer in &self.parts.consumers {
            all.push(consumer.progress().await?);
        }
        Ok(all)
    }

    /// How many messages are still to be sent, and how many were given up; none when the service sends none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn message_counts(&self) -> Result<Option<MessageCounts>, StorageError> {
        for background in &self.parts.background {
            if let Some(counts) = background.message_counts().await? {
                return Ok(Some(counts));
            }
        }
        Ok(None)
    }

    /// Works until cancelled.
    ///
    /// # Panics
    /// When a part of the work panics: a service that answers and does not work is worse than one that is started anew.
    pub async fn run(self, cancel: CancellationToken) {
        self.catch_up_first(&cancel).await;
        let core = &self.parts.core;
        let sequencer =
            Sequencer::new(core.events.clone(), self.parts.sequencer_pool.clone(), SequencerSettings::default());
        let mut others = JoinSet::new();
        for place in 0..self.parts.consumers.len() {
            let (parts, cancel) = (Arc::clone(&self.parts), cancel.clone());
            others.spawn(async move { parts.consumers[place].run(cancel).await });
        }
        for background in &self.parts.background {
            let (background, cancel) = (Arc::clone(background), cancel.clone());
            others.spawn(async move { background.run(cancel).await });
        }
        tokio::join!(
            self.parts.runner.run(cancel.clone()),
            sequencer.run(cancel.clone()),
            self.wake_others(&cancel),
            self.observe_pools(&cancel),
            self.keep_house_from_time_to_time(&cancel),
            async { others.join_all().await },
        );
    }

    /// Hears what happened while the service was away before it acts on the time that has passed: what has ended meanwhile
    /// is not overdue. A feed that cannot be read, or is long, holds up the work for a while only.
    async fn catch_up_first(&self, cancel: &CancellationToken) {
        let catching_up = async {
            for consumer in &self.parts.consumers {
                if let Err(error) = consumer.catch_up().await {
                    tracing::info!(%error, "starting without what the feed holds");
                }
            }
        };
        let bounded = tokio::time::timeout(CATCH_UP_WAIT_MAX, catching_up);
        if let Some(Err(_)) = cancel.run_until_cancelled(bounded).await {
            tracing::warn!("the feeds hold much: starting before all was read");
        }
    }

    /// Has new work done at once instead of at the next look.
    async fn wake_others(&self, cancel: &CancellationToken) {
        while cancel.run_until_cancelled(self.parts.core.work_arrived.notified()).await.is_some() {
            self.parts.runner.wake();
            self.parts.background.iter().for_each(|background| background.wake());
        }
    }

    async fn observe_pools(&self, cancel: &CancellationToken) {
        let mut ticks = tokio::time::interval(POOL_OBSERVATION_INTERVAL);
        while cancel.run_until_cancelled(ticks.tick()).await.is_some() {
            for (name, pool) in &self.parts.pools {
                observe_pool(pool, name).await;
            }
        }
    }

    async fn keep_house_from_time_to_time(&self, cancel: &CancellationToken) {
        let mut ticks = tokio::time::interval(HOUSEKEEPING_INTERVAL);
        while cancel.run_until_cancelled(ticks.tick()).await.is_some() {
            if let Err(error) = self.keep_house().await {
                tracing::warn!(%error, "what is past its time could not be thrown away; tried again later");
            }
        }
    }

    async fn throw_away_old(&self) -> Result<(), StorageError> {
        let Parts { core, housekeeping_pool, feed_retention, .. } = &*self.parts;
        let now = core.clock.now();
        let answered_before = now - Idempotency::RETENTION;
        while core.idempotency.sweep(housekeeping_pool, answered_before, SWEEP_BATCH).await? == u64::from(SWEEP_BATCH) {
        }
        core.events.prune(housekeeping_pool, now - *feed_retention).await?;
        Ok(())
    }
}
