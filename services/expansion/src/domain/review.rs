//! Reviews of a month.

use chrono::{DateTime, Utc};

use super::month::Month;

/// The review of a month and what came of it so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Review {
    /// The month.
    pub month: Month,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it was through all accounts.
    pub ended_at: Option<DateTime<Utc>>,
    /// Accounts reviewed.
    pub accounts: i64,
    /// Accounts among them without a report.
    pub unreported: i64,
    /// Chances identified or confirmed.
    pub identified: i64,
    /// Chances among them that are qualified.
    pub qualified: i64,
    /// Chances among them that are suppressed.
    pub suppressed: i64,
    /// Opportunities opened.
    pub opened: i64,
}

/// What came of an account in a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AccountReview {
    /// Whether its usage of the month was reported.
    pub reported: bool,
    /// Chances identified or confirmed.
    pub identified: i32,
    /// Chances among them whose criteria are met.
    pub qualified: i32,
    /// Chances among them that are suppressed.
    pub suppressed: i32,
    /// Opportunities opened.
    pub opened: i32,
}
