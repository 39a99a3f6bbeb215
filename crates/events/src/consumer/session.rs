//! One connection of a replica to the feed: which partitions it works on, and what it reads.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::stream;
use futures::{StreamExt, TryStreamExt};
use mainstay_domain::PARTITION_COUNT;
use mainstay_storage::StorageError;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use super::settings::ConsumerStart;
use super::source::{EventSource, SourceBatch, SourceError, SourceStream};
use super::worker::{Applied, Worker};
use crate::event::Event;
use crate::page::FeedFilter;

/// How often the offsets of partitions in which nothing happens are written, at most.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(1);

/// How often requeued events are looked for.
const REQUEUED_INTERVAL: Duration = Duration::from_secs(1);

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("the consumer's own database failed: {0}")]
    Storage(#[from] StorageError),
}

/// An event that is to be tried again, and what waits for it.
struct Blocked {
    event: Event,
    retry_at: Instant,
    /// Whether later events of the partition came by.
    has_passed_events: bool,
}

/// A replica's work while nothing fails.
pub(super) struct Session {
    worker: Arc<Worker>,
    source: Arc<dyn EventSource>,
    feed_id: Uuid,
    /// Partitions that this replica works on, with the offset up to which each is known to be applied.
    offsets: HashMap<i16, i64>,
    blocked: BTreeMap<i16, Blocked>,
    checkpoint_at: Instant,
    requeued_at: Instant,
}

impl Session {
    /// Makes the consumer's rows, unless they are there.
    pub(super) async fn open(worker: Arc<Worker>, source: Arc<dyn EventSource>) -> Result<Self, SessionError> {
        let position = source.position().await?;
        let start = match worker.settings.start {
            ConsumerStart::Oldest => position.oldest_offset,
            ConsumerStart::Now => position.newest_offset,
        };
        worker.store.register(&worker.pool, position.feed_id, start).await?;
        let now = Instant::now();
        Ok(Self {
            worker,
            source,
            feed_id: position.feed_id,
            offsets: HashMap::new(),
            blocked: BTreeMap::new(),
            checkpoint_at: now,
            requeued_at: now,
        })
    }

    /// Works until something fails. `partitions` are those of this replica; `on_progress` is called when the feed answers.
    pub(super) async fn work(
        &mut self,
        mut partitions: watch::Receiver<Vec<i16>>,
        mut on_progress: impl FnMut() + Send,
    ) -> Result<(), SessionError> {
        loop {
            let mine = partitions.borrow_and_update().clone();
            self.load(&mine).await?;
            let mut batches = self.subscribe(&mine, false).await?;
            let mut silent_at = Instant::now() + self.worker.settings.silence_max;
            let mut has_to_subscribe_anew = false;
            while !has_to_subscribe_anew {
                let next_retry = self.blocked.values().map(|blocked| blocked.retry_at).min();
                let wake_at = next_retry.map_or(self.requeued_at, |retry_at| retry_at.min(self.requeued_at));
                tokio::select! {
                    batch = next_batch(&mut batches, silent_at) => {
                        self.apply(batch.unwrap_or_else(|reason| Err(self.lost(reason)))?).await?;
                        on_progress();
                        silent_at = Instant::now() + self.worker.settings.silence_max;
                    }
                    changed = partitions.changed() => {
                        if changed.is_err() {
                            return Ok(());
                        }
                        has_to_subscribe_anew = *partitions.borrow() != mine;
                    }
                    () = tokio::time::sleep_until(wake_at) => {
                        has_to_subscribe_anew = self.retry_due().await?;
                        self.replay_requeued(&mine).await?;
                    }
                }
            }
        }
    }

