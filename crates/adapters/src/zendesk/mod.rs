//! Zendesk: tickets, from webhooks that are subscribed to events, from those that a trigger calls, and as its API exports them.
//!
//! | event `zen:event-type:…` | what it becomes |
//! |---|---|
//! | `ticket.created` | ticket opened, with the description as text |
//! | `ticket.status_changed` to solved or closed; from there to another | resolved; reopened |
//! | `ticket.status_changed`, else | updated |
//! | `ticket.priority_changed`, `ticket.subject_changed` | updated |
//! | `ticket.comment_added`, public | updated; with the text when the customer wrote it |
//! | `ticket.merged`, `.soft_deleted`, `.permanently_deleted`, `.marked_as_spam` | resolved: nobody works on it any more |
//!
//! The account of an event is the organization's id: events carry neither the organization's external id nor metadata. A
//! trigger has a template of its own ([`template`]), which can name the account by any id; what the API exports ([`history`]) has
//! the organization's id, and any other where somebody added it.
//!
//! Tickets have plain numbers, so that `zendesk-` stands before them: another help desk may have the same.

mod event;
mod history;
pub(crate) mod signature;
mod template;
mod words;

use mainstay_domain::Violations;
use serde_json::Value;

use crate::mapped::Outcome;
use crate::read::fault;

/// Maps an event, what a trigger sends, or a ticket of the API.
pub(crate) fn map(payload: &Value, account_key: &str) -> Result<Outcome, Violations> {
    if let Some(kind) = payload.get("type").and_then(Value::as_str).filter(|kind| kind.starts_with("zen:event-type:")) {
        return event::map(kind, payload);
    }
    if payload.get(history::TICKETS).is_some() {
        return Err(fault(history::TICKETS, "is taken from files only, where it must be a list of tickets"));
    }
    match history::ticket_of(payload) {
        Some((path, ticket)) => history::map(path, ticket, account_key),
        None => template::map(payload, account_key),
    }
}

/// The tickets of a page of the API, each with its path; a payload that is no page is given back.
pub(crate) fn tickets_of_page(mut payload: Value) -> Result<Vec<(String, Value)>, Value> {
    match payload.get_mut(history::TICKETS).map(Value::take) {
        Some(Value::Array(tickets)) => {
            let path = |place| format!("{}[{place}]", history::TICKETS);
            Ok(tickets.into_iter().enumerate().map(|(place, ticket)| (path(place), ticket)).collect())
        }
        _ => Err(payload),
    }
}

/// A ticket's id as stories have it.
fn ticket_id(number: &str) -> String {
    crate::text::id(&format!("zendesk-{}", number.trim()))
}
