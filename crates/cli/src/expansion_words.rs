//! Words for the enums of expansion, and names of plans from what people type.

use clap::ValueEnum;
use mainstay_api::mainstay::expansion::v1 as proto;

/// A stage, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OpportunityStageWord {
    /// Found; its data is to be prepared
    Identified,
    /// Data prepared
    DataPrepared,
    /// First conversation had
    FirstConversation,
    /// Proposal made
    Proposal,
    /// The customer decides
    Decision,
    /// Decided for
    Closing,
    /// Won
    Won,
    /// Lost
    Lost,
    /// Put off
    Postponed,
}

impl From<OpportunityStageWord> for proto::OpportunityStage {
    fn from(word: OpportunityStageWord) -> Self {
        match word {
            OpportunityStageWord::Identified => Self::Identified,
            OpportunityStageWord::DataPrepared => Self::DataPrepared,
            OpportunityStageWord::FirstConversation => Self::FirstConversation,
            OpportunityStageWord::Proposal => Self::Proposal,
            OpportunityStageWord::Decision => Self::Decision,
            OpportunityStageWord::Closing => Self::Closing,
            OpportunityStageWord::Won => Self::Won,
            OpportunityStageWord::Lost => Self::Lost,
            OpportunityStageWord::Postponed => Self::Postponed,
        }
    }
}

/// Why an opportunity was lost, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LostReasonWord {
    /// No money for it
    Budget,
    /// Not worth its price
    Price,
    /// Not needed
    NoNeed,
    /// Took something of somebody else
    Competitor,
    /// Nobody answered
    NoAnswer,
    /// The customer left
    Churned,
    /// Something else: --note says what
    Other,
}

impl From<LostReasonWord> for proto::LostReason {
    fn from(word: LostReasonWord) -> Self {
        match word {
            LostReasonWord::Budget => Self::Budget,
            LostReasonWord::Price => Self::Price,
            LostReasonWord::NoNeed => Self::NoNeed,
            LostReasonWord::Competitor => Self::Competitor,
            LostReasonWord::NoAnswer => Self::NoAnswer,
            LostReasonWord::Churned => Self::Churned,
            LostReasonWord::Other => Self::Other,
        }
    }
}

/// The state of a candidate, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CandidateStateWord {
    /// Near a limit, not qualified
    Identified,
    /// Qualified
    Qualified,
    /// Left alone for now
    Suppressed,
    /// No longer near a limit
    Lapsed,
}

impl From<CandidateStateWord> for proto::CandidateState {
    fn from(word: CandidateStateWord) -> Self {
        match word {
            CandidateStateWord::Identified => Self::Identified,
            CandidateStateWord::Qualified => Self::Qualified,
            CandidateStateWord::Suppressed => Self::Suppressed,
            CandidateStateWord::Lapsed => Self::Lapsed,
        }
    }
}

/// The word for a candidate's state.
pub(crate) fn candidate_state(state: proto::CandidateState) -> &'static str {
    match state {
        proto::CandidateState::Unspecified => "",
        proto::CandidateState::Identified => "identified",
        proto::CandidateState::Qualified => "qualified",
        proto::CandidateState::Suppressed => "suppressed",
        proto::CandidateState::Lapsed => "lapsed",
    }
}

/// The word for a stage; empty for none.
pub(crate) fn stage(stage: proto::OpportunityStage) -> &'static str {
    match stage {
        proto::OpportunityStage::Unspecified => "",
        proto::OpportunityStage::Identified => "identified",
        proto::OpportunityStage::DataPrepared => "data prepared",
        proto::OpportunityStage::FirstConversation => "first conversation",
        proto::OpportunityStage::Proposal => "proposal",
        proto::OpportunityStage::Decision => "decision",
        proto::OpportunityStage::Closing => "closing",
        proto::OpportunityStage::Won => "won",
        proto::OpportunityStage::Lost => "lost",
        proto::OpportunityStage::Postponed => "postponed",
    }
}

/// The words for what happened to an opportunity.
pub(crate) fn timeline_kind(kind: proto::TimelineKind) -> &'static str {
    match kind {
        proto::TimelineKind::Unspecified => "",
        proto::TimelineKind::Opened => "opened",
        proto::TimelineKind::Advanced => "moved on",
        proto::TimelineKind::Checklist => "checklist",
        proto::TimelineKind::Updated => "changed",
        proto::TimelineKind::HandedOver => "handed over",
        proto::TimelineKind::Overdue => "overdue",
        proto::TimelineKind::Held => "put on hold",
        proto::TimelineKind::Released => "goes on",
        proto::TimelineKind::Postponed => "put off",
        proto::TimelineKind::Resumed => "taken up",
        proto::TimelineKind::Won => "won",
        proto::TimelineKind::Lost => "lost",
    }
}

/// For what an account is left alone; empty for nothing.
pub(crate) fn hold_words(suppressions: &[proto::Suppression]) -> String {
    let mut words: Vec<&str> = suppressions
        .iter()
        .map(|one| match one.reason() {
            proto::SuppressionReason::Unspecified => "",
            proto::SuppressionReason::AtRisk => "at risk",
            proto::SuppressionReason::PaymentFailed => "payment failed",
            proto::SuppressionReason::BillingDispute => "dispute",
            proto::SuppressionReason::DetractorCase => "detractor's case",
        })
        .collect();
    words.dedup();
    words.join(", ")
}

/// How often a price is paid.
pub(crate) fn period(period: proto::PricePeriod) -> &'static str {
    match period {
        proto::PricePeriod::Unspecified => "",
        proto::PricePeriod::Month => "monthly",
        proto::PricePeriod::Year => "yearly",
    }
}

/// What a price is for.
pub(crate) fn basis(basis: proto::PriceBasis) -> &'static str {
    match basis {
        proto::PriceBasis::Unspecified => "",
        proto::PriceBasis::Flat => "flat",
        proto::PriceBasis::PerSeat => "a seat",
    }
}

/// `plans/team` or `plans/team/versions/2`, from that or from what follows `plans/`.
pub(crate) fn plan_name(given: &str) -> String {
    if given.starts_with("plans/") { given.to_owned() } else { format!("plans/{given}") }
}
