//! Sends messages as they become due: several at once, each destination within its own bound.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_domain::SharedClock;
use mainstay_storage::StorageError;
use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::attempt::deliver;
use crate::claim::Claimed;
use crate::lane::Destination;
use crate::metric;
use crate::senders::Senders;
use crate::settings::DeliverySettings;
use crate::{Channel, Delivery};

/// By how much a lease is longer than a send may take: for the commit of the claim, and for recording the outcome.
const LEASE_MARGIN: Duration = Duration::from_secs(30);

/// How long [`Dispatcher::run`] lets sends end once it is cancelled.
const STOP_GRACE: Duration = Duration::from_secs(10);

/// The longest wait of a dispatcher that cannot reach the database.
const FAULT_WAIT_MAX: Duration = Duration::from_secs(30);

/// How often the gauges are set, and what is for unknown or disabled destinations is looked at.
const TENDING_INTERVAL: Duration = Duration::from_secs(15);

/// Connections that a dispatcher uses at once: outcomes are recorded while others are claimed.
const CONNECTIONS: u32 = 4;

/// Sends messages as they become due. Any number of dispatchers, in any number of processes, share the work. Clones are
/// the same dispatcher.
#[derive(Clone)]
pub struct Dispatcher {
    shared: Arc<Shared>,
}

/// What attempts need.
pub(crate) struct Shared {
    pub(crate) delivery: Delivery,
    pub(crate) pool: PgPool,
    pub(crate) clock: SharedClock,
    pub(crate) senders: Senders,
    pub(crate) send_timeout: Duration,
    pub(crate) random: Mutex<StdRng>,
    poll_interval: Duration,
    /// All lanes, each with how many sends it may have under way.
    lanes: Vec<(String, usize)>,
    /// Lanes whose receiver asked to be left alone, and until when.
    paused: Mutex<HashMap<String, DateTime<Utc>>>,
    /// Messages that are being sent, with their lanes.
    in_flight: Mutex<HashMap<Uuid, String>>,
    /// Held from looking for room until what was claimed is counted.
    claiming: tokio::sync::Mutex<()>,
    /// Told whenever a send has ended.
    ended: watch::Sender<()>,
}

impl Dispatcher {
    /// A dispatcher of a service's messages. What is due is decided by `clock` alone. `pool` is not that of the RPCs, and has
    /// [`connections_needed`](Self::connections_needed).
    ///
    /// # Errors
    /// What is wrong with the settings: a certificate that cannot be read, an address that is none.
    pub fn new(
        delivery: Delivery,
        pool: PgPool,
        clock: SharedClock,
        settings: &DeliverySettings,
    ) -> Result<Self, String> {
        let senders = Senders::new(settings)?;
        let random = StdRng::try_from_rng(&mut SysRng).unwrap_or_else(|_| StdRng::seed_from_u64(0));
        Ok(Self {
            shared: Arc::new(Shared {
                delivery,
                pool,
                clock,
                senders,
                send_timeout: settings.send_timeout,
                random: Mutex::new(random),
                poll_interval: settings.poll_interval,
                lanes: lanes(settings),
                paused: Mutex::default(),
                in_flight: Mutex::default(),
                claiming: tokio::sync::Mutex::default(),
                ended: watch::Sender::new(()),
            }),
        })
    }

    /// How many connections of its pool a dispatcher uses at once. With fewer it is slower, and nothing else.
    pub const fn connections_needed() -> u32 {
        CONNECTIONS
    }

    /// Sends until cancelled. Sends under way then have 10 s to end; those that take longer are cut off, and their
    /// messages sent again when the leases run out.
    ///
    /// # Panics
    /// When a send panics outside of what it sends.
    pub async fn run(&self, cancel: CancellationToken) {
        let mut sends = JoinSet::new();
        tokio::join!(self.keep_sending(&mut sends, &cancel), self.keep_tending(&cancel));
        let ending = async {
            while let Some(ended) = sends.join_next().await {
                ended.unwrap_or_else(|error| resume_unwind(error.into_panic()));
            }
        };
        if tokio::time::timeout(STOP_GRACE, ending).await.is_err() {
            tracing::warn!("sends took too long to end; their messages are sent again when their leases run out");
            sends.shutdown().await;
        }
    }

