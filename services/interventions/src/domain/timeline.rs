//! The story of an account: what happened, in the order in which it was written.

use chrono::{DateTime, Utc};
use mainstay_domain::AccountId;
use uuid::Uuid;

/// Who did what happened by itself.
pub const BY_ITSELF: &str = "mainstay";

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEntry {
    /// Whose.
    pub account: AccountId,
    /// When.
    pub happened_at: DateTime<Utc>,
    /// What, a word.
    pub kind: String,
    /// What happened, in a sentence.
    pub body: String,
    /// Who did it.
    pub actor: String,
    /// The alert it is about.
    pub alert: Option<Uuid>,
    /// The case it is about.
    pub case: Option<Uuid>,
}
