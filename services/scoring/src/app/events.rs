//! The events that use cases tell: the one place here that knows their messages.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::ModelId;
use mainstay_events::NewEvent;

use super::App;
use super::get_model::ModelView;
use crate::convert;
use crate::domain::account::{Account, AccountChange};
use crate::domain::{Announced, HealthRecord};

/// An account's health changed since the last such event.
pub(super) fn health_changed(app: &App, record: &HealthRecord, last: Announced, now: DateTime<Utc>) -> NewEvent {
    let payload = proto::HealthChanged { change: Some(convert::health::change(record, last)) };
    NewEvent::of(app.ids.new_id(), Some(&record.account), &payload, now)
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
    NewEvent::of(app.ids.new_id(), Some(&account.id), &payload, now)
}

/// A model became the one that scores.
pub(super) fn model_activated(app: &App, view: &ModelView, previous: Option<&ModelId>, now: DateTime<Utc>) -> NewEvent {
    let payload = proto::ModelActivated {
        model: Some(convert::model::message(view)),
        previous_model: previous.map(ModelId::name).unwrap_or_default(),
    };
    NewEvent::of(app.ids.new_id(), None, &payload, now)
}
