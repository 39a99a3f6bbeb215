//! Conditions for which an account is left alone, and contacts with it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// For what an account is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConditionKind {
    /// Its health is at risk or critical.
    AtRisk,
    /// A payment failed or is overdue.
    PaymentFailed,
    /// A billing dispute is open.
    BillingDispute,
    /// A detractor's case is open.
    DetractorCase,
}

impl ConditionKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::AtRisk, Self::PaymentFailed, Self::BillingDispute, Self::DetractorCase];

    /// Whether it is about money.
    pub const fn is_billing(self) -> bool {
        matches!(self, Self::PaymentFailed | Self::BillingDispute)
    }

    /// As it stands in a sentence.
    pub const fn words(self) -> &'static str {
        match self {
            Self::AtRisk => "health at risk",
            Self::PaymentFailed => "a failed or overdue payment",
            Self::BillingDispute => "a billing dispute",
            Self::DetractorCase => "a detractor's open case",
        }
    }
}

/// A condition as other services told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What it is.
    pub kind: ConditionKind,
    /// The name of the risk trigger or case.
    pub reference: String,
    /// Since when.
    pub started_at: DateTime<Utc>,
    /// Until when; none while it lasts.
    pub ended_at: Option<DateTime<Utc>>,
}

/// A condition that lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// What it is.
    pub reason: ConditionKind,
    /// The name of the risk trigger or case.
    pub reference: String,
    /// Since when.
    pub started_at: DateTime<Utc>,
}

/// The conditions that last, in the order of kinds and references.
pub fn suppressions(conditions: &[Condition]) -> Vec<Suppression> {
    let lasting = conditions.iter().filter(|condition| condition.ended_at.is_none());
    let mut found: Vec<Suppression> = lasting
        .map(|condition| Suppression {
            reason: condition.kind,
            reference: condition.reference.clone(),
            started_at: condition.started_at,
        })
        .collect();
    found.sort_by(|one, other| (one.reason, &one.reference).cmp(&(other.reason, &other.reference)));
    found
}

/// A contact between the account and those who look after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    /// When.
    pub at: DateTime<Utc>,
    /// Whether the customer began it.
    pub inbound: bool,
    /// Whether the customer answered.
    pub answered: bool,
}
