//! Runs handlers as their jobs become due.

use std::sync::Arc;
use std::time::Duration;

use mainstay_domain::SharedClock;
use mainstay_storage::StorageError;
use rand::rngs::StdRng;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::{JobHandler, Jobs};

/// How eagerly a runner works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunnerSettings {
    /// How long a worker that found nothing due waits before it looks again, unless woken.
    pub poll_interval: Duration,
    /// How many workers each queue has; each holds one connection of the pool while it works.
    pub concurrency: usize,
}

impl Default for RunnerSettings {
    /// A look each half second, one worker a queue.
    fn default() -> Self {
        Self { poll_interval: Duration::from_millis(500), concurrency: 1 }
    }
}

/// Runs handlers as their jobs become due. Any number of runners, in any number of processes, may
/// share the queues.
pub struct Runner {}

impl Runner {
    /// A runner without handlers.
    pub fn new(_jobs: Jobs, _pool: PgPool, _clock: SharedClock, _settings: RunnerSettings) -> Self {
        Self {}
    }

    /// Adds the handler of one queue.
    #[must_use]
    pub fn with(self, _handler: Arc<dyn JobHandler>) -> Self {
        self
    }

    /// Replaces the randomness of backoff, which is otherwise the operating system's.
    #[must_use]
    pub fn with_random(self, _random: StdRng) -> Self {
        self
    }

    /// Works until cancelled.
    pub async fn run(&self, _cancel: CancellationToken) {
        todo!()
    }

    /// Runs everything that is due by the clock until none is left.
    pub async fn run_due(&self) -> Result<usize, StorageError> {
        todo!()
    }

    /// Has idle workers look for due jobs now.
    pub fn wake(&self) {
        todo!()
    }
}
