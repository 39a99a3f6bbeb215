//! Tickets as Zendesk's tickets API and its incremental exports have them. They say when a ticket was opened and how it is, and not
//! what happened in between.
//!
//! <https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/>
//! <https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/>
//!
//! A ticket comes in a page (`{"tickets": […], "next_page": …}`), alone as the API shows one (`{"ticket": {…}}`), or as it is. It becomes
//! two signals: the opening at `created_at` and its state at `updated_at`. Both are known by the ticket, so that a page that is
//! imported again changes nothing, and a later one adds the later state only.
//!
//! Nobody knows what priority a ticket had at first: the present one is taken from its opening on, until something else is told.

use chrono::{DateTime, SecondsFormat, Utc};
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::{TicketAction, TicketSignal};
use mainstay_domain::Violations;
use serde::Deserialize;
use serde_json::Value;

use super::ticket_id;
use super::words::{is_done, is_open, priority, satisfaction, time};
use crate::Vendor;
use crate::account::{Candidate, account};
use crate::mapped::{Outcome, Told};
use crate::read::{fault, read, text_or_number, text_or_number_if_any};
use crate::text::{LINE_LENGTH_MAX, TEXT_LENGTH_MAX, cut};

/// Where a page has its tickets.
pub(super) const TICKETS: &str = "tickets";
/// Where a ticket is that the API shows alone.
const TICKET: &str = "ticket";

#[derive(Debug, Deserialize)]
struct Ticket {
    #[serde(deserialize_with = "text_or_number")]
    id: String,
    created_at: String,
    updated_at: String,
    status: String,
    priority: Option<String>,
    subject: Option<String>,
    description: Option<String>,
    #[serde(default, deserialize_with = "text_or_number_if_any")]
    organization_id: Option<String>,
    satisfaction_rating: Option<Rating>,
}

#[derive(Debug, Deserialize)]
struct Rating {
    #[serde(default, deserialize_with = "text_or_number_if_any")]
    score: Option<String>,
}

/// The ticket that a payload is, and its path; none when the payload is something else.
pub(super) fn ticket_of(payload: &Value) -> Option<(&'static str, &Value)> {
    if payload.get("ticket_id").is_some() {
        return None;
    }
    match payload.get(TICKET) {
        Some(ticket) => Some((TICKET, ticket)),
        None => ["id", "created_at"].iter().any(|field| payload.get(field).is_some()).then_some(("", payload)),
    }
}

/// Maps a ticket that lies at `within`.
pub(super) fn map(within: &str, given: &Value, account_key: &str) -> Result<Outcome, Violations> {
    let path = |field: &str| if within.is_empty() { field.to_owned() } else { format!("{within}.{field}") };
    let ticket: Ticket = read(within, given)?;
    let organization = ticket.organization_id.as_deref().filter(|id| *id != "0");
    let named = account([
        Candidate::of_value(path(account_key), given.get(account_key)),
        Candidate::new(path("organization_id"), organization),
    ])?;
    let Some(account) = named else {
        return Ok(Outcome::ignored(format!("neither `{account_key}` nor `organization_id` says whose ticket it is")));
    };
    let opened_at = time(&path("created_at"), &ticket.created_at)?;
    // Tickets that were moved here from another help desk have the times that somebody gave them.
    let updated_at = time(&path("updated_at"), &ticket.updated_at)?.max(opened_at);
    let status = ticket.status.trim().to_lowercase();
    let is_deleted = status == "deleted";
    let is_known = is_deleted || status == "new" || is_open(&status) || is_done(&status);
    if !is_known {
        let all = "new, open, pending, hold, solved, closed, deleted";
        return Err(fault(path("status"), format!("`{}` is no status of a ticket: {all}", ticket.status)));
    }
    // The texts of deleted tickets are overwritten some time after.
    let line = |text: &Option<String>, most| cut(text.as_deref().filter(|_| !is_deleted).unwrap_or_default(), most);
    let opened = TicketSignal {
        ticket_id: ticket_id(&ticket.id),
        action: TicketAction::Opened.into(),
        priority: priority(&path("priority"), ticket.priority.as_deref())?.into(),
        subject: line(&ticket.subject, LINE_LENGTH_MAX),
        text: line(&ticket.description, TEXT_LENGTH_MAX),
        ..TicketSignal::default()
    };
    let score = ticket.satisfaction_rating.and_then(|rating| rating.score);
    let is_resolved = is_deleted || is_done(&status);
    let state = TicketSignal {
        action: if is_resolved { TicketAction::Resolved } else { TicketAction::Updated }.into(),
        text: String::new(),
        satisfaction: satisfaction(&path("satisfaction_rating.score"), score.as_deref())?,
        open: is_open(&status),
        ..opened.clone()
    };
    let signal = |id: String, at: DateTime<Utc>, signal: TicketSignal| {
        let told = Told { account: &account, vendor: Vendor::Zendesk, id: &id, at, rank: 0 };
        told.signal(Payload::Ticket(signal))
    };
    let known_as = format!("{TICKETS}/{}", ticket.id.trim());
    let as_of = updated_at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    Ok(Outcome::signals(vec![
        signal(format!("{known_as}/opened"), opened_at, opened),
        signal(format!("{known_as}/{status}/{as_of}"), updated_at, state),
    ]))
}
