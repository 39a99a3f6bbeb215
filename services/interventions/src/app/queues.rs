//! The queues of due work; `jobs` has the workers.

/// Clocks that warn or are breached: the key is the clock's id.
pub(crate) const CLOCKS_QUEUE: &str = "clocks";
/// Accounts that were saved and are looked at each month: the key is the case's id.
pub(crate) const MONITORING_QUEUE: &str = "monitoring";
/// The daily digest of billing alerts: one job, whose low mark is up to when digests have told, in seconds since 1970.
pub(crate) const BILLING_DIGEST_QUEUE: &str = "billing_digest";
