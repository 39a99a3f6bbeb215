//! An answer, and what its score stands for.

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_domain::{AccountId, NPS_PASSIVE_MIN, NPS_PROMOTER_MIN, NPS_SCORE_MAX, ProgramId, Segment};
use uuid::Uuid;

use super::invitation::{InvitationName, ResponseName};
use super::program::SurveyKind;

/// Most characters of a comment.
pub(crate) const COMMENT_LENGTH_MAX: usize = 5_000;
/// Most characters of a contact's id.
pub(crate) const CONTACT_ID_LENGTH_MAX: usize = 254;
/// How far ahead of our clock an answer may lie.
pub(crate) const AHEAD_MAX: TimeDelta = TimeDelta::minutes(5);
/// The channel of answers from the answer page.
pub(crate) const PAGE_CHANNEL: &str = "page";
/// The channel of answers that callers submit without saying how they came.
pub(crate) const RPC_CHANNEL: &str = "rpc";

/// What a score stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Category {
    Promoter,
    Passive,
    Detractor,
    Satisfied,
    Neutral,
    Dissatisfied,
}

impl Category {
    /// All of them.
    pub(crate) const ALL: [Self; 6] =
        [Self::Promoter, Self::Passive, Self::Detractor, Self::Satisfied, Self::Neutral, Self::Dissatisfied];

    /// What a score of a kind stands for; none for a score that the kind does not have.
    pub(crate) fn of(kind: SurveyKind, score: i32) -> Option<Self> {
        match (kind, score) {
            (SurveyKind::Nps, NPS_PROMOTER_MIN..=NPS_SCORE_MAX) => Some(Self::Promoter),
            (SurveyKind::Nps, NPS_PASSIVE_MIN..NPS_PROMOTER_MIN) => Some(Self::Passive),
            (SurveyKind::Nps, 0..NPS_PASSIVE_MIN) => Some(Self::Detractor),
            (SurveyKind::Csat, 4..=5) => Some(Self::Satisfied),
            (SurveyKind::Csat, 3) => Some(Self::Neutral),
            (SurveyKind::Csat, 1..=2) => Some(Self::Dissatisfied),
            _ => None,
        }
    }
}

/// An answer as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    pub name: ResponseName,
    pub program: ProgramId,
    pub kind: SurveyKind,
    pub contact_id: String,
    /// Empty when not known.
    pub address: String,
    pub score: i32,
    pub category: Category,
    pub comment: String,
    pub invitation_id: Option<Uuid>,
    pub responded_at: DateTime<Utc>,
    pub resurvey_of: Option<Uuid>,
    pub previous_score: Option<i32>,
    pub channel: String,
    pub segment: Segment,
    pub created_at: DateTime<Utc>,
}

impl Response {
    /// The invitation's name.
    pub(crate) fn invitation(&self) -> Option<InvitationName> {
        self.invitation_id.map(|id| InvitationName { account: self.name.account.clone(), id })
    }
}

/// An answer that a caller submits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SubmittedResponse {
    pub account: AccountId,
    /// None: that of the invitation.
    pub program: Option<ProgramId>,
    pub contact_id: String,
    pub score: i32,
    pub comment: String,
    pub invitation: Option<InvitationName>,
    /// None: now.
    pub responded_at: Option<DateTime<Utc>>,
    pub channel: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r16_promoters_are_9_and_10_passives_7_and_8_detractors_0_to_6() {
        use Category::{Detractor, Passive, Promoter};
        let categories: Vec<_> = (0..=10).filter_map(|score| Category::of(SurveyKind::Nps, score)).collect();
        let expected = [[Detractor; 7].as_slice(), &[Passive; 2], &[Promoter; 2]].concat();
        assert_eq!(categories, expected);
        assert_eq!([-1, 11, i32::MIN, i32::MAX].map(|score| Category::of(SurveyKind::Nps, score)), [None; 4]);
    }

    #[test]
    fn satisfied_customers_answer_4_or_5() {
        let categories: Vec<_> = (0..=6).map(|score| Category::of(SurveyKind::Csat, score)).collect();
        assert_eq!(
            categories,
            [
                None,
                Some(Category::Dissatisfied),
                Some(Category::Dissatisfied),
                Some(Category::Neutral),
                Some(Category::Satisfied),
                Some(Category::Satisfied),
                None
            ]
        );
    }
}
