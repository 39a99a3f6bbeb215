//! The events that use cases tell: the one place here that knows their messages.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::{AccountId, ModelId};
use mainstay_events::NewEvent;

use super::App;
use super::get_model::ModelView;
use super::report_plan_usage::PlanUsageReport;
use super::risk_changes::Told;
use crate::convert;
use crate::domain::account::{Account, AccountChange};
use crate::domain::label::{Label, LabelState};
use crate::domain::lifecycle::LifecycleSignal;
use crate::domain::risk_trigger::RiskTrigger;
use crate::domain::signal::Signal;
use crate::domain::ticket::{TicketAction, TicketStory};
use crate::domain::{Activation, Announced, HealthRecord};
use mainstay_service::wire;

/// An account's health changed since the last such event.
pub(super) fn health_changed(app: &App, record: &HealthRecord, last: Announced, now: DateTime<Utc>) -> NewEvent {
    let payload = proto::HealthChanged { change: Some(convert::health::change(record, last)) };
    NewEvent::of(app.core.ids.new_id(), Some(&record.account), &payload, now)
}

/// An account was created, changed, archived, or taken out of the archive.
pub(super) fn account_changed(app: &App, account: &Account, change: AccountChange, now: DateTime<Utc>) -> NewEvent {
    let kind = match change {
        AccountChange::Created => proto::AccountChangeKind::Created,
        AccountChange::Updated => proto::AccountChangeKind::Updated,
        AccountChange::Archived => proto::AccountChangeKind::Archived,
        AccountChange::Unarchived => proto::AccountChangeKind::Unarchived,
    };
    let payload = proto::AccountChanged { account: Some(convert::account::message(account)), kind: kind.into() };
    NewEvent::of(app.core.ids.new_id(), Some(&account.id), &payload, now)
}

/// A model became the one that scores accounts, because of an activation.
pub(super) fn model_activated(
    app: &App,
    view: &ModelView,
    previous: Option<&ModelId>,
    activation: &Activation,
    now: DateTime<Utc>,
) -> NewEvent {
    let cause = &activation.cause;
    let payload = proto::ModelActivated {
        model: Some(convert::model::message(view)),
        previous_model: previous.map(ModelId::name).unwrap_or_default(),
        reason: cause.reason.clone(),
        accepted_worse: cause.accepted_worse,
        accepted_untried: cause.accepted_untried,
        activated_by: cause.caller.clone(),
        segment: activation.segment.map(convert::account::segment_message).unwrap_or_default().into(),
    };
    NewEvent::of(app.core.ids.new_id(), None, &payload, now)
}

/// A condition that puts an account at risk began, went on with other data, or ended.
pub(super) fn risk_trigger_changed(app: &App, trigger: &RiskTrigger, told: Told, now: DateTime<Utc>) -> NewEvent {
    let (id, account) = (app.core.ids.new_id(), Some(&trigger.account));
    let trigger = Some(convert::risk_trigger::message(trigger));
    match told {
        Told::Raised => NewEvent::of(id, account, &proto::RiskTriggerRaised { trigger }, now),
        Told::Updated => NewEvent::of(id, account, &proto::RiskTriggerUpdated { trigger }, now),
        Told::Cleared => NewEvent::of(id, account, &proto::RiskTriggerCleared { trigger }, now),
    }
}

/// Somebody said something against a computed label.
pub(super) fn label_corrected(app: &App, label: &Label, now: DateTime<Utc>) -> NewEvent {
    let payload = proto::LabelCorrected { label: Some(convert::label::message(label)) };
    NewEvent::of(app.core.ids.new_id(), Some(&label.said.account), &payload, now)
}

/// A label was moved to where it is.
pub(super) fn label_moved(app: &App, label: &Label, now: DateTime<Utc>) -> NewEvent {
    let (id, account) = (app.core.ids.new_id(), Some(&label.said.account));
    let message = Some(convert::label::message(label));
    match label.state {
        LabelState::Pending | LabelState::Accepted | LabelState::Rejected => {
            NewEvent::of(id, account, &proto::LabelReviewed { label: message }, now)
        }
        LabelState::Withdrawn => NewEvent::of(id, account, &proto::LabelWithdrawn { label: message }, now),
        LabelState::Expired => NewEvent::of(id, account, &proto::LabelExpired { label: message }, now),
    }
}

/// A signal moved the story of a ticket to what it is now; what happened last did so at this time.
pub(super) fn ticket_changed(
    app: &App,
    signal: &Signal,
    (action, event_at): (TicketAction, DateTime<Utc>),
    story: &TicketStory,
) -> NewEvent {
    let payload = convert::story_signal::ticket_changed(signal, action, story);
    NewEvent::of(app.core.ids.new_id(), Some(&signal.account), &payload, event_at)
}

/// Something happened to a contract, when the signal says.
pub(super) fn lifecycle_changed(app: &App, signal: &Signal, change: &LifecycleSignal) -> NewEvent {
    let payload = proto::LifecycleChanged {
        change: Some(convert::story_signal::lifecycle_message(change)),
        change_time: Some(wire::timestamp(signal.event_at)),
    };
    NewEvent::of(app.core.ids.new_id(), Some(&signal.account), &payload, signal.event_at)
}

/// How much of its plan an account used in a month.
pub(super) fn plan_usage_reported(
    app: &App,
    account: &AccountId,
    report: &PlanUsageReport,
    now: DateTime<Utc>,
) -> NewEvent {
    let payload = proto::PlanUsageReported {
        month: report.month.format("%Y-%m").to_string(),
        limits: report
            .limits
            .iter()
            .map(|(metric, used, limit)| proto::LimitUsage { metric: metric.clone(), used: *used, limit: *limit })
            .collect(),
        active_users: report.active_users,
        seats: report.seats,
    };
    NewEvent::of(app.core.ids.new_id(), Some(account), &payload, now)
}
