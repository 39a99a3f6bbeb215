//! The kinds of systems that tell what happens to customers beside their use.

/// The systems that tell a series: whether they live, signals of any account say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StorySource {
    /// The help desk.
    Tickets,
    /// Billing.
    Billing,
    /// Surveys.
    Surveys,
    /// Those who look after accounts, in contacts.
    Touches,
    /// The same, in judgements.
    Pulses,
    /// Who notes what customers ask for.
    Requests,
    /// Who gives features to customers.
    Releases,
    /// Who watches over the service.
    Incidents,
    /// Who notes how far customers have come.
    Milestones,
}

impl StorySource {
    /// All there are.
    pub const ALL: [Self; 9] = [
        Self::Tickets,
        Self::Billing,
        Self::Surveys,
        Self::Touches,
        Self::Pulses,
        Self::Requests,
        Self::Releases,
        Self::Incidents,
        Self::Milestones,
    ];

    /// As the days on which it lived are stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tickets => "tickets",
            Self::Billing => "billing",
            Self::Surveys => "surveys",
            Self::Touches => "touches",
            Self::Pulses => "pulses",
            Self::Requests => "requests",
            Self::Releases => "releases",
            Self::Incidents => "incidents",
            Self::Milestones => "milestones",
        }
    }
}
