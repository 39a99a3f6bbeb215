//! Support tickets: what is told of them, and what it adds up to.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use mainstay_domain::Violations;
use serde::{Deserialize, Serialize};

use super::risk_trigger::{Condition, RiskCause};
use super::signal::check_opaque_id;
use super::story::{Newest, Stamp, count};
use mainstay_domain::EMAIL_LENGTH_MAX;

/// Most characters of a subject line, and of other short texts of signals.
pub const LINE_LENGTH_MAX: usize = 500;
/// Most characters of what a customer wrote.
pub const TICKET_TEXT_LENGTH_MAX: usize = 20_000;

/// What happened to a ticket; the numbers rise with what usually comes later, and stories keep them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum TicketAction {
    /// The customer opened it.
    Opened = 1,
    /// It was answered, commented or given another priority.
    Updated = 2,
    /// It was handed to a higher level.
    Escalated = 3,
    /// It was resolved.
    Resolved = 4,
    /// The customer opened it again.
    Reopened = 5,
}

/// How pressing a ticket is; rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketPriority {
    /// Can wait.
    Low,
    /// Like most.
    Normal,
    /// Before most.
    High,
    /// A CSM reviews it within 4 hours.
    Urgent,
    /// The customer cannot work.
    Critical,
}

/// Something happened to a ticket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TicketSignal {
    /// The ticket's id in the source.
    pub ticket_id: String,
    /// What happened.
    pub action: TicketAction,
    /// Its priority from now on; none: as before.
    pub priority: Option<TicketPriority>,
    /// Its subject line; empty: as before.
    pub subject: String,
    /// What the customer wrote this time; may be empty.
    pub text: String,
    /// Who asks; empty: as before.
    pub requester_email: String,
    /// 1 (not at all satisfied) to 5 (very).
    pub satisfaction: Option<i32>,
}

impl TicketSignal {
    /// Notes what is wrong with it.
    pub fn check(&self, found: &mut Violations) {
        check_opaque_id(found, "ticket.ticket_id", &self.ticket_id);
        found.check_text("ticket.subject", &self.subject, LINE_LENGTH_MAX);
        found.check_text("ticket.text", &self.text, TICKET_TEXT_LENGTH_MAX);
        found.check_text("ticket.requester_email", &self.requester_email, EMAIL_LENGTH_MAX);
        let is_rating = self.satisfaction.is_none_or(|satisfaction| (1..=5).contains(&satisfaction));
        found.require(is_rating, "ticket.satisfaction", "must be 1 to 5");
    }
}

/// What the signals of a ticket add up to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TicketStory {
    /// The last action that was no mere update.
    last_move: Newest<TicketAction>,
    priority: Newest<TicketPriority>,
    subject: Newest<String>,
    requester_email: Newest<String>,
    satisfaction: Newest<i32>,
    escalations: BTreeSet<Stamp>,
    reopenings: BTreeSet<Stamp>,
}

impl TicketStory {
    pub(super) fn absorb(&mut self, stamp: &Stamp, told: &TicketSignal) {
        match told.action {
            TicketAction::Escalated => drop(self.escalations.insert(stamp.clone())),
            TicketAction::Reopened => drop(self.reopenings.insert(stamp.clone())),
            TicketAction::Opened | TicketAction::Updated | TicketAction::Resolved => {}
        }
        if told.action != TicketAction::Updated {
            self.last_move.offer(stamp, told.action);
        }
        if let Some(priority) = told.priority {
            self.priority.offer(stamp, priority);
        }
        for (kept, given) in [(&mut self.subject, &told.subject), (&mut self.requester_email, &told.requester_email)] {
            if !given.is_empty() {
                kept.offer(stamp, given.clone());
            }
        }
        if let Some(satisfaction) = told.satisfaction {
            self.satisfaction.offer(stamp, satisfaction);
        }
    }

    /// Whether it is not resolved; one that is known by an update only is open.
    pub fn is_open(&self) -> bool {
        self.last_move.get() != Some(&TicketAction::Resolved)
    }

    /// Its priority now.
    pub fn priority(&self) -> TicketPriority {
        self.priority.get().copied().unwrap_or(TicketPriority::Normal)
    }

    /// Its subject line; empty when it was not said.
    pub fn subject(&self) -> &str {
        self.subject.get().map_or("", String::as_str)
    }

    /// Who asks; empty when it was not said.
    pub fn requester_email(&self) -> &str {
        self.requester_email.get().map_or("", String::as_str)
    }

    /// The newest satisfaction.
    pub fn satisfaction(&self) -> Option<i32> {
        self.satisfaction.get().copied()
    }

    /// What happened last, and when, if the step from `before` to this, by the signal of this stamp, deserves an event: the ticket
    /// moved, or has another priority. A late signal that gives it another priority is not what happened last.
    pub fn told_since(&self, before: &Self, stamp: &Stamp) -> Option<(TicketAction, DateTime<Utc>)> {
        let last_move = self.last_move.stamp();
        let moved = last_move != before.last_move.stamp();
        let is_other_priority = self.priority() != before.priority();
        if moved || (is_other_priority && last_move > Some(stamp)) {
            return self.last_move.get().copied().zip(last_move.map(|stamp| stamp.at));
        }
        is_other_priority.then_some((TicketAction::Updated, stamp.at))
    }

    pub(super) fn condition(&self) -> Option<Condition> {
        let is_urgent = self.is_open() && self.priority() >= TicketPriority::Urgent;
        is_urgent.then(|| Condition {
            cause: RiskCause::Ticket {
                priority: self.priority(),
                subject: self.subject().to_owned(),
                escalation_count: count(&self.escalations),
                reopen_count: count(&self.reopenings),
            },
            occurrence_count: count(&self.escalations).max(1),
        })
    }
}
