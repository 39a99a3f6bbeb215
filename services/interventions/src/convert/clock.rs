//! Clocks.

use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_service::wire::timestamp;

use crate::domain::clock::{Clock, ClockState, ClockStep};

/// A clock as messages have it.
pub(crate) fn message(clock: &Clock) -> proto::Clock {
    proto::Clock {
        step: step_message(clock.step).into(),
        due_time: Some(timestamp(clock.due_at)),
        state: state_message(clock.state).into(),
        warn_time: clock.warned_at.map(timestamp),
        met_time: clock.met_at.map(timestamp),
    }
}

fn state_message(state: ClockState) -> proto::ClockState {
    match state {
        ClockState::Running => proto::ClockState::Running,
        ClockState::Met => proto::ClockState::Met,
        ClockState::Breached => proto::ClockState::Breached,
        ClockState::Cancelled => proto::ClockState::Cancelled,
    }
}

/// A step as messages have it.
pub(crate) fn step_message(step: ClockStep) -> proto::ClockStep {
    match step {
        ClockStep::Acknowledge => proto::ClockStep::Acknowledge,
        ClockStep::Assess => proto::ClockStep::Assess,
        ClockStep::Plan => proto::ClockStep::Plan,
        ClockStep::Execute => proto::ClockStep::Execute,
        ClockStep::FollowUp => proto::ClockStep::FollowUp,
        ClockStep::Review => proto::ClockStep::Review,
        ClockStep::EscalateToDirector => proto::ClockStep::EscalateToDirector,
        ClockStep::Contact => proto::ClockStep::Contact,
        ClockStep::RootCause => proto::ClockStep::RootCause,
        ClockStep::Resolve => proto::ClockStep::Resolve,
        ClockStep::Resurvey => proto::ClockStep::Resurvey,
        ClockStep::CaseAssess => proto::ClockStep::CaseAssess,
        ClockStep::CaseIntervene => proto::ClockStep::CaseIntervene,
        ClockStep::CaseResolve => proto::ClockStep::CaseResolve,
        ClockStep::Task => proto::ClockStep::Task,
        ClockStep::Reminder => proto::ClockStep::Reminder,
        ClockStep::Call => proto::ClockStep::Call,
    }
}

/// A step of a message.
pub(crate) fn step(number: i32) -> Option<ClockStep> {
    let given = proto::ClockStep::try_from(number).ok()?;
    ClockStep::ALL.into_iter().find(|step| step_message(*step) == given)
}
