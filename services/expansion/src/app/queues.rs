//! The queues of due work.

/// Opportunities whose clock rings; the key is the account.
pub(crate) const CLOCK_QUEUE: &str = "opportunity_clock";
/// Reviews that are under way, a page of accounts at a time; the key is the month.
pub(crate) const REVIEW_QUEUE: &str = "review";
/// The next review that is to begin by itself; one job, whose low mark says the month.
pub(crate) const REVIEW_TIMER_QUEUE: &str = "review_timer";
