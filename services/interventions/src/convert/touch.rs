//! Contacts with customers, and the story.

use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_service::wire::timestamp;

use super::names;
use crate::domain::timeline::TimelineEntry;
use crate::domain::touch::{Touch, TouchChannel};

/// A contact as messages have it.
pub(crate) fn message(touch: &Touch) -> proto::Touch {
    let direction = if touch.is_outbound { proto::TouchDirection::Outbound } else { proto::TouchDirection::Inbound };
    proto::Touch {
        name: names::touch(touch.id),
        account: touch.account.name(),
        case: touch.case.map(names::case).unwrap_or_default(),
        channel: channel_message(touch.channel).into(),
        direction: direction.into(),
        answered: touch.is_answered,
        contact_id: touch.contact_id.clone(),
        summary: touch.summary.clone(),
        touch_time: Some(timestamp(touch.touched_at)),
        actor: touch.actor.clone(),
        challenges: touch.challenges.clone(),
        changed_needs: touch.changed_needs.clone(),
    }
}

/// A channel of a message.
pub(crate) fn channel(number: i32) -> Option<TouchChannel> {
    match proto::TouchChannel::try_from(number).ok()? {
        proto::TouchChannel::Unspecified => None,
        proto::TouchChannel::Call => Some(TouchChannel::Call),
        proto::TouchChannel::Email => Some(TouchChannel::Email),
        proto::TouchChannel::Meeting => Some(TouchChannel::Meeting),
        proto::TouchChannel::InApp => Some(TouchChannel::InApp),
        proto::TouchChannel::Chat => Some(TouchChannel::Chat),
    }
}

fn channel_message(channel: TouchChannel) -> proto::TouchChannel {
    match channel {
        TouchChannel::Call => proto::TouchChannel::Call,
        TouchChannel::Email => proto::TouchChannel::Email,
        TouchChannel::Meeting => proto::TouchChannel::Meeting,
        TouchChannel::InApp => proto::TouchChannel::InApp,
        TouchChannel::Chat => proto::TouchChannel::Chat,
    }
}

/// Whether we began a contact, of a message.
pub(crate) fn is_outbound(number: i32) -> Option<bool> {
    match proto::TouchDirection::try_from(number).ok()? {
        proto::TouchDirection::Unspecified => None,
        proto::TouchDirection::Outbound => Some(true),
        proto::TouchDirection::Inbound => Some(false),
    }
}

/// A part of the story as messages have it.
pub(crate) fn entry_message(entry: &TimelineEntry) -> proto::TimelineEntry {
    proto::TimelineEntry {
        time: Some(timestamp(entry.happened_at)),
        kind: entry.kind.clone(),
        text: entry.body.clone(),
        actor: entry.actor.clone(),
        alert: entry.alert.map(names::alert).unwrap_or_default(),
        case: entry.case.map(names::case).unwrap_or_default(),
    }
}
