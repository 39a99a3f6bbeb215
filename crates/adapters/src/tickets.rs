//! Tickets of any help desk, in a schema of ours.
//!
//! ```json
//! {
//!   "account": "acme",
//!   "ticket_id": "4711",
//!   "action": "opened",
//!   "time": "2026-11-20T09:30:00Z",
//!   "id": "event-1",
//!   "source": "helpdesk",
//!   "priority": "urgent",
//!   "subject": "Nothing works",
//!   "text": "Help!",
//!   "requester_email": "eve@acme.example",
//!   "satisfaction": 4
//! }
//! ```
//!
//! `account`, `ticket_id`, `action` and `time` are required. `action` is `opened`, `updated`, `escalated`, `resolved` or `reopened`;
//! `priority` is `low`, `normal`, `high`, `urgent` or `critical`; `satisfaction` is 1 to 5; `first_response_time` is when the
//! customer was answered first; `sentiment` is -1 (frustrated) to 1 (content), without which it is computed from `text`; `open`, true in
//! an update of a ticket that is open, counts as its reopening when it was resolved before.
//! Without an `id` an event is known by its content. A name that is not among these is refused, since it is a mistake more often than not.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::{TicketPriority, TicketSignal};
use mainstay_domain::{EMAIL_LENGTH_MAX, Violations, is_key};
use serde::Deserialize;
use serde_json::Value;

use crate::Vendor;
use crate::account::{Candidate, account};
use crate::mapped::{Outcome, Told};
use crate::read::{read, text_or_number, text_or_number_if_any, timestamp};
use crate::text::{LINE_LENGTH_MAX, TEXT_LENGTH_MAX, content_id, cut, filled, id};
use crate::ticket_words::{ticket_action, ticket_priority};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    account: String,
    #[serde(deserialize_with = "text_or_number")]
    ticket_id: String,
    action: String,
    time: DateTime<Utc>,
    #[serde(default, deserialize_with = "text_or_number_if_any")]
    id: Option<String>,
    source: Option<String>,
    priority: Option<String>,
    subject: Option<String>,
    text: Option<String>,
    requester_email: Option<String>,
    satisfaction: Option<i32>,
    first_response_time: Option<DateTime<Utc>>,
    sentiment: Option<f64>,
    #[serde(default)]
    open: bool,
}

/// Maps an event of a ticket.
pub(crate) fn map(payload: &Value) -> Result<Outcome, Violations> {
    let ticket: Given = read("", payload)?;
    let mut found = Violations::new();
    let named = account([Candidate::new("account", Some(ticket.account.as_str()))]);
    let named = named.map_err(|faults| found.extend(faults)).ok().flatten();
    found.require(!ticket.account.trim().is_empty(), "account", "is empty");
    let action = found.take("action", ticket_action(&ticket.action));
    let priority = filled(ticket.priority.as_deref()).map_or(Ok(TicketPriority::Unspecified), ticket_priority);
    let priority = found.take("priority", priority);
    let is_rating = ticket.satisfaction.is_none_or(|rating| (1..=5).contains(&rating));
    found.require(is_rating, "satisfaction", "must be 1 to 5");
    let is_sentiment = ticket.sentiment.is_none_or(|sentiment| (-1.0..=1.0).contains(&sentiment));
    found.require(is_sentiment, "sentiment", "must be -1 to 1");
    let is_source = ticket.source.as_deref().is_none_or(is_key);
    found.require(is_source, "source", "must be `[a-z0-9][a-z0-9_.-]{0,62}`");
    let (Some(account), Some(action), Some(priority), true) = (named, action, priority, found.is_empty()) else {
        return Err(found);
    };
    let payload_id = ticket.id.unwrap_or_else(|| content_id(payload));
    let told = Told { account: &account, vendor: Vendor::Tickets, id: &payload_id, at: ticket.time, rank: 0 };
    let line = |text: Option<String>, most| cut(&text.unwrap_or_default(), most);
    let mut signal = told.signal(Payload::Ticket(TicketSignal {
        ticket_id: id(&ticket.ticket_id),
        action: action.into(),
        priority: priority.into(),
        subject: line(ticket.subject, LINE_LENGTH_MAX),
        text: line(ticket.text, TEXT_LENGTH_MAX),
        requester_email: email(ticket.requester_email.as_deref()),
        satisfaction: ticket.satisfaction,
        first_response_time: ticket.first_response_time.map(timestamp),
        sentiment: ticket.sentiment,
        open: ticket.open,
    }));
    if let Some(source) = ticket.source {
        signal.source = source;
    }
    Ok(Outcome::signals(vec![signal]))
}

/// A mail address; none when it is longer than any can be.
pub(crate) fn email(text: Option<&str>) -> String {
    cut(text.filter(|text| text.trim().len() <= EMAIL_LENGTH_MAX).unwrap_or_default(), EMAIL_LENGTH_MAX)
}