    /// Applies what the feed holds at the call, of all partitions, and requeued events; says how many events of the wanted
    /// types there were. One that fails is left with its partition for the next call.
    pub(super) async fn catch_up(&mut self) -> Result<usize, SessionError> {
        let all: Vec<i16> = (0..PARTITION_COUNT).collect();
        self.load(&all).await?;
        self.replay_requeued(&all).await?;
        let Some(mut batches) = self.subscribe(&all, true).await? else { return Ok(0) };
        let mut seen = 0;
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            let is_new =
                |event: &&Event| self.offsets.get(&event.partition).is_some_and(|offset| *offset < event.offset);
            seen += batch.events.iter().filter(is_new).count();
            let through = batch.through;
            self.apply(batch).await?;
            self.checkpoint(through).await?;
        }
        Ok(seen)
    }

    /// Reads the offsets of the partitions; of those that are blocked and still here, keeps the state.
    async fn load(&mut self, mine: &[i16]) -> Result<(), SessionError> {
        let stored = self.worker.store.offsets(&self.worker.pool, mine).await?;
        if stored.iter().any(|row| row.feed_id != self.feed_id) {
            return Err(SessionError::Source(SourceError::Mismatch {
                feed: self.source.feed().to_owned(),
                reason: "it was made anew since it was last read: the offsets kept for it have no meaning".to_owned(),
            }));
        }
        self.offsets = stored.iter().map(|row| (row.partition, row.offset)).collect();
        let offsets = &self.offsets;
        self.blocked
            .retain(|partition, blocked| offsets.get(partition).is_some_and(|offset| *offset < blocked.event.offset));
        Ok(())
    }

    /// Reads on from the partition that is furthest behind, blocked ones left aside: they read on when they are free.
    /// Nothing when all are blocked.
    async fn subscribe(&mut self, mine: &[i16], until_now: bool) -> Result<Option<SourceStream>, SessionError> {
        let free = self.offsets.iter().filter(|(partition, _)| !self.blocked.contains_key(partition));
        let Some(after) = free.map(|(_, offset)| *offset).min() else { return Ok(None) };
        for blocked in self.blocked.values_mut() {
            // Whatever follows the blocked event may lie before this start.
            blocked.has_passed_events = true;
        }
        let is_all = mine.len() == usize::from(PARTITION_COUNT.unsigned_abs());
        let filter = FeedFilter {
            types: self.worker.settings.types.clone(),
            partitions: if is_all { Vec::new() } else { mine.to_vec() },
        };
        Ok(Some(self.source.subscribe(self.feed_id, after, filter, until_now).await?))
    }

    fn lost(&self, reason: &str) -> SourceError {
        SourceError::Unavailable { feed: self.source.feed().to_owned(), reason: reason.to_owned() }
    }

    /// Applies a batch, several partitions at a time.
    async fn apply(&mut self, batch: SourceBatch) -> Result<(), SessionError> {
        let is_sign_of_life = batch.events.is_empty();
        let mut groups: BTreeMap<i16, Vec<Event>> = BTreeMap::new();
        for event in batch.events {
            if let Some(blocked) = self.blocked.get_mut(&event.partition) {
                blocked.has_passed_events = true;
            } else if self.offsets.get(&event.partition).is_some_and(|offset| *offset < event.offset) {
                groups.entry(event.partition).or_default().push(event);
            }
        }
        let worker = &self.worker;
        let outcomes: Vec<(i16, Applied)> = stream::iter(groups)
            .map(|(partition, events)| {
                let worker = Arc::clone(worker);
                async move { Ok::<_, StorageError>((partition, worker.apply(&events).await?)) }
            })
            .buffer_unordered(worker.settings.concurrency.max(1))
            .try_collect()
            .await?;
        for (partition, applied) in outcomes {
            if let Applied::UpTo { failed, wait, has_more } = applied {
                let retry_at = Instant::now() + wait;
                self.blocked.insert(partition, Blocked { event: failed, retry_at, has_passed_events: has_more });
            }
        }
        for (partition, offset) in &mut self.offsets {
            if !self.blocked.contains_key(partition) {
                *offset = batch.through.max(*offset);
            }
        }
        metrics::gauge!("mainstay_consumer_blocked_partitions", "consumer" => self.worker.consumer)
            .set(self.blocked.len() as f64);
        if is_sign_of_life || self.checkpoint_at.elapsed() >= CHECKPOINT_INTERVAL {
            self.checkpoint(batch.through).await?;
        }
        Ok(())
    }

    /// Writes how far the free partitions are, so that an idle one does not have the feed read again from its last event.
    async fn checkpoint(&mut self, through: i64) -> Result<(), SessionError> {
        let free: Vec<i16> =
            self.offsets.keys().copied().filter(|partition| !self.blocked.contains_key(partition)).collect();
        self.worker.store.checkpoint(&self.worker.pool, &free, through).await?;
        self.checkpoint_at = Instant::now();
        Ok(())
    }

    /// Tries the blocked events that are due; says whether a partition has become free that has to read what it left out.
    async fn retry_due(&mut self) -> Result<bool, SessionError> {
        let now = Instant::now();
        let due: Vec<i16> = self
            .blocked
            .iter()
            .filter(|(_, blocked)| blocked.retry_at <= now)
            .map(|(partition, _)| *partition)
            .collect();
        let mut has_to_read_back = false;
        for partition in due {
            let Some(blocked) = self.blocked.get_mut(&partition) else { continue };
            if let Some(wait) = self.worker.apply_one(&blocked.event).await? {
                blocked.retry_at = Instant::now() + wait;
            } else {
                has_to_read_back |= blocked.has_passed_events;
                self.offsets.insert(partition, blocked.event.offset);
                self.blocked.remove(&partition);
            }
        }
        Ok(has_to_read_back)
    }

    async fn replay_requeued(&mut self, mine: &[i16]) -> Result<(), SessionError> {
        if Instant::now() < self.requeued_at {
            return Ok(());
        }
        let requeued = self.worker.store.requeued(&self.worker.pool, mine).await?;
        // What follows an event that took effect is requeued by it: look again at once.
        self.requeued_at = Instant::now() + if requeued.is_empty() { REQUEUED_INTERVAL } else { Duration::ZERO };
        for event in &requeued {
            self.worker.replay(event).await?;
        }
        Ok(())
    }
}

