//! A survey programme, and the moves from state to state.

use chrono::{DateTime, Utc};
use mainstay_domain::{Etag, ProgramId, Segment};
use serde::{Deserialize, Serialize};

use super::texts::SurveyTexts;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum SurveyKind {
    /// Net promoter score, 0 to 10.
    Nps,
    /// Customer satisfaction, 1 to 5.
    Csat,
}

impl SurveyKind {
    /// The scores that answer it, lowest first.
    pub(crate) fn scores(self) -> std::ops::RangeInclusive<i32> {
        match self {
            Self::Nps => 0..=10,
            Self::Csat => 1..=5,
        }
    }

    /// What the lowest and the highest score mean.
    pub(crate) fn ends(self) -> (&'static str, &'static str) {
        match self {
            Self::Nps => ("not at all likely", "extremely likely"),
            Self::Csat => ("very dissatisfied", "very satisfied"),
        }
    }
}

/// Where a programme stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ProgramState {
    Draft,
    Published,
    Paused,
    Archived,
}

impl ProgramState {
    /// Its word, for errors.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Published => "PUBLISHED",
            Self::Paused => "PAUSED",
            Self::Archived => "ARCHIVED",
        }
    }
}

/// What is done to a programme's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProgramMove {
    Publish,
    Pause,
    Resume,
    Archive,
}

impl ProgramMove {
    /// All of them.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 4] = [Self::Publish, Self::Pause, Self::Resume, Self::Archive];

    /// Where it leads.
    pub(crate) fn target(self) -> ProgramState {
        match self {
            Self::Publish | Self::Resume => ProgramState::Published,
            Self::Pause => ProgramState::Paused,
            Self::Archive => ProgramState::Archived,
        }
    }

    /// Whether it can be made from a state that is not its target.
    pub(crate) fn is_allowed_from(self, state: ProgramState) -> bool {
        match self {
            Self::Publish => state == ProgramState::Draft,
            Self::Pause => state == ProgramState::Published,
            Self::Resume => state == ProgramState::Paused,
            Self::Archive => state != ProgramState::Archived,
        }
    }

    /// What the states are from which it can be made.
    pub(crate) fn sources(self) -> &'static str {
        match self {
            Self::Publish => "only a draft can be published",
            Self::Pause => "only a published programme can be paused",
            Self::Resume => "only a paused programme can be resumed",
            Self::Archive => "any programme can be archived",
        }
    }
}

/// What counts as a customer's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StartAnchor {
    Activation,
    SignUp,
}

/// When a programme asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "when", rename_all = "snake_case")]
pub(crate) enum Trigger {
    /// Once in each calendar quarter, customers whose tenure is above so many days.
    Quarterly { tenure_days: u32, spread_days: u32 },
    /// So many days after the start.
    AfterStart { days: u32, anchor: StartAnchor },
    /// When a critical ticket was resolved.
    CriticalTicket,
    /// When any ticket was resolved.
    SupportInteraction,
    /// So many days before the renewal.
    BeforeRenewal { days: u32 },
}

impl Trigger {
    /// Whether its occasions come with the calendar, not with an event.
    pub(crate) fn goes_by_calendar(self) -> bool {
        match self {
            Self::Quarterly { .. } | Self::AfterStart { .. } | Self::BeforeRenewal { .. } => true,
            Self::CriticalTicket | Self::SupportInteraction => false,
        }
    }
}

/// What a caller says of a programme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProgramDefinition {
    pub display_name: String,
    pub kind: SurveyKind,
    pub trigger: Trigger,
    pub texts: SurveyTexts,
    /// Empty: all.
    pub segments: Vec<Segment>,
    pub contacts_max: u32,
    /// None: no cap.
    pub daily_cap: Option<u32>,
    /// None: no reminder.
    pub reminder_days: Option<u32>,
    pub expiry_days: u32,
    pub send_hour: u32,
}

/// A programme as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    pub id: ProgramId,
    pub definition: ProgramDefinition,
    pub state: ProgramState,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub published_at: Option<DateTime<Utc>>,
}

impl Program {
    /// Its version as callers see it.
    pub(crate) fn etag(&self) -> Etag {
        Etag::of_version(self.version)
    }

    /// Whether it asks.
    pub(crate) fn is_published(&self) -> bool {
        self.state == ProgramState::Published
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_documented_moves_are_allowed() {
        use ProgramState::{Archived, Draft, Paused, Published};
        for state in [Draft, Published, Paused, Archived] {
            let allowed: Vec<_> = ProgramMove::ALL.into_iter().filter(|step| step.is_allowed_from(state)).collect();
            let expected = match state {
                Draft => vec![ProgramMove::Publish, ProgramMove::Archive],
                Published => vec![ProgramMove::Pause, ProgramMove::Archive],
                Paused => vec![ProgramMove::Resume, ProgramMove::Archive],
                Archived => vec![],
            };
            assert_eq!(allowed, expected, "{state:?}");
        }
    }
}
