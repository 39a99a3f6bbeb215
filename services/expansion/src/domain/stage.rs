//! Where an opportunity stands.

use serde::{Deserialize, Serialize};

/// Where an opportunity stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Stage {
    /// Found; its data is to be prepared.
    Identified,
    /// Data prepared; the first conversation is to be had.
    DataPrepared,
    /// First conversation had; the proposal is to be made.
    FirstConversation,
    /// Proposal made; the decision is to be supported.
    Proposal,
    /// The customer decides.
    Decision,
    /// Decided for; terms, upgrade, training.
    Closing,
    /// Won.
    Won,
    /// Lost.
    Lost,
    /// Put off until a time.
    Postponed,
}

impl Stage {
    /// Those with a checklist, in their order.
    pub const OPEN: [Self; 6] =
        [Self::Identified, Self::DataPrepared, Self::FirstConversation, Self::Proposal, Self::Decision, Self::Closing];

    /// Whether it is at its end.
    pub const fn is_closed(self) -> bool {
        matches!(self, Self::Won | Self::Lost)
    }

    /// Where `AdvanceOpportunity` leads.
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::Identified => Some(Self::DataPrepared),
            Self::DataPrepared => Some(Self::FirstConversation),
            Self::FirstConversation => Some(Self::Proposal),
            Self::Proposal => Some(Self::Decision),
            Self::Decision => Some(Self::Closing),
            Self::Closing | Self::Won | Self::Lost | Self::Postponed => None,
        }
    }

    /// As it stands in a sentence.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Identified => "identified",
            Self::DataPrepared => "data prepared",
            Self::FirstConversation => "first conversation",
            Self::Proposal => "proposal",
            Self::Decision => "decision",
            Self::Closing => "closing",
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Postponed => "postponed",
        }
    }
}
