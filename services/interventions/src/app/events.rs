//! The events that use cases tell: the one place here that knows their messages.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_domain::AccountId;
use mainstay_events::NewEvent;
use uuid::Uuid;

use super::session::Of;
use crate::convert;
use crate::domain::alert::Alert;
use crate::domain::case::Case;
use crate::domain::clock::{Clock, ClockState};
use crate::domain::touch::Touch;

/// What became of a clock.
pub(super) enum ClockEvent {
    Warned(proto::ClockNotice),
    Breached(proto::ClockNotice),
    Met(proto::ClockNotice),
}

impl ClockEvent {
    /// The same, with those who were told besides the owner.
    pub(super) fn escalated_to(mut self, people: &[String]) -> Self {
        let (Self::Warned(notice) | Self::Breached(notice) | Self::Met(notice)) = &mut self;
        notice.escalated_to = people.to_vec();
        self
    }

    pub(super) fn into_event(self, id: Uuid, account: &AccountId, now: DateTime<Utc>) -> NewEvent {
        match self {
            Self::Warned(notice) => NewEvent::of(id, Some(account), &proto::ClockWarned { notice: Some(notice) }, now),
            Self::Breached(notice) => {
                NewEvent::of(id, Some(account), &proto::ClockBreached { notice: Some(notice) }, now)
            }
            Self::Met(notice) => NewEvent::of(id, Some(account), &proto::ClockMet { notice: Some(notice) }, now),
        }
    }
}

/// What is told of a clock that changed: each change once.
pub(super) fn clock_notices(before: &Clock, after: &Clock, of: Of<'_>) -> Vec<ClockEvent> {
    let mut told = Vec::new();
    if before.warned_at.is_none() && after.warned_at.is_some() {
        told.push(ClockEvent::Warned(notice(after, of)));
    }
    if before.state != ClockState::Breached && after.state == ClockState::Breached {
        told.push(ClockEvent::Breached(notice(after, of)));
    }
    if before.met_at.is_none() && after.met_at.is_some() {
        told.push(ClockEvent::Met(notice(after, of)));
    }
    told
}

fn notice(clock: &Clock, of: Of<'_>) -> proto::ClockNotice {
    let mut notice = proto::ClockNotice {
        clock: Some(convert::clock::message(clock)),
        start_time: Some(mainstay_service::wire::timestamp(clock.started_at)),
        ..Default::default()
    };
    match of {
        Of::Alert(alert) => {
            notice.alert = convert::names::alert(alert.id);
            notice.case = alert.case.map(convert::names::case).unwrap_or_default();
            notice.owner_email.clone_from(&alert.owner_email);
        }
        Of::Case(case) => {
            notice.case = convert::names::case(case.id);
            notice.owner_email.clone_from(&case.owner_email);
        }
        Of::Task { id, case, owner_email } => {
            notice.task = convert::names::task(id);
            notice.case = convert::names::case(case);
            owner_email.clone_into(&mut notice.owner_email);
        }
    }
    notice
}

/// An alert was raised.
pub(super) fn alert_raised(alert: &Alert, account_name: &str, clocks: &[Clock]) -> proto::AlertRaised {
    proto::AlertRaised { alert: Some(convert::alert::message(alert, account_name, clocks)) }
}

/// An alert changed.
pub(super) fn alert_changed(alert: &Alert, account_name: &str, clocks: &[Clock]) -> proto::AlertChanged {
    proto::AlertChanged { alert: Some(convert::alert::message(alert, account_name, clocks)) }
}

/// An alert was closed.
pub(super) fn alert_closed(alert: &Alert, account_name: &str, clocks: &[Clock]) -> proto::AlertClosed {
    proto::AlertClosed { alert: Some(convert::alert::message(alert, account_name, clocks)) }
}

/// A case was opened.
pub(super) fn case_opened(case: &Case, account_name: &str, clocks: &[Clock]) -> proto::CaseOpened {
    proto::CaseOpened { case: Some(convert::case::message(case, account_name, clocks)) }
}

/// A case changed.
pub(super) fn case_changed(case: &Case, account_name: &str, clocks: &[Clock]) -> proto::CaseChanged {
    proto::CaseChanged { case: Some(convert::case::message(case, account_name, clocks)) }
}

/// A case was closed.
pub(super) fn case_closed(case: &Case, account_name: &str, clocks: &[Clock]) -> proto::CaseClosed {
    proto::CaseClosed { case: Some(convert::case::message(case, account_name, clocks)) }
}

/// What a detractor complained of was resolved.
pub(super) fn case_resolved(case: &Case, resolved_at: DateTime<Utc>) -> proto::CaseResolved {
    proto::CaseResolved {
        case: convert::names::case(case.id),
        account: case.account.name(),
        kind: proto::CaseKind::Detractor.into(),
        response: case.subject.clone(),
        contact_id: case.contact_id.clone(),
        resolve_time: Some(mainstay_service::wire::timestamp(resolved_at)),
    }
}

/// A contact was recorded.
pub(super) fn touch_recorded(touch: &Touch) -> proto::TouchRecorded {
    proto::TouchRecorded { touch: Some(convert::touch::message(touch)) }
}
