//! New ids, from the clock and a seeded source of randomness.

use std::sync::{Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::{Builder, Uuid};

use crate::SharedClock;

/// Makes `UUIDv7` ids whose time is the clock's, so that a turned clock gives
/// ids of its own time and a seeded test gives the same ids again.
#[derive(Debug)]
pub struct IdSource {
    clock: SharedClock,
    random: Mutex<StdRng>,
}

impl IdSource {
    /// Ids with randomness from the operating system.
    pub fn new(clock: SharedClock) -> Self {
        Self {
            clock,
            random: Mutex::new(
                StdRng::try_from_rng(&mut rand::rngs::SysRng).unwrap_or_else(|_| StdRng::seed_from_u64(0)),
            ),
        }
    }

    /// Ids that come out the same for the same seed and times.
    pub fn seeded(clock: SharedClock, seed: u64) -> Self {
        Self { clock, random: Mutex::new(StdRng::seed_from_u64(seed)) }
    }

    /// A new id.
    pub fn new_id(&self) -> Uuid {
        let millis = u64::try_from(self.clock.now().timestamp_millis()).unwrap_or(0);
        let mut bytes = [0u8; 10];
        self.random.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
        Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }
}
