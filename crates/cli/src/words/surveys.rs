//! Words for the enums of surveys.

use clap::ValueEnum;
use mainstay_api::mainstay::surveys::v1 as proto;

/// What a survey asks, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SurveyKindWord {
    /// Net promoter score, 0 to 10
    Nps,
    /// Customer satisfaction, 1 to 5
    Csat,
}

impl From<SurveyKindWord> for proto::SurveyKind {
    fn from(word: SurveyKindWord) -> Self {
        match word {
            SurveyKindWord::Nps => Self::Nps,
            SurveyKindWord::Csat => Self::Csat,
        }
    }
}

/// When a programme asks, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TriggerWord {
    /// Once in each quarter, customers of more than 90 days
    Quarterly,
    /// 30 days after the first activation
    Activation,
    /// 30 days after sign-up
    SignUp,
    /// When a critical ticket was resolved
    CriticalTicket,
    /// When any ticket was resolved
    Support,
    /// 60 days before the renewal
    Renewal,
}

impl From<TriggerWord> for proto::Trigger {
    fn from(word: TriggerWord) -> Self {
        use proto::trigger::When;
        let after =
            |anchor: proto::StartAnchor| When::AfterStart(proto::AfterStartTrigger { days: 0, anchor: anchor.into() });
        let when = match word {
            TriggerWord::Quarterly => When::Quarterly(proto::QuarterlyTrigger::default()),
            TriggerWord::Activation => after(proto::StartAnchor::Activation),
            TriggerWord::SignUp => after(proto::StartAnchor::SignUp),
            TriggerWord::CriticalTicket => When::CriticalTicket(proto::CriticalTicketTrigger {}),
            TriggerWord::Support => When::SupportInteraction(proto::SupportInteractionTrigger {}),
            TriggerWord::Renewal => When::BeforeRenewal(proto::BeforeRenewalTrigger { days: 0 }),
        };
        Self { when: Some(when) }
    }
}

/// When a programme asks, in words.
pub(crate) fn trigger(trigger: Option<&proto::Trigger>) -> String {
    use proto::trigger::When;
    match trigger.and_then(|trigger| trigger.when.as_ref()) {
        None => String::new(),
        Some(When::Quarterly(quarterly)) => {
            format!("each quarter, tenure above {} days", quarterly.tenure_days.unwrap_or_default())
        }
        Some(When::AfterStart(after)) if after.anchor() == proto::StartAnchor::SignUp => {
            format!("{} days after sign-up", after.days)
        }
        Some(When::AfterStart(after)) => format!("{} days after activation", after.days),
        Some(When::CriticalTicket(_)) => "critical ticket resolved".to_owned(),
        Some(When::SupportInteraction(_)) => "any ticket resolved".to_owned(),
        Some(When::BeforeRenewal(before)) => format!("{} days before renewal", before.days),
    }
}

/// What a score stands for, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CategoryWord {
    /// NPS 9 or 10
    Promoter,
    /// NPS 7 or 8
    Passive,
    /// NPS 0 to 6
    Detractor,
    /// CSAT 4 or 5
    Satisfied,
    /// CSAT 3
    Neutral,
    /// CSAT 1 or 2
    Dissatisfied,
}

impl From<CategoryWord> for proto::ResponseCategory {
    fn from(word: CategoryWord) -> Self {
        match word {
            CategoryWord::Promoter => Self::Promoter,
            CategoryWord::Passive => Self::Passive,
            CategoryWord::Detractor => Self::Detractor,
            CategoryWord::Satisfied => Self::Satisfied,
            CategoryWord::Neutral => Self::Neutral,
            CategoryWord::Dissatisfied => Self::Dissatisfied,
        }
    }
}

/// By what a report is broken down, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DimensionWord {
    /// A row for each programme
    Program,
    /// A row for each segment
    Segment,
    /// A row for each quarter
    Quarter,
    /// A row for each month
    Month,
}

impl From<DimensionWord> for proto::ReportDimension {
    fn from(word: DimensionWord) -> Self {
        match word {
            DimensionWord::Program => Self::Program,
            DimensionWord::Segment => Self::Segment,
            DimensionWord::Quarter => Self::Quarter,
            DimensionWord::Month => Self::Month,
        }
    }
}
