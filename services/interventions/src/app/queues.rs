//! The queues of due work; `jobs` has the workers.

/// Clocks that warn or are breached: the key is the clock's id.
pub(crate) const CLOCKS_QUEUE: &str = "clocks";
/// Accounts that were saved and are looked at each month: the key is the case's id.
pub(crate) const MONITORING_QUEUE: &str = "monitoring";
