//! What a trigger or automation sends: the JSON that an administrator writes with Zendesk's placeholders. This is the one to
//! write; only the account, `ticket_id` and `updated_at` are needed.
//!
//! ```json
//! {
//!   "mainstay_account": "{{ticket.organization.external_id}}",
//!   "ticket_id": "{{ticket.id}}",
//!   "action": "",
//!   "status": "{{ticket.status}}",
//!   "priority": "{{ticket.priority}}",
//!   "subject": "{{ticket.title}}",
//!   "text": "{{ticket.latest_public_comment}}",
//!   "requester_email": "{{ticket.requester.email}}",
//!   "satisfaction": "{{satisfaction.current_rating}}",
//!   "updated_at": "{{ticket.updated_at_with_timestamp}}"
//! }
//! ```
//!
//! `action` is `opened`, `updated`, `escalated`, `resolved` or `reopened`; without it solved and closed tickets are resolved, new
//! ones opened, others updated: one that is open, pending or on hold after it was resolved counts as reopened. What Zendesk has nothing
//! for, it sends empty.
//!
//! `text` is what the customer wrote: triggers that run for anything else, as for an agent's answer, leave it out. A customer who
//! writes again before the resolution was not helped at first contact.
//!
//! There is no id: a delivery that is tried again is known by its content. So `updated_at` must be there, or a ticket that is solved
//! again in the same words would be such a delivery. Zendesk tells it to the minute. Of what happened within one, a resolution comes
//! after an update, whichever was first; a delivery that says of a later minute how the ticket is puts that right.

use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::{TicketAction, TicketSignal};
use mainstay_domain::Violations;
use serde::Deserialize;
use serde_json::Value;

use super::ticket_id;
use super::words::{is_done, is_open, priority, satisfaction, time};
use crate::account::{Candidate, account};
use crate::mapped::{Outcome, Told};
use crate::read::{fault, read, text_or_number, text_or_number_if_any};
use crate::text::{LINE_LENGTH_MAX, TEXT_LENGTH_MAX, content_id, cut, filled};
use crate::ticket_words::ticket_action;
use crate::{Vendor, tickets};

#[derive(Debug, Deserialize)]
struct Template {
    #[serde(deserialize_with = "text_or_number")]
    ticket_id: String,
    action: Option<String>,
    status: Option<String>,
    priority: Option<String>,
    subject: Option<String>,
    text: Option<String>,
    requester_email: Option<String>,
    #[serde(default, deserialize_with = "text_or_number_if_any")]
    satisfaction: Option<String>,
    updated_at: Option<String>,
    #[serde(default, deserialize_with = "text_or_number_if_any")]
    organization_id: Option<String>,
}

/// Maps what a trigger sends.
pub(super) fn map(payload: &Value, account_key: &str) -> Result<Outcome, Violations> {
    let template: Template = read("", payload)?;
    let named = account([
        Candidate::of_value(account_key, payload.get(account_key)),
        Candidate::new("organization_id", template.organization_id.as_deref()),
    ])?;
    let Some(account) = named else {
        return Ok(Outcome::ignored(format!("neither `{account_key}` nor `organization_id` says whose ticket it is")));
    };
    let updated_at = filled(template.updated_at.as_deref()).ok_or_else(|| {
        let to_add = r#"`"updated_at": "{{ticket.updated_at_with_timestamp}}"`"#;
        fault("updated_at", format!("is missing: add {to_add} to the trigger's JSON"))
    })?;
    let at = time("updated_at", updated_at)?;
    let payload_id = content_id(payload);
    let told = Told { account: &account, vendor: Vendor::Zendesk, id: &payload_id, at, rank: 0 };
    let line = |text: Option<String>, most| cut(&text.unwrap_or_default(), most);
    let ticket = TicketSignal {
        ticket_id: ticket_id(&template.ticket_id),
        action: action(template.action.as_deref(), template.status.as_deref())?.into(),
        priority: priority("priority", template.priority.as_deref())?.into(),
        subject: line(template.subject, LINE_LENGTH_MAX),
        text: line(template.text, TEXT_LENGTH_MAX),
        requester_email: tickets::email(template.requester_email.as_deref()),
        satisfaction: satisfaction("satisfaction", template.satisfaction.as_deref())?,
        first_response_time: None,
        sentiment: None,
        open: filled(template.status.as_deref()).is_some_and(is_open),
    };
    Ok(Outcome::signals(vec![told.signal(Payload::Ticket(ticket))]))
}

fn action(action: Option<&str>, status: Option<&str>) -> Result<TicketAction, Violations> {
    if let Some(word) = filled(action) {
        return ticket_action(word).map_err(|reason| fault("action", reason));
    }
    Ok(match filled(status) {
        Some(status) if is_done(status) => TicketAction::Resolved,
        Some(status) if status.eq_ignore_ascii_case("new") => TicketAction::Opened,
        _ => TicketAction::Updated,
    })
}
