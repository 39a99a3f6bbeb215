//! Support tickets: what is told of them, and what it adds up to.

mod record;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use mainstay_domain::Violations;
use serde::{Deserialize, Serialize};

use super::frustration::{FRUSTRATED_AT_MOST, Frustration};
use super::risk_trigger::{Condition, RiskCause, Verdict};
use super::sentiment::sentiment;
use super::signal::check_opaque_id;
use super::story::{Newest, Stamp, Told, count, keep_oldest};
use super::story_series::{DayEntries, StorySeries, hours_between};
use mainstay_domain::EMAIL_LENGTH_MAX;

pub(crate) use record::TicketRecord;

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
    /// When it was answered first; none: not said.
    #[serde(default)]
    pub first_response_at: Option<DateTime<Utc>>,
    /// What speaks from the text, -1 (frustrated) to 1 (content); none: not known.
    #[serde(default)]
    pub sentiment: Option<f64>,
    /// Whether an update says that it is open.
    #[serde(default)]
    pub open: bool,
}

impl TicketSignal {
    /// Notes what is wrong with it, when it happened at `event_at`.
    pub fn check(&self, found: &mut Violations, event_at: Option<DateTime<Utc>>) {
        check_opaque_id(found, "ticket.ticket_id", &self.ticket_id);
        found.check_text("ticket.subject", &self.subject, LINE_LENGTH_MAX);
        found.check_text("ticket.text", &self.text, TICKET_TEXT_LENGTH_MAX);
        found.check_text("ticket.requester_email", &self.requester_email, EMAIL_LENGTH_MAX);
        StorySeries::TicketSatisfaction.check(found, "ticket.satisfaction", self.satisfaction.map(f64::from));
        StorySeries::TicketSentiment.check(found, "ticket.sentiment", self.sentiment);
        if let Some(answered_at) = self.first_response_at {
            let field = "ticket.first_response_time";
            found.require(answered_at >= DateTime::UNIX_EPOCH, field, "must not be before 1970");
            let opened_at = event_at.filter(|_| self.action == TicketAction::Opened);
            let is_after = opened_at.is_none_or(|opened_at| answered_at >= opened_at);
            found.require(is_after, field, "must not be before the ticket was opened");
        }
    }
}

/// What the signals of a ticket add up to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TicketStory {
    /// The first signal of any kind: it was open from then on.
    first_told: Option<Stamp>,
    /// Actions that were no mere updates.
    moves: Told<TicketAction>,
    /// The updates that said that it was open.
    #[serde(default)]
    said_open: BTreeSet<Stamp>,
    priorities: Told<TicketPriority>,
    subject: Newest<String>,
    requester_email: Newest<String>,
    ratings: Told<i32>,
    /// The earliest answer that was told as it was given: who sees each answer need not know which is the first.
    first_response_at: Option<DateTime<Utc>>,
    /// The first answer as it was told in hindsight, which can be corrected.
    #[serde(default)]
    said_first_response_at: Newest<DateTime<Utc>>,
    sentiments: Told<f64>,
    /// Those that tell the customer's mood: not the one computed of the text that opened the ticket. It describes what is broken, and
    /// the words for that are negative whoever writes them.
    #[serde(default)]
    moods: Told<f64>,
    /// When the customer wrote, but for what opened it.
    #[serde(default)]
    customer_wrote_at: BTreeSet<DateTime<Utc>>,
}

impl TicketStory {
    pub(super) fn absorb(&mut self, stamp: &Stamp, told: &TicketSignal) {
        keep_oldest(&mut self.first_told, stamp);
        if told.action != TicketAction::Updated {
            self.moves.note(stamp, told.action);
        } else if told.open {
            self.said_open.insert(stamp.clone());
        }
        if told.action != TicketAction::Opened && !told.text.is_empty() {
            self.customer_wrote_at.insert(stamp.at);
        }
        if let Some(priority) = told.priority {
            self.priorities.note(stamp, priority);
        }
        for (kept, given) in [(&mut self.subject, &told.subject), (&mut self.requester_email, &told.requester_email)] {
            if !given.is_empty() {
                kept.offer(stamp, given.clone());
            }
        }
        if let Some(satisfaction) = told.satisfaction {
            self.ratings.note(stamp, satisfaction);
        }
        if let Some(answered_at) = told.first_response_at {
            if answered_at == stamp.at {
                let earliest = self.first_response_at.map_or(answered_at, |known| known.min(answered_at));
                self.first_response_at = Some(earliest);
            } else {
                self.said_first_response_at.offer(stamp, answered_at);
            }
        }
        let computed = told.sentiment.is_none().then(|| sentiment(&told.text)).flatten();
        if let Some(sentiment) = told.sentiment.or(computed) {
            self.sentiments.note(stamp, sentiment);
        }
        if let Some(mood) = told.sentiment.or(computed.filter(|_| told.action != TicketAction::Opened)) {
            self.moods.note(stamp, mood);
        }
    }

