//! Events that a webhook is subscribed to, of version `2022-11-06`.
//!
//! <https://developer.zendesk.com/api-reference/webhooks/event-types/ticket-events>

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::{TicketAction, TicketSignal};
use mainstay_domain::Violations;
use serde::Deserialize;
use serde_json::Value;

use super::ticket_id;
use super::words::{is_done, priority};
use crate::Vendor;
use crate::account::{Candidate, account};
use crate::mapped::{Outcome, Told};
use crate::read::{read, text_or_number, text_or_number_if_any, timestamp};
use crate::text::{LINE_LENGTH_MAX, TEXT_LENGTH_MAX, cut};

#[derive(Debug, Deserialize)]
struct Envelope {
    id: String,
    time: DateTime<Utc>,
    detail: Detail,
    #[serde(default)]
    event: Value,
}

#[derive(Debug, Deserialize)]
struct Detail {
    #[serde(deserialize_with = "text_or_number")]
    id: String,
    #[serde(default, deserialize_with = "text_or_number_if_any")]
    organization_id: Option<String>,
    priority: Option<String>,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    description: Option<String>,
}

#[derive(Debug, Deserialize)]
struct StatusChange {
    current: String,
    previous: Option<String>,
}

#[derive(Debug, Deserialize)]
struct PriorityChange {
    current: Option<String>,
}

#[derive(Debug, Deserialize)]
struct CommentAdded {
    comment: Comment,
}

#[derive(Debug, Deserialize)]
struct Comment {
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_public: bool,
    author: Option<Author>,
}

#[derive(Debug, Deserialize)]
struct Author {
    #[serde(default)]
    is_staff: bool,
}

/// Maps an event of type `kind`.
pub(super) fn map(kind: &str, payload: &Value) -> Result<Outcome, Violations> {
    let is_told = [
        "created",
        "status_changed",
        "priority_changed",
        "subject_changed",
        "comment_added",
        "merged",
        "soft_deleted",
        "permanently_deleted",
        "marked_as_spam",
    ];
    let Some(what) = kind.strip_prefix("zen:event-type:ticket.").filter(|what| is_told.contains(what)) else {
        return Ok(Outcome::ignored(format!("the event `{kind}` says nothing that scoring takes")));
    };
    let Envelope { id, time, detail, event } = read("", payload)?;
    let organization = detail.organization_id.as_deref().filter(|id| *id != "0");
    let Some(account) = account([Candidate::new("detail.organization_id", organization)])? else {
        return Ok(Outcome::ignored("the ticket belongs to no organization"));
    };
    let mut priority_word = detail.priority;
    let mut priority_path = "detail.priority";
    let (mut action, mut text, mut answered_at) = (TicketAction::Updated, None, None);
    match what {
        "created" => (action, text) = (TicketAction::Opened, detail.description),
        "status_changed" => action = moved(&read("event", &event)?),
        "priority_changed" => {
            let PriorityChange { current } = read("event", &event)?;
            (priority_word, priority_path) = (current, "event.current");
        }
        "comment_added" => {
            let CommentAdded { comment } = read("event", &event)?;
            if !comment.is_public {
                return Ok(Outcome::ignored("the comment is private: the customer does not see it"));
            }
            let is_staff = comment.author.map(|author| author.is_staff);
            text = comment.body.filter(|_| is_staff == Some(false));
            // Of several answers the earliest counts as the first response.
            answered_at = (is_staff == Some(true)).then_some(time);
        }
        "merged" | "soft_deleted" | "permanently_deleted" | "marked_as_spam" => action = TicketAction::Resolved,
        _ => {}
    }
    let payload = Payload::Ticket(TicketSignal {
        ticket_id: ticket_id(&detail.id),
        action: action.into(),
        priority: priority(priority_path, priority_word.as_deref())?.into(),
        subject: cut(&detail.subject.unwrap_or_default(), LINE_LENGTH_MAX),
        text: cut(&text.unwrap_or_default(), TEXT_LENGTH_MAX),
        requester_email: String::new(),
        satisfaction: None,
        first_response_time: answered_at.map(timestamp),
        sentiment: None,
        open: false,
    });
    let told = Told { account: &account, vendor: Vendor::Zendesk, id: &id, at: time, rank: 0 };
    Ok(Outcome::signals(vec![told.signal(payload)]))
}

fn moved(change: &StatusChange) -> TicketAction {
    let was_done = change.previous.as_deref().is_some_and(is_done);
    match (was_done, is_done(&change.current)) {
        (_, true) => TicketAction::Resolved,
        (true, false) => TicketAction::Reopened,
        (false, false) => TicketAction::Updated,
    }
}
