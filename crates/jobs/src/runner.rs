//! Runs handlers as their jobs become due.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use mainstay_domain::SharedClock;
use mainstay_storage::StorageError;
use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::attempt::{Engine, Progress};
use crate::metric;
use crate::{JobHandler, Jobs};

/// How long [`Runner::run`] lets transactions finish once it is cancelled.
const STOP_GRACE: Duration = Duration::from_secs(10);

/// The longest wait of a worker that cannot reach the database.
const FAULT_WAIT_MAX: Duration = Duration::from_secs(30);

/// How often the gauges are set. Counting reads all rows of the table.
const OBSERVE_INTERVAL: Duration = Duration::from_secs(15);

/// How eagerly a runner works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunnerSettings {
    /// How long a worker that found nothing due waits before it looks again, unless woken.
    pub poll_interval: Duration,
    /// How many workers a queue has, at least 1, unless [`Runner::with_workers`] says otherwise. Each
    /// holds one connection of the pool while it works.
    pub concurrency: usize,
}

impl Default for RunnerSettings {
    /// A look each half second, one worker a queue.
    fn default() -> Self {
        Self { poll_interval: Duration::from_millis(500), concurrency: 1 }
    }
}

/// A queue as a runner works on it.
struct Queue {
    handler: Arc<dyn JobHandler>,
    workers: usize,
}

/// Runs handlers as their jobs become due. Any number of runners, in any number of processes, may
/// share the queues.
pub struct Runner {
    engine: Arc<Engine>,
    queues: Vec<Queue>,
    settings: RunnerSettings,
    stop_grace: Duration,
    wake: watch::Sender<()>,
}

impl Runner {
    /// A runner without handlers. What is due is decided by `clock` alone.
    pub fn new(jobs: Jobs, pool: PgPool, clock: SharedClock, settings: RunnerSettings) -> Self {
        let random = StdRng::try_from_rng(&mut SysRng).unwrap_or_else(|_| StdRng::seed_from_u64(0));
        Self {
            engine: Arc::new(Engine { jobs, pool, clock, random: Arc::new(Mutex::new(random)) }),
            queues: Vec::new(),
            settings,
            stop_grace: STOP_GRACE,
            wake: watch::Sender::new(()),
        }
    }

    /// Adds the handler of one queue.
    ///
    /// # Panics
    /// If the queue has a handler already.
    #[must_use]
    pub fn with(self, handler: Arc<dyn JobHandler>) -> Self {
        let workers = self.settings.concurrency;
        self.with_workers(handler, workers)
    }

    /// Adds the handler of one queue that has a number of workers of its own, at least 1.
    ///
    /// # Panics
    /// If the queue has a handler already.
    #[must_use]
    pub fn with_workers(mut self, handler: Arc<dyn JobHandler>, workers: usize) -> Self {
        let name = handler.queue();
        assert!(self.queue_names().all(|other| other != name), "the queue {name} has two handlers");
        self.queues.push(Queue { handler, workers: workers.max(1) });
        self
    }

    /// How many connections of its pool the runner uses at once: one for each worker, and one to count with. With
    /// fewer, workers wait for each other, and fail when they wait for longer than the pool lets them.
    pub fn connections_needed(&self) -> u32 {
        let workers: usize = self.queues.iter().map(|queue| queue.workers).sum();
        u32::try_from(workers + 1).unwrap_or(u32::MAX)
    }

    /// Replaces the pool, for instance by one that is as large as the queues need.
    #[must_use]
    pub fn with_pool(mut self, pool: PgPool) -> Self {
        self.engine = Arc::new(Engine { pool, ..Engine::clone(&self.engine) });
        self
    }

    /// Replaces the randomness of backoff, which is otherwise seeded by the operating system.
    #[must_use]
    pub fn with_random(mut self, random: StdRng) -> Self {
        self.engine = Arc::new(Engine { random: Arc::new(Mutex::new(random)), ..Engine::clone(&self.engine) });
        self
    }

    /// Replaces how long transactions may take to finish once the runner is cancelled: 10 s.
    #[must_use]
    pub fn with_stop_grace(mut self, stop_grace: Duration) -> Self {
        self.stop_grace = stop_grace;
        self
    }

    /// Works until cancelled. Transactions under way are then finished, or rolled back if they take
    /// longer than the grace; either way each job is done or still there. So it is if this future is
    /// dropped.
    ///
    /// # Panics
    /// When a worker panics. What a handler does is no reason: its panics are failed attempts.
    pub async fn run(&self, cancel: CancellationToken) {
        let mut workers = JoinSet::new();
        for queue in &self.queues {
            for _ in 0..queue.workers {
                workers.spawn(keep_working(
                    Arc::clone(&self.engine),
                    Arc::clone(&queue.handler),
                    self.wake.subscribe(),
                    self.settings.poll_interval,
                    cancel.clone(),
                ));
            }
        }
        workers.spawn(keep_observing(Arc::clone(&self.engine), self.queue_names().collect(), cancel.clone()));

        while let Some(Some(ended)) = cancel.run_until_cancelled(workers.join_next()).await {
            ended.unwrap_or_else(|error| resume_unwind(error.into_panic()));
        }
        let stopping = async { while workers.join_next().await.is_some() {} };
        if tokio::time::timeout(self.stop_grace, stopping).await.is_err() {
            tracing::warn!("jobs took too long to finish and are rolled back");
            workers.shutdown().await;
        }
    }

