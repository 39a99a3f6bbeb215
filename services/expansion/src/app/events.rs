//! The events that use cases tell: the one place here that knows their messages.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::expansion::v1 as proto;
use mainstay_events::NewEvent;

use super::App;
use crate::convert;
use crate::domain::{Candidate, CandidateState, Opportunity, Plan, Review, Stage};

/// What an opportunity's event says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telling {
    Opened,
    StageChanged { from: Stage },
    Updated,
    HandedOver,
    HoldChanged,
    Overdue,
    Postponed,
    Won,
    Lost,
}

/// A version of a plan came in force.
pub(super) fn plan_published(app: &App, plan: &Plan, now: DateTime<Utc>) -> NewEvent {
    let payload = proto::PlanPublished { plan: Some(convert::plan::message(plan)) };
    NewEvent::of(app.core.ids.new_id(), None, &payload, now)
}

/// A review is through.
pub(super) fn review_completed(app: &App, review: &Review, now: DateTime<Utc>) -> NewEvent {
    let payload = proto::ReviewCompleted { review: Some(convert::qualification::review(review, now)) };
    NewEvent::of(app.core.ids.new_id(), None, &payload, now)
}

/// A chance changed.
pub(super) fn candidate_changed(
    app: &App,
    candidate: &Candidate,
    before: Option<CandidateState>,
    now: DateTime<Utc>,
) -> NewEvent {
    let before = before.map_or(proto::CandidateState::Unspecified, convert::qualification::state_message);
    let payload = proto::CandidateChanged {
        candidate: Some(convert::qualification::candidate(candidate)),
        previous_state: before.into(),
    };
    NewEvent::of(app.core.ids.new_id(), Some(&candidate.account), &payload, now)
}

/// Something happened to an opportunity.
pub(super) fn of_opportunity(app: &App, opportunity: &Opportunity, telling: Telling, now: DateTime<Utc>) -> NewEvent {
    let id = app.core.ids.new_id();
    let account = Some(&opportunity.name.account);
    let opportunity = Some(convert::opportunity::message(opportunity));
    match telling {
        Telling::Opened => NewEvent::of(id, account, &proto::OpportunityOpened { opportunity }, now),
        Telling::StageChanged { from } => {
            let previous_stage = convert::opportunity::stage_message(from).into();
            NewEvent::of(id, account, &proto::OpportunityStageChanged { opportunity, previous_stage }, now)
        }
        Telling::Updated => NewEvent::of(id, account, &proto::OpportunityUpdated { opportunity }, now),
        Telling::HandedOver => NewEvent::of(id, account, &proto::OpportunityHandedOver { opportunity }, now),
        Telling::HoldChanged => NewEvent::of(id, account, &proto::OpportunityHoldChanged { opportunity }, now),
        Telling::Overdue => NewEvent::of(id, account, &proto::OpportunityOverdue { opportunity }, now),
        Telling::Postponed => NewEvent::of(id, account, &proto::OpportunityPostponed { opportunity }, now),
        Telling::Won => NewEvent::of(id, account, &proto::OpportunityWon { opportunity }, now),
        Telling::Lost => NewEvent::of(id, account, &proto::OpportunityLost { opportunity }, now),
    }
}