    /// Sends everything that is due by the clock, also what becomes due by that, and waits for it and for what
    /// [`run`](Self::run) of this dispatcher is sending. Answers how many were sent. Failed ones wait for their next
    /// attempt and are not among them; what other dispatchers hold is theirs.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn run_due(&self) -> Result<usize, StorageError> {
        let mut sent = 0;
        loop {
            let mut ended = self.shared.ended.subscribe();
            self.shared.give_up_held().await?;
            let mut claimed = self.shared.claim().await?;
            claimed.extend(self.shared.claim_strays().await?);
            if claimed.is_empty() {
                if self.shared.in_flight().is_empty() {
                    return Ok(sent);
                }
                // The sender is kept by this dispatcher, so there is no error.
                let _ = ended.changed().await;
                continue;
            }
            let mut sends = JoinSet::new();
            for message in claimed {
                sends.spawn(send(Arc::clone(&self.shared), message));
            }
            while let Some(ended) = sends.join_next().await {
                let ended = ended.unwrap_or_else(|error| resume_unwind(error.into_panic()));
                sent += usize::from(ended.was_sent);
            }
        }
    }

    /// Sets the gauges now; [`run`](Self::run) does so every 15 s.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn observe(&self) -> Result<(), StorageError> {
        metric::observe(&self.shared.delivery, &self.shared.pool, self.shared.clock.now()).await
    }

    async fn keep_sending(&self, sends: &mut JoinSet<Sent>, cancel: &CancellationToken) {
        let mut woken = self.shared.delivery.wake.subscribe();
        let mut faults = 0;
        while !cancel.is_cancelled() {
            // Before looking: a wake-up while it looks makes it look again.
            woken.mark_unchanged();
            match self.shared.claim().await {
                Ok(claimed) => {
                    faults = 0;
                    let found = !claimed.is_empty();
                    for message in claimed {
                        sends.spawn(send(Arc::clone(&self.shared), message));
                    }
                    if found {
                        continue;
                    }
                }
                Err(error) => {
                    faults += 1;
                    tracing::warn!(%error, "messages cannot be claimed");
                    let wait =
                        self.shared.poll_interval.saturating_mul(2_u32.saturating_pow(faults)).min(FAULT_WAIT_MAX);
                    let _ = tokio::time::timeout(wait, cancel.cancelled()).await;
                    continue;
                }
            }
            tokio::select! {
                () = cancel.cancelled() => {}
                _ = woken.changed() => {}
                () = self.wait_for_room(sends) => {}
                () = tokio::time::sleep(self.shared.poll_interval) => {}
            }
        }
    }

    /// Ends when a lane that was busy is half idle again. A look for each send that ends would cost a commit for each
    /// message; what comes meanwhile is found by a wake or the next poll. Without anything under way it does not end.
    async fn wait_for_room(&self, sends: &mut JoinSet<Sent>) {
        while let Some(ended) = sends.join_next().await {
            let Sent { lane, .. } = ended.unwrap_or_else(|error| resume_unwind(error.into_panic()));
            if self.shared.is_half_idle(&lane) {
                return;
            }
        }
        std::future::pending::<()>().await;
    }

    async fn keep_tending(&self, cancel: &CancellationToken) {
        let mut ticks = tokio::time::interval(TENDING_INTERVAL);
        while cancel.run_until_cancelled(ticks.tick()).await.is_some() {
            if let Err(error) = self.tend().await {
                tracing::debug!(%error, "messages cannot be tended");
            }
        }
    }

    async fn tend(&self) -> Result<(), StorageError> {
        self.shared.give_up_held().await?;
        for message in self.shared.claim_strays().await? {
            send(Arc::clone(&self.shared), message).await;
        }
        self.observe().await
    }
}

/// A send that has ended.
struct Sent {
    lane: String,
    was_sent: bool,
}

