//! Zendesk: tickets, from webhooks that are subscribed to events and from those that a trigger calls.
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
//! trigger has a template of its own ([`template`]), which can name the account by any id.
//!
//! Tickets have plain numbers, so that `zendesk-` stands before them: another help desk may have the same.

mod event;
pub(crate) mod signature;
mod template;
mod words;

use mainstay_domain::Violations;
use serde_json::Value;

use crate::mapped::Outcome;

/// Maps an event, or what a trigger sends.
pub(crate) fn map(payload: &Value, account_key: &str) -> Result<Outcome, Violations> {
    match payload.get("type").and_then(Value::as_str) {
        Some(kind) if kind.starts_with("zen:event-type:") => event::map(kind, payload),
        _ => template::map(payload, account_key),
    }
}

/// A ticket's id as stories have it.
fn ticket_id(number: &str) -> String {
    crate::text::id(&format!("zendesk-{}", number.trim()))
}
