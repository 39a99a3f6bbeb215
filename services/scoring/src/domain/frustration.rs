//! Tickets in which the customer writes with frustration.

use serde::{Deserialize, Serialize};

use super::risk_trigger::{Condition, RiskCause, Verdict};
use super::ticket::TicketPriority;

/// A message at or below it is frustrated. Of the texts of Hutto and Gilbert (2014) whose sentiment is computed as -0.6 or less,
/// people rated 84 % (tweets) and 79 % (parts of product reviews) as clearly negative, -1 or less on their scale of -4 to 4: a
/// test repeats it.
pub const FRUSTRATED_AT_MOST: f64 = -0.6;
/// A message above it is not negative any more: the authors' cut for neutral texts.
pub const CALM_ABOVE: f64 = -0.05;

/// What a frustrated ticket is like now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frustration {
    /// Sentiment of the newest message that says any, -1 to 1.
    pub sentiment: f64,
    /// How many messages were frustrated.
    pub message_count: i32,
    /// The ticket's priority.
    pub priority: TicketPriority,
    /// Its subject line; may be empty.
    pub subject: String,
}

impl Frustration {
    /// Whether an open ticket is frustrated: its newest message is, or was and the ones since were not calm.
    pub(super) fn verdict(self) -> Verdict {
        let sentiment = self.sentiment;
        let condition =
            Condition { occurrence_count: self.message_count.max(1), cause: RiskCause::TicketFrustrated(self) };
        if sentiment <= FRUSTRATED_AT_MOST {
            Verdict::Met(condition)
        } else if sentiment <= CALM_ABOVE {
            Verdict::Between(condition)
        } else {
            Verdict::NotMet
        }
    }
}