    /// Runs everything that is due by the clock, also what becomes due by that, until none is left;
    /// waits for jobs that others hold. Answers how many were completed. Failed ones wait for their
    /// backoff and are not among them.
    ///
    /// A handler that always answers [`Outcome::Again`](crate::Outcome::Again) with a time that has
    /// come keeps this going.
    pub async fn run_due(&self) -> Result<usize, StorageError> {
        let mut completed = 0;
        loop {
            let mut round = Progress::default();
            for queue in &self.queues {
                round += self.drain(queue).await?;
            }
            completed += round.completed;
            if round.tried == 0 {
                return Ok(completed);
            }
        }
    }

    async fn drain(&self, queue: &Queue) -> Result<Progress, StorageError> {
        let handler = &queue.handler;
        let mut workers = JoinSet::new();
        for _ in 0..queue.workers {
            workers.spawn(drain_unheld(Arc::clone(&self.engine), Arc::clone(handler)));
        }
        let mut progress = Progress::default();
        while let Some(drained) = workers.join_next().await {
            progress += drained.unwrap_or_else(|error| resume_unwind(error.into_panic()))?;
        }
        while let Some(key) = self.find_due(handler.queue()).await? {
            progress += self.engine.work_alone(handler.as_ref(), &key).await?;
        }
        Ok(progress)
    }

    async fn find_due(&self, queue: &str) -> Result<Option<String>, StorageError> {
        let mut connection = self.engine.pool.acquire().await?;
        self.engine.jobs.find_due(&mut connection, queue, self.engine.clock.now()).await
    }

    /// Has idle workers look for due jobs now, for instance after a commit that scheduled some or
    /// when the clock was turned.
    pub fn wake(&self) {
        self.wake.send_replace(());
    }

    /// Sets the gauges of all queues now; [`run`](Self::run) does so every 15 s.
    pub async fn observe(&self) -> Result<(), StorageError> {
        observe(&self.engine, &self.queue_names().collect::<Vec<_>>()).await
    }

    fn queue_names(&self) -> impl Iterator<Item = &'static str> {
        self.queues.iter().map(|queue| queue.handler.queue())
    }
}

/// One worker of one queue. It outlives whatever its handler does.
async fn keep_working(
    engine: Arc<Engine>,
    handler: Arc<dyn JobHandler>,
    mut woken: watch::Receiver<()>,
    poll_interval: Duration,
    cancel: CancellationToken,
) {
    let mut faults = 0;
    while !cancel.is_cancelled() {
        // Before looking: a wake-up while it looks makes it look again.
        woken.mark_unchanged();
        let fault = match AssertUnwindSafe(engine.work(handler.as_ref(), &cancel)).catch_unwind().await {
            Ok(Ok(Progress { tried: 0, .. })) => None,
            Ok(Ok(_)) => {
                faults = 0;
                continue;
            }
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("the worker panicked".to_owned()),
        };
        if let Some(error) = fault {
            faults += 1;
            tracing::warn!(queue = handler.queue(), error, "jobs cannot be worked on");
            let wait = poll_interval.saturating_mul(2_u32.saturating_pow(faults)).min(FAULT_WAIT_MAX);
            // Waking does not help here: who schedules a lot would only add to what is wrong.
            let _ = tokio::time::timeout(wait, cancel.cancelled()).await;
            continue;
        }
        faults = 0;
        tokio::select! {
            () = cancel.cancelled() => {}
            _ = woken.changed() => {}
            () = tokio::time::sleep(poll_interval) => {}
        }
    }
}

async fn drain_unheld(engine: Arc<Engine>, handler: Arc<dyn JobHandler>) -> Result<Progress, StorageError> {
    let never = CancellationToken::new();
    let mut drained = Progress::default();
    loop {
        let progress = engine.work(handler.as_ref(), &never).await?;
        if progress.tried == 0 {
            return Ok(drained);
        }
        drained += progress;
    }
}

async fn keep_observing(engine: Arc<Engine>, queues: Vec<&'static str>, cancel: CancellationToken) {
    while !cancel.is_cancelled() {
        if let Err(error) = observe(&engine, &queues).await {
            tracing::debug!(%error, "queues cannot be counted");
        }
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(OBSERVE_INTERVAL) => {}
        }
    }
}

async fn observe(engine: &Engine, queues: &[&'static str]) -> Result<(), StorageError> {
    let now = engine.clock.now();
    let stats = engine.jobs.stats(&engine.pool, now).await?;
    for queue in queues {
        metric::observe(queue, stats.iter().find(|stats| stats.queue == *queue), now);
    }
    Ok(())
}
