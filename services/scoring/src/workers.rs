//! The work behind the RPCs: scoring, sequencing events, housekeeping.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use mainstay_events::{Sequencer, SequencerSettings};
use mainstay_jobs::{Runner, RunnerSettings};
use mainstay_rpc::service_main::ServiceError;
use mainstay_storage::{DatabaseSettings, connect, observe_pool};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::jobs::{Housekeeping, Inactivity, MarkAll, OperationMonitor, PlanUsage, Recompute, Rescore};
use crate::settings::ScoringSettings;

/// Beside the runner's: housekeeping does one thing at a time.
const HOUSEKEEPING_CONNECTIONS: u32 = 1;
/// A pool of its own, so that no other work can hold up the events: it moves one batch at a time.
const SEQUENCER_CONNECTIONS: u32 = 1;
/// How often the pools are looked at.
const POOL_OBSERVATION_INTERVAL: Duration = Duration::from_secs(15);

/// The work behind the RPCs: scoring, sequencing events, housekeeping. Clones are the same.
#[derive(Clone)]
pub struct Workers {
    app: App,
    runner: Arc<Runner>,
    housekeeping: Housekeeping,
    sequencer_pool: PgPool,
    /// For metrics, by name.
    pools: [(&'static str, PgPool); 4],
}

impl Workers {
    pub(crate) fn connect(
        app: App,
        feed_pool: PgPool,
        database: &DatabaseSettings,
        settings: &ScoringSettings,
    ) -> Result<Self, ServiceError> {
        let pool_of = |max_connections| connect(&DatabaseSettings { max_connections, ..database.clone() });
        let runner = runner(&app, settings);
        let pool = pool_of(runner.connections_needed() + HOUSEKEEPING_CONNECTIONS)?;
        let sequencer_pool = pool_of(SEQUENCER_CONNECTIONS)?;
        let feed_retention = TimeDelta::from_std(settings.feed_retention)?;
        Ok(Self {
            runner: Arc::new(runner.with_pool(pool.clone())),
            housekeeping: Housekeeping { app: app.clone(), pool: pool.clone(), feed_retention },
            pools: [
                ("rpc", app.pool.clone()),
                ("feed", feed_pool),
                ("workers", pool),
                ("sequencer", sequencer_pool.clone()),
            ],
            sequencer_pool,
            app,
        })
    }

    /// Does everything that is due by the clock, and puts all events into the feed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle(&self) -> Result<(), ServiceError> {
        self.runner.run_due().await?;
        self.app.events.drain(&self.sequencer_pool).await?;
        Ok(())
    }

    /// Throws away the answers to requests, and events, that are past their time by the clock.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_house(&self) -> Result<(), ServiceError> {
        Ok(self.housekeeping.throw_away_old().await?)
    }

    /// Works until cancelled.
    pub(crate) async fn run(self, cancel: CancellationToken) {
        let sequencer =
            Sequencer::new(self.app.events.clone(), self.sequencer_pool.clone(), SequencerSettings::default());
        tokio::join!(
            self.runner.run(cancel.clone()),
            sequencer.run(cancel.clone()),
            self.wake_runner(&cancel),
            self.observe_pools(&cancel),
            self.housekeeping.run(&cancel),
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
            for (name, pool) in &self.pools {
                observe_pool(pool, name).await;
            }
        }
    }
}

/// A runner of all queues, on the pool of the RPCs until it has its own. All but rescoring have one worker each: they have time.
fn runner(app: &App, settings: &ScoringSettings) -> Runner {
    let rescore_workers = usize::try_from(settings.rescore_workers).unwrap_or(1);
    let runner_settings = RunnerSettings { poll_interval: settings.poll_interval, concurrency: 1 };
    Runner::new(app.jobs.clone(), app.pool.clone(), app.clock.clone(), runner_settings)
        .with(Arc::new(MarkAll(app.clone())))
        .with_workers(Arc::new(Rescore(app.clone())), rescore_workers)
        .with(Arc::new(Inactivity(app.clone())))
        .with(Arc::new(PlanUsage(app.clone())))
        .with(Arc::new(Recompute(app.clone())))
        .with(Arc::new(OperationMonitor(app.clone())))
}
