//! The issuer's keys as they are kept between calls.
//!
//! Keys are read again when they are old, without a call waiting for it, and when
//! a token names an unknown one, which is how a rotation shows. Attempts are spaced, so
//! that tokens with made-up key ids cannot make us a nuisance to the issuer. When
//! the issuer cannot be reached, the keys known hold for an hour, then none do.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey};
use mainstay_domain::SharedClock;
use tokio::sync::OwnedMutexGuard;

use super::key_source::KeySource;
use super::keys::SigningKeys;

/// After this age no key is believed.
const BELIEVED_FOR: TimeDelta = TimeDelta::hours(1);

/// When keys are read again.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// The age at which they are.
    refresh_after: TimeDelta,
    /// The least time between two attempts.
    spacing: TimeDelta,
}

const URL_PACE: Pace = Pace { refresh_after: TimeDelta::minutes(5), spacing: TimeDelta::seconds(30) };
const FILE_PACE: Pace = Pace { refresh_after: TimeDelta::seconds(5), spacing: TimeDelta::seconds(1) };

/// Why no key was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoKey {
    /// None of this id.
    Unknown,
    /// The issuer's keys are not known, or too old.
    Unavailable,
}

#[derive(Debug)]
pub(super) struct KeyStore {
    source: KeySource,
    clock: SharedClock,
    pace: Pace,
    state: Mutex<State>,
    loading: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Default)]
struct State {
    loaded: Option<Loaded>,
    attempted_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone)]
struct Loaded {
    keys: Arc<SigningKeys>,
    at: DateTime<Utc>,
}

impl KeyStore {
    /// Reads the keys for the first time. A file that does not hold keys is an
    /// error; an address that does not answer is not, since the issuer may come back
    /// before its tokens expire: calls are refused until then.
    pub(super) async fn open(source: KeySource, clock: SharedClock) -> Result<Arc<Self>, String> {
        let pace = if source.is_file() { FILE_PACE } else { URL_PACE };
        let store = Arc::new(Self { source, clock, pace, state: Mutex::default(), loading: Arc::default() });
        store.claim_attempt();
        let guard = Arc::clone(&store.loading).lock_owned().await;
        let loaded = store.load(&guard).await;
        match loaded {
            Err(fault) if store.source.is_file() => Err(fault),
            _ => Ok(store),
        }
    }

    /// The key of this id, known or fetched.
    pub(super) async fn find(self: &Arc<Self>, id: Option<&str>, algorithm: Algorithm) -> Result<DecodingKey, NoKey> {
        self.refresh_if_old();
        if let Ok(key) = self.lookup(id, algorithm) {
            return Ok(key);
        }
        // Whoever comes while keys are being read waits for them instead of being refused.
        let guard = Arc::clone(&self.loading).lock_owned().await;
        match self.lookup(id, algorithm) {
            Err(_) if self.claim_attempt() => {
                // On a task of its own: a caller who goes away does not waste the attempt.
                let store = Arc::clone(self);
                let attempt = tokio::spawn(async move { store.load(&guard).await });
                let _ = attempt.await;
                self.lookup(id, algorithm)
            }
            outcome => outcome,
        }
    }

    fn refresh_if_old(self: &Arc<Self>) {
        let is_old = self.age().is_some_and(|age| age >= self.pace.refresh_after);
        if !is_old {
            return;
        }
        let Ok(guard) = Arc::clone(&self.loading).try_lock_owned() else { return };
        if self.claim_attempt() {
            let store = Arc::clone(self);
            tokio::spawn(async move { store.load(&guard).await });
        }
    }

    fn lookup(&self, id: Option<&str>, algorithm: Algorithm) -> Result<DecodingKey, NoKey> {
        if self.age().is_none_or(|age| age >= BELIEVED_FOR) {
            return Err(NoKey::Unavailable);
        }
        let keys = self.with_state(|state| state.loaded.as_ref().map(|loaded| Arc::clone(&loaded.keys)));
        keys.and_then(|keys| keys.lookup(id, algorithm).cloned()).ok_or(NoKey::Unknown)
    }

    fn age(&self) -> Option<TimeDelta> {
        let now = self.clock.now();
        self.with_state(|state| state.loaded.as_ref().map(|loaded| now - loaded.at))
    }

    /// Whether the last attempt is long enough ago; if so, this one counts.
    fn claim_attempt(&self) -> bool {
        let now = self.clock.now();
        self.with_state(|state| {
            let is_free = state.attempted_at.is_none_or(|at| now - at >= self.pace.spacing);
            if is_free {
                state.attempted_at = Some(now);
            }
            is_free
        })
    }

    async fn load(&self, _only_one: &OwnedMutexGuard<()>) -> Result<(), String> {
        let read = self.source.read().await;
        let at = self.clock.now();
        match read {
            Ok(keys) => {
                self.with_state(|state| state.loaded = Some(Loaded { keys: Arc::new(keys), at }));
                Ok(())
            }
            Err(fault) => {
                tracing::warn!(error = %fault, "the token issuer's keys cannot be read");
                Err(fault)
            }
        }
    }

    fn with_state<T>(&self, use_state: impl FnOnce(&mut State) -> T) -> T {
        use_state(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