async fn send(shared: Arc<Shared>, message: Claimed) -> Sent {
    // Also when the task is cut off.
    let landing = Landing { shared: &shared, id: message.id };
    let was_sent = deliver(&shared, &message).await;
    drop(landing);
    Sent { lane: message.lane, was_sent }
}

/// Takes a message out of those in flight.
struct Landing<'a> {
    shared: &'a Shared,
    id: Uuid,
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        self.shared.in_flight().remove(&self.id);
        self.shared.ended.send_replace(());
    }
}

impl Shared {
    /// Leases what is due and has room.
    async fn claim(&self) -> Result<Vec<Claimed>, StorageError> {
        let _claiming = self.claiming.lock().await;
        let now = self.clock.now();
        let (rooms, held) = self.rooms(now);
        if rooms.is_empty() {
            return Ok(Vec::new());
        }
        let claimed = self.delivery.claim(&self.pool, &rooms, &held, now, now + self.lease()).await?;
        self.take_off(&claimed);
        Ok(claimed)
    }

    /// Leases what is due to destinations that the settings do not have: their attempts fail, and say so.
    async fn claim_strays(&self) -> Result<Vec<Claimed>, StorageError> {
        let lanes: Vec<&str> = self.lanes.iter().map(|(lane, _)| lane.as_str()).collect();
        let now = self.clock.now();
        let claimed = self.delivery.claim_strays(&self.pool, &lanes, now, now + self.lease()).await?;
        self.take_off(&claimed);
        Ok(claimed)
    }

    async fn give_up_held(&self) -> Result<(), StorageError> {
        for channel in self.delivery.bury_held(&self.pool, self.clock.now()).await? {
            metric::died(channel);
        }
        Ok(())
    }

    /// Leaves a lane alone, as its receiver asked.
    pub(crate) fn pause(&self, lane: &str, until: DateTime<Utc>) {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner).insert(lane.to_owned(), until);
    }

    /// How many more sends each lane may have, where it is not none; and what is being sent.
    fn rooms(&self, now: DateTime<Utc>) -> (Vec<(String, i64)>, Vec<Uuid>) {
        let mut paused = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        paused.retain(|_, until| *until > now);
        let in_flight = self.in_flight();
        let rooms = self.lanes.iter().filter_map(|(lane, most)| {
            let busy = in_flight.values().filter(|other| *other == lane).count();
            let room = i64::try_from(most.saturating_sub(busy)).unwrap_or(i64::MAX);
            (room > 0 && !paused.contains_key(lane)).then(|| (lane.clone(), room))
        });
        (rooms.collect(), in_flight.keys().copied().collect())
    }

    fn is_half_idle(&self, lane: &str) -> bool {
        let busy = self.in_flight().values().filter(|other| *other == lane).count();
        self.lanes.iter().find(|(known, _)| known == lane).is_none_or(|(_, most)| busy <= most / 2)
    }

    fn take_off(&self, claimed: &[Claimed]) {
        self.in_flight().extend(claimed.iter().map(|message| (message.id, message.lane.clone())));
    }

    fn in_flight(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, String>> {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lease(&self) -> TimeDelta {
        TimeDelta::from_std(self.send_timeout + LEASE_MARGIN).unwrap_or(TimeDelta::MAX)
    }
}

/// Email has a lane even without a relay: its messages are tried, and say what is missing.
fn lanes(settings: &DeliverySettings) -> Vec<(String, usize)> {
    let bound = |concurrency: u32| usize::try_from(concurrency).unwrap_or(1).max(1);
    let email = (Destination::email(), settings.smtp.as_ref().map_or(1, |smtp| bound(smtp.connections)));
    let named = |channel, name: &String| Destination::named(channel, name);
    let slack = settings
        .slack
        .iter()
        .filter_map(|(name, target)| Some((named(Channel::Slack, name)?, bound(target.concurrency))));
    let webhooks = settings
        .webhooks
        .iter()
        .filter_map(|(name, webhook)| Some((named(Channel::Webhook, name)?, bound(webhook.target.concurrency))));
    [email].into_iter().chain(slack).chain(webhooks).map(|(lane, most)| (lane.to_string(), most)).collect()
}
