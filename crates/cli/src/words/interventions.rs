//! Words for the enums of interventions.

use clap::ValueEnum;
use mainstay_api::mainstay::interventions::v1 as proto;

use super::time_text;

/// How a customer was reached, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ChannelWord {
    /// Phone or video call
    Call,
    /// Email
    Email,
    /// A meeting in person
    Meeting,
    /// A message inside the product
    InApp,
    /// Chat
    Chat,
}

impl From<ChannelWord> for proto::TouchChannel {
    fn from(word: ChannelWord) -> Self {
        match word {
            ChannelWord::Call => Self::Call,
            ChannelWord::Email => Self::Email,
            ChannelWord::Meeting => Self::Meeting,
            ChannelWord::InApp => Self::InApp,
            ChannelWord::Chat => Self::Chat,
        }
    }
}

/// The words of an enum's value without the prefix: `CASE_STATE_CAUSE_FOUND` is `cause found`.
pub(crate) fn enum_word(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_lowercase().replace('_', " ")
}

/// What has to be done by a deadline.
pub(crate) fn clock_step(step: proto::ClockStep) -> &'static str {
    match step {
        proto::ClockStep::Unspecified => "",
        proto::ClockStep::Acknowledge => "acknowledge",
        proto::ClockStep::Assess => "assess",
        proto::ClockStep::Plan => "plan",
        proto::ClockStep::Execute | proto::ClockStep::Contact => "contact the customer",
        proto::ClockStep::FollowUp => "follow up",
        proto::ClockStep::Review => "review the ticket",
        proto::ClockStep::EscalateToDirector => "involve the director",
        proto::ClockStep::RootCause => "document the root cause",
        proto::ClockStep::Resolve => "resolve the complaint",
        proto::ClockStep::Resurvey => "hear the customer again",
        proto::ClockStep::CaseAssess => "assess the account",
        proto::ClockStep::CaseIntervene => "carry out the intervention",
        proto::ClockStep::CaseResolve => "bring the case to an end",
        proto::ClockStep::Task => "do the task",
        proto::ClockStep::Reminder => "look at it again",
        proto::ClockStep::Call => "call the customer",
    }
}

/// How a deadline went that is no longer running.
pub(crate) fn clock_state(clock: &proto::Clock) -> String {
    match (clock.state(), clock.met_time) {
        (proto::ClockState::Met, met) => format!("met {}", time_text(met)),
        (proto::ClockState::Breached, Some(met)) => format!("breached, met late {}", time_text(Some(met))),
        (proto::ClockState::Breached, None) => "breached".to_owned(),
        (proto::ClockState::Cancelled, _) => "not needed any more".to_owned(),
        (proto::ClockState::Running | proto::ClockState::Unspecified, _) => String::new(),
    }
}
