//! Records as messages of the API. Nothing of the settings is in them.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::delivery::v1 as api;
use mainstay_domain::AccountId;
use prost_types::value::Kind;
use prost_types::{Duration, ListValue, NullValue, Struct, Timestamp, Value};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::operate::DestinationState;
use crate::record::{AttemptRecord, MessageRecord, MessageState};
use crate::{AttemptOutcome, Channel, Content, Destination};

pub(super) const MESSAGES: &str = "messages/";
pub(super) const DESTINATIONS: &str = "destinations/";

pub(super) fn message_name(id: Uuid) -> String {
    format!("{MESSAGES}{id}")
}

pub(super) fn destination_name(destination: &Destination) -> String {
    format!("{DESTINATIONS}{destination}")
}

pub(super) fn listed_message(record: MessageRecord) -> api::Message {
    let is_pending = record.state == MessageState::Pending;
    let account = record.account.map(|id| format!("{}/{id}", AccountId::COLLECTION)).unwrap_or_default();
    api::Message {
        name: message_name(record.id),
        account,
        purpose: record.purpose,
        channel: channel(record.channel).into(),
        destination: destination_name(&record.destination),
        dedupe_key: record.dedupe_key.unwrap_or_default(),
        state: state(record.state).into(),
        create_time: Some(timestamp(record.created_at)),
        next_attempt_time: is_pending.then(|| timestamp(record.due_at)),
        sent_time: record.sent_at.map(timestamp),
        dead_time: record.dead_at.map(timestamp),
        attempt_count: i32::try_from(record.attempts).unwrap_or(i32::MAX),
        last_error: record.last_error.unwrap_or_default(),
        traceparent: record.traceparent.unwrap_or_default(),
        content: None,
        attempts: Vec::new(),
    }
}

pub(super) fn whole_message(mut record: MessageRecord, attempts: Vec<AttemptRecord>) -> api::Message {
    let content = std::mem::replace(&mut record.content, Content::Email(crate::Email::default()));
    api::Message {
        content: Some(message_content(content)),
        attempts: attempts.into_iter().map(attempt).collect(),
        ..listed_message(record)
    }
}

pub(super) fn destination(state: DestinationState, configured: &[Destination]) -> api::Destination {
    api::Destination {
        name: destination_name(&state.destination),
        channel: channel(state.destination.channel()).into(),
        configured: configured.contains(&state.destination),
        disable_time: state.disabled_at.map(timestamp),
        disable_reason: state.reason.unwrap_or_default(),
        pending_count: i64::try_from(state.pending).unwrap_or(i64::MAX),
        oldest_due_time: state.oldest_due.map(timestamp),
    }
}

fn message_content(content: Content) -> api::message::Content {
    match content {
        Content::Email(email) => api::message::Content::Email(api::EmailContent {
            to: email.to,
            from_name: email.from_name.unwrap_or_default(),
            reply_to: email.reply_to.unwrap_or_default(),
            subject: email.subject,
            text: email.text,
            html: email.html.unwrap_or_default(),
            headers: email
                .headers
                .into_iter()
                .map(|header| api::EmailHeader { name: header.name, value: header.value })
                .collect(),
        }),
        Content::Slack(slack) => api::message::Content::Slack(api::SlackContent {
            text: slack.text,
            blocks: slack.blocks.map(|blocks| match blocks {
                Json::Array(items) => ListValue { values: items.into_iter().map(value).collect() },
                other => ListValue { values: vec![value(other)] },
            }),
        }),
        Content::Webhook(webhook) => api::message::Content::Webhook(api::WebhookContent {
            event_type: webhook.event_type,
            data: Some(value(webhook.data)),
        }),
    }
}

fn attempt(record: AttemptRecord) -> api::Attempt {
    let outcome = match record.outcome {
        None => api::AttemptOutcome::Unspecified,
        Some(AttemptOutcome::Sent) => api::AttemptOutcome::Sent,
        Some(AttemptOutcome::Failed) => api::AttemptOutcome::Failed,
        Some(AttemptOutcome::Refused) => api::AttemptOutcome::Refused,
    };
    api::Attempt {
        number: i32::try_from(record.attempt).unwrap_or(i32::MAX),
        start_time: Some(timestamp(record.started_at)),
        outcome: outcome.into(),
        status_code: record.status_code.map_or(0, i32::from),
        error: record.error.unwrap_or_default(),
        duration: record.duration.and_then(|duration| Duration::try_from(duration).ok()),
    }
}

fn channel(channel: Channel) -> api::Channel {
    match channel {
        Channel::Email => api::Channel::Email,
        Channel::Slack => api::Channel::Slack,
        Channel::Webhook => api::Channel::Webhook,
    }
}

fn state(state: MessageState) -> api::MessageState {
    match state {
        MessageState::Pending => api::MessageState::Pending,
        MessageState::Sent => api::MessageState::Sent,
        MessageState::Dead => api::MessageState::Dead,
    }
}

fn timestamp(time: DateTime<Utc>) -> Timestamp {
    let nanos = i32::try_from(time.timestamp_subsec_nanos()).unwrap_or(0);
    Timestamp { seconds: time.timestamp(), nanos }
}

fn value(json: Json) -> Value {
    let kind = match json {
        Json::Null => Kind::NullValue(NullValue::NullValue.into()),
        Json::Bool(value) => Kind::BoolValue(value),
        Json::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Kind::StringValue(text),
        Json::Array(items) => Kind::ListValue(ListValue { values: items.into_iter().map(value).collect() }),
        Json::Object(fields) => {
            let fields = fields.into_iter().map(|(key, field)| (key, value(field))).collect();
            Kind::StructValue(Struct { fields })
        }
    };
    Value { kind: Some(kind) }
}