    /// Whether it is not resolved; one that is known by an update only is open.
    pub fn is_open(&self) -> bool {
        self.all_moves().last().is_none_or(|(_, action)| *action != TicketAction::Resolved)
    }

    /// The moves in order, with the reopenings that nobody told: after a resolution, the first update that says that it is open. One
    /// that is told after that is the same.
    fn all_moves(&self) -> Vec<(&Stamp, TicketAction)> {
        let told = self.moves.all().map(|(stamp, action)| (stamp, *action));
        let mut all: Vec<_> = told.chain(self.said_open.iter().map(|stamp| (stamp, TicketAction::Updated))).collect();
        all.sort_by_key(|(stamp, _)| *stamp);
        let (mut is_open, mut is_seen_open) = (true, false);
        all.retain_mut(|(_, action)| match action {
            TicketAction::Updated if is_open => false,
            TicketAction::Updated => {
                *action = TicketAction::Reopened;
                (is_open, is_seen_open) = (true, true);
                true
            }
            TicketAction::Reopened if is_seen_open => {
                is_seen_open = false;
                false
            }
            moved => {
                is_open = *moved != TicketAction::Resolved;
                is_seen_open &= is_open;
                true
            }
        });
        all
    }

    /// Its priority now.
    pub fn priority(&self) -> TicketPriority {
        self.priorities.last().copied().unwrap_or(TicketPriority::Normal)
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
        self.ratings.last().copied()
    }

    /// What happened last, and when, if the step from `before` to this, by the signal of this stamp, deserves an event: the ticket
    /// moved, or has another priority. A late signal that gives it another priority is not what happened last.
    pub fn told_since(&self, before: &Self, stamp: &Stamp) -> Option<(TicketAction, DateTime<Utc>)> {
        let (moves, moves_before) = (self.all_moves(), before.all_moves());
        let last_move = moves.last().map(|(stamp, _)| *stamp);
        let moved = last_move != moves_before.last().map(|(stamp, _)| *stamp);
        let is_other_priority = self.priority() != before.priority();
        if moved || (is_other_priority && last_move > Some(stamp)) {
            return moves.last().map(|(stamp, action)| (*action, stamp.at));
        }
        is_other_priority.then_some((TicketAction::Updated, stamp.at))
    }

    /// The condition of an urgent ticket that is open.
    pub(super) fn urgency(&self) -> Option<Condition> {
        let is_urgent = self.is_open() && self.priority() >= TicketPriority::Urgent;
        is_urgent.then(|| Condition {
            cause: RiskCause::Ticket {
                priority: self.priority(),
                subject: self.subject().to_owned(),
                escalation_count: self.count(TicketAction::Escalated),
                reopen_count: self.count(TicketAction::Reopened),
            },
            occurrence_count: self.count(TicketAction::Escalated).max(1),
        })
    }

    /// Whether the customer writes with frustration, while the ticket is open.
    pub(super) fn frustration(&self) -> Verdict {
        let Some(&sentiment) = self.moods.last().filter(|_| self.is_open()) else { return Verdict::NotMet };
        let frustration = Frustration {
            sentiment,
            message_count: count(self.moods.all().filter(|(_, mood)| **mood <= FRUSTRATED_AT_MOST)),
            priority: self.priority(),
            subject: self.subject().to_owned(),
        };
        frustration.verdict()
    }

    fn count(&self, action: TicketAction) -> i32 {
        count(self.all_moves().into_iter().filter(|(_, told)| *told == action))
    }

