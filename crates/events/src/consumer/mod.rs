//! Consumers of a feed: each event has one effect, whatever crashes in between.
//!
//! * The offset of a partition moves in the transaction of the effect, under the lock of the partition's row; an event at or
//!   below the stored offset is not applied again. That alone makes effects happen once and in order.
//! * Replicas tell each other by `consumer_replicas` that they live, and share the partitions evenly. The sharing only
//!   saves work: two replicas that hold the same partition for a while, as when one was taken for dead, wait for each other's row and
//!   find the work done.
//! * Each subscription starts at or before the stored offset of each of its partitions, so that no event of a partition is
//!   left out when its offset moves.
//! * An event that fails holds up its partition until it was tried `attempts_max` times. Then it is parked, and so are
//!   all later events of its account, which must not overtake it; other accounts go on. See [`ParkedEvents`].

mod handler;
mod local;
mod parked;
mod remote;
mod session;
mod settings;
mod source;
mod store;
mod worker;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mainstay_domain::PARTITION_COUNT;
use mainstay_storage::{SchemaName, StorageError};
use sqlx::PgPool;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::session::{Session, SessionError, share_of};
use self::store::Store;
use self::worker::Worker;

pub use handler::{EventHandler, HandlerError};
pub use local::LocalSource;
pub use parked::{ParkedEvent, ParkedEvents};
pub use remote::RemoteSource;
pub use settings::{ConsumerSettings, ConsumerStart};
pub use source::{EventSource, SourceBatch, SourceError, SourcePosition, SourceStream};

/// How far a consumer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerProgress {
    /// Name of the feed.
    pub feed: String,
    /// Events from the partition that is furthest behind to the newest of the feed; none when the feed cannot be reached.
    pub lag: Option<i64>,
    /// Events that are set aside.
    pub parked: i64,
}

/// Why a consumer did not come through what its feed holds.
#[derive(Debug, thiserror::Error)]
pub enum CatchUpError {
    /// The feed cannot be read.
    #[error(transparent)]
    Source(SourceError),
    /// The consumer's own database failed.
    #[error("the consumer's own database failed: {0}")]
    Storage(StorageError),
}

impl From<SessionError> for CatchUpError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Source(error) => Self::Source(error),
            SessionError::Storage(error) => Self::Storage(error),
        }
    }
}

/// How long a feed may take to say where it stands.
const POSITION_WAIT: Duration = Duration::from_secs(2);

/// Longest wait before the feed is tried again.
const RECONNECT_WAIT_MAX: Duration = Duration::from_secs(5);

/// Applies the events of a feed to the consumer's own database, each once.
pub struct Consumer {
    name: &'static str,
    source: Arc<dyn EventSource>,
    handler: Arc<dyn EventHandler>,
    pool: PgPool,
    schema: SchemaName,
    settings: ConsumerSettings,
}

impl fmt::Debug for Consumer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Consumer")
            .field("name", &self.name)
            .field("feed", &self.source.feed())
            .finish_non_exhaustive()
    }
}

impl Consumer {
    /// A consumer with the name under which its offsets are kept. `schema` is its own, with
    /// [`crate::MIGRATIONS`], and `pool` leads to it.
    pub fn new(
        name: &'static str,
        source: Arc<dyn EventSource>,
        handler: Arc<dyn EventHandler>,
        pool: PgPool,
        schema: &SchemaName,
    ) -> Self {
        Self { name, source, handler, pool, schema: *schema, settings: ConsumerSettings::default() }
    }

    /// The same with other settings.
    #[must_use]
    pub fn with_settings(self, settings: ConsumerSettings) -> Self {
        Self { settings, ..self }
    }

    /// Works until `cancel`. A transaction under way is rolled back then, and its events are applied by whoever goes on.
    ///
    /// It never gives up: whatever fails is logged and tried again. A feed that has pruned what was not read yet, or that was
    /// made anew, needs a person; the consumer says so each time and passes over nothing.
    pub async fn run(&self, cancel: CancellationToken) {
        let worker = Arc::new(self.worker());
        let (replica_sender, replica) = watch::channel(None);
        tokio::select! {
            biased;
            () = cancel.cancelled() => {}
            () = self.reconnect(&worker, &replica_sender) => {}
        }
        let replica = *replica.borrow();
        if let Some(replica) = replica
            && let Err(error) = worker.store.leave(&worker.pool, replica).await
        {
            tracing::warn!(consumer = self.name, %error, "the other replicas take over when the lease has run out");
        }
    }

