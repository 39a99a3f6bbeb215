//! What a receiver has received, and who waits for it.

use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// How long a test waits for what must come. Far longer than it takes: a busy machine is no failure of the test.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Things in the order of their arrival.
#[derive(Debug)]
pub(crate) struct Inbox<T> {
    items: Mutex<Vec<T>>,
    count: watch::Sender<usize>,
}

impl<T: Clone + Debug> Inbox<T> {
    pub(crate) fn new() -> Self {
        Self { items: Mutex::default(), count: watch::Sender::new(0) }
    }

    pub(crate) fn push(&self, item: T) {
        let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        items.push(item);
        self.count.send_replace(items.len());
    }

    /// All that has come so far.
    pub(crate) fn items(&self) -> Vec<T> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All that has come, once there are at least `count`.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<T> {
        let mut arrived = self.count.subscribe();
        let came = tokio::time::timeout(WAIT_MAX, arrived.wait_for(|there| *there >= count)).await.is_ok();
        assert!(came, "{count} were waited for in vain; so far there are {:?}", self.items());
        self.items()
    }
}
