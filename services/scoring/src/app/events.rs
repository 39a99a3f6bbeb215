//! The events that use cases tell: the one place here that knows their messages.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_events::NewEvent;

use super::App;
use crate::convert;
use crate::domain::Announced;
use crate::storage::health::HealthRecord;

/// An account's health changed since the last such event.
pub(super) fn health_changed(app: &App, record: &HealthRecord, last: Announced, now: DateTime<Utc>) -> NewEvent {
    let payload = proto::HealthChanged { change: Some(convert::health::change(record, last)) };
    NewEvent::of(app.ids.new_id(), Some(&record.account), &payload, now)
}