    /// Applies what the feed holds now, once, and comes back: for a turned clock, whose hand waits for the effects.
    /// Says how many events there were. An event that fails is left for the next call; after as many calls as the
    /// settings have attempts it is parked.
    ///
    /// # Errors
    /// When the feed or the consumer's own database cannot be read.
    pub async fn catch_up(&self) -> Result<usize, CatchUpError> {
        let mut session = Session::open(Arc::new(self.worker()), Arc::clone(&self.source)).await?;
        Ok(session.catch_up().await?)
    }

    /// How far the consumer is, as its database has it: the same from every replica.
    ///
    /// # Errors
    /// When the consumer's own database cannot be read. A feed that cannot be reached is none.
    pub async fn progress(&self) -> Result<ConsumerProgress, StorageError> {
        let worker = self.worker();
        let all: Vec<i16> = (0..PARTITION_COUNT).collect();
        let offsets = worker.store.offsets(&worker.pool, &all).await?;
        let parked = worker.store.parked_count(&worker.pool).await?;
        let position = tokio::time::timeout(POSITION_WAIT, self.source.position()).await;
        let newest = position.ok().and_then(Result::ok).map(|position| position.newest_offset);
        let behind = offsets.iter().map(|row| row.offset).min().unwrap_or(0);
        let lag = newest.map(|newest| (newest - behind).max(0));
        Ok(ConsumerProgress { feed: self.source.feed().to_owned(), lag, parked })
    }

    fn worker(&self) -> Worker {
        Worker {
            consumer: self.name,
            store: Store::new(self.schema, self.name, self.source.feed()),
            handler: Arc::clone(&self.handler),
            pool: self.pool.clone(),
            settings: self.settings.clone(),
        }
    }

    async fn reconnect(&self, worker: &Arc<Worker>, replica: &watch::Sender<Option<Uuid>>) {
        let mut wait = self.settings.retry_base;
        loop {
            let mut has_progressed = false;
            let ended = self.session(worker, replica, || has_progressed = true).await;
            if has_progressed {
                wait = self.settings.retry_base;
            }
            match ended {
                Ok(()) => {}
                Err(SessionError::Source(error @ SourceError::Unavailable { .. })) => {
                    tracing::info!(consumer = self.name, %error, "reading on after a wait");
                }
                Err(error) => {
                    tracing::error!(consumer = self.name, %error, detail = ?error, "the consumer stands still");
                    metrics::counter!("mainstay_consumer_failures_total", "consumer" => self.name).increment(1);
                }
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(RECONNECT_WAIT_MAX);
        }
    }

    /// Works while nothing fails, and says all the while that this replica lives.
    async fn session(
        &self,
        worker: &Arc<Worker>,
        replica: &watch::Sender<Option<Uuid>>,
        on_progress: impl FnMut() + Send,
    ) -> Result<(), SessionError> {
        let mut session = Session::open(Arc::clone(worker), Arc::clone(&self.source)).await?;
        let share = self.share(worker, replica).await?;
        let (share_sender, share_receiver) = watch::channel(share);
        tokio::select! {
            ended = session.work(share_receiver, on_progress) => ended,
            failed = self.keep_alive(worker, replica, &share_sender) => Err(failed.into()),
        }
    }

    /// Says three times in each lease that this replica lives, and follows the others' coming and going.
    async fn keep_alive(
        &self,
        worker: &Worker,
        replica: &watch::Sender<Option<Uuid>>,
        shares: &watch::Sender<Vec<i16>>,
    ) -> StorageError {
        loop {
            tokio::time::sleep(self.settings.lease / 3).await;
            match self.share(worker, replica).await {
                Ok(share) => shares.send_if_modified(|known| {
                    let has_changed = *known != share;
                    *known = share;
                    has_changed
                }),
                Err(error) => return error,
            };
        }
    }

    /// Says that this replica lives; gives its share of the partitions.
    async fn share(&self, worker: &Worker, replica: &watch::Sender<Option<Uuid>>) -> Result<Vec<i16>, StorageError> {
        let known = *replica.borrow();
        let own = worker.store.beat(&worker.pool, known, self.settings.lease).await?;
        replica.send_replace(Some(own));
        Ok(share_of(own, &worker.store.replicas(&worker.pool).await?))
    }
}
