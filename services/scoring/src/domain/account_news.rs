//! What others than callers tell of accounts.

use chrono::{DateTime, Utc};
use mainstay_domain::AccountId;

/// Of which account something is told, about what, and how new it is. Of two about the same thing the newer counts: by time, then
/// rank, then the event's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewsKey {
    /// Of which account.
    pub account: AccountId,
    /// What it is about, for example `segment/plan`.
    pub subject: String,
    /// When it was so.
    pub at: DateTime<Utc>,
    /// Rises with what usually comes later.
    pub rank: i16,
    /// The vendor's id of the event.
    pub event_id: String,
}