/// The next batch. An end or a silence counts as a lost connection; without a stream there is nothing to wait for.
async fn next_batch(
    batches: &mut Option<SourceStream>,
    silent_at: Instant,
) -> Result<Result<SourceBatch, SourceError>, &'static str> {
    let Some(batches) = batches else { return std::future::pending().await };
    match tokio::time::timeout_at(silent_at, batches.next()).await {
        Ok(batch) => batch.ok_or("it ended the stream"),
        Err(_) => Err("it gave no sign of life"),
    }
}

/// The partitions of one of the replicas, which all see them in the same order.
pub(super) fn share_of(replica: Uuid, replicas: &[Uuid]) -> Vec<i16> {
    let Some(place) = replicas.iter().position(|other| *other == replica) else { return Vec::new() };
    (0..PARTITION_COUNT).filter(|partition| usize::from(partition.unsigned_abs()) % replicas.len() == place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_share_all_partitions_evenly_and_none_twice() {
        for count in 1..=70_u128 {
            let replicas: Vec<Uuid> = (0..count).map(Uuid::from_u128).collect();
            let shares: Vec<Vec<i16>> = replicas.iter().map(|replica| share_of(*replica, &replicas)).collect();
            let (least, most) = (shares.iter().map(Vec::len).min(), shares.iter().map(Vec::len).max());
            assert!(most <= least.map(|least| least + 1), "{count} replicas: {least:?} to {most:?}");
            let mut all = shares.concat();
            all.sort_unstable();
            assert_eq!(all, (0..PARTITION_COUNT).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_replica_that_is_not_counted_works_on_nothing() {
        assert_eq!(share_of(Uuid::from_u128(9), &[Uuid::from_u128(1)]), Vec::<i16>::new());
    }
}