    pub(super) fn enter(&self, entries: &mut DayEntries) {
        for (stamp, action) in self.all_moves() {
            let series = match action {
                TicketAction::Escalated => StorySeries::TicketsEscalated,
                TicketAction::Reopened => StorySeries::TicketsReopened,
                TicketAction::Opened | TicketAction::Updated | TicketAction::Resolved => continue,
            };
            entries.count(series, stamp.at);
        }
        for (stamp, rating) in self.ratings_given() {
            entries.value(StorySeries::TicketSatisfaction, stamp.at, f64::from(rating));
        }
        for (stamp, sentiment) in self.sentiments_written() {
            entries.value(StorySeries::TicketSentiment, stamp.at, sentiment);
        }
        let Some(opened_at) = self.first_told.as_ref().map(|stamp| stamp.at) else { return };
        entries.count(StorySeries::TicketsOpened, opened_at);
        if let Some(answered_at) = self.answered_at()
            && let Some(hours) = hours_between(opened_at, answered_at)
        {
            entries.value(StorySeries::FirstResponseHours, answered_at, hours);
        }
        for (from, until) in self.spans(opened_at) {
            entries.span(StorySeries::TicketsOpen, from, until);
            if let Some(hours) = until.and_then(|until| hours_between(from, until)) {
                entries.value(StorySeries::ResolutionHours, until.unwrap_or(from), hours);
            }
            for (from, until) in self.urgent_within(from, until) {
                entries.span(StorySeries::UrgentTicketsOpen, from, until);
            }
        }
    }

    /// The ratings when they were given: who says how a ticket is says its rating each time. The same one after a reopening is another.
    fn ratings_given(&self) -> Vec<(&Stamp, i32)> {
        let moves = self.all_moves();
        let was_reopened = |from: &Stamp, until: &Stamp| {
            let is_reopening = |action| matches!(action, TicketAction::Opened | TicketAction::Reopened);
            moves.iter().any(|(stamp, action)| from < *stamp && *stamp < until && is_reopening(*action))
        };
        let mut given: Vec<(&Stamp, i32)> = Vec::new();
        for (stamp, rating) in self.ratings.all() {
            let is_known = given.last().is_some_and(|(from, last)| last == rating && !was_reopened(from, stamp));
            if !is_known {
                given.push((stamp, *rating));
            }
        }
        given
    }

    /// What speaks from the texts, from that of the opening once: several may tell of it, as an event and an export.
    fn sentiments_written(&self) -> Vec<(&Stamp, f64)> {
        let before_resolution = self.moves.all().take_while(|(_, action)| **action != TicketAction::Resolved);
        let is_opening = |(stamp, action): (_, &TicketAction)| (*action == TicketAction::Opened).then_some(stamp);
        let openings: BTreeSet<&Stamp> = before_resolution.filter_map(is_opening).collect();
        let mut of_openings = Vec::new();
        let mut written = Vec::new();
        for (stamp, sentiment) in self.sentiments.all() {
            if openings.contains(stamp) {
                if of_openings.contains(sentiment) {
                    continue;
                }
                of_openings.push(*sentiment);
            }
            written.push((stamp, *sentiment));
        }
        written
    }

    /// When it was answered first; may turn out to be before the opening.
    fn answered_at(&self) -> Option<DateTime<Utc>> {
        self.said_first_response_at.get().copied().or(self.first_response_at)
    }

    /// From when to when it was open.
    fn spans(&self, opened_at: DateTime<Utc>) -> Vec<(DateTime<Utc>, Option<DateTime<Utc>>)> {
        let mut spans = Vec::new();
        let mut open_since = Some(opened_at);
        for (stamp, action) in self.all_moves() {
            match (open_since, action) {
                (Some(since), TicketAction::Resolved) => {
                    spans.push((since, Some(stamp.at)));
                    open_since = None;
                }
                (None, TicketAction::Resolved) | (Some(_), _) => {}
                (None, _) => open_since = Some(stamp.at),
            }
        }
        spans.extend(open_since.map(|since| (since, None)));
        spans
    }

    /// From when to when, within a span, it was of priority urgent or critical.
    fn urgent_within(
        &self,
        from: DateTime<Utc>,
        until: Option<DateTime<Utc>>,
    ) -> Vec<(DateTime<Utc>, Option<DateTime<Utc>>)> {
        let mut spans = Vec::new();
        let mut urgent_since = None;
        for (stamp, priority) in self.priorities.all().filter(|(stamp, _)| until.is_none_or(|until| stamp.at < until)) {
            let at = stamp.at.max(from);
            match urgent_since {
                None if *priority >= TicketPriority::Urgent => urgent_since = Some(at),
                Some(since) if *priority < TicketPriority::Urgent => {
                    spans.push((since, Some(at)));
                    urgent_since = None;
                }
                _ => {}
            }
        }
        spans.extend(urgent_since.map(|since| (since, until)));
        spans
    }
}
