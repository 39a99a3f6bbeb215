//! Stories: what the signals about one ticket, invoice or dispute add up to.
//!
//! A story is folded from its signals one by one, in whatever order they come and however often: each part of it is the
//! newest that was said, the oldest, or the set of those that were. So any order gives the same.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::billing::{DisputeStory, InvoiceStory};
use super::risk_trigger::{RiskTriggerKind, Verdict};
use super::signal::{Payload, Signal, SignalKind};
use super::story_series::DayEntries;
use super::ticket::TicketStory;

/// Which of two signals is the newer: by event time; of the same time, by what usually comes later; then by the source and the id
/// in it, so that there is an order between any two.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stamp {
    /// When it happened.
    pub at: DateTime<Utc>,
    /// Rises with what usually comes later.
    pub rank: u8,
    /// The system that saw it.
    pub source: String,
    /// Its id there.
    pub source_id: String,
}

impl Stamp {
    /// The stamp of a signal.
    pub fn of(signal: &Signal) -> Self {
        Self {
            at: signal.event_at,
            rank: signal.payload.rank(),
            source: signal.source.clone(),
            source_id: signal.source_id.clone(),
        }
    }
}

/// What was said last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newest<T>(Option<(Stamp, T)>);

impl<T> Default for Newest<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Newest<T> {
    /// Takes a value, if it is newer than the one there is.
    pub fn offer(&mut self, stamp: &Stamp, value: T) {
        if self.0.as_ref().is_none_or(|(newest, _)| newest < stamp) {
            self.0 = Some((stamp.clone(), value));
        }
    }

    /// The value said last.
    pub fn get(&self) -> Option<&T> {
        self.0.as_ref().map(|(_, value)| value)
    }

    /// Which signal said it.
    pub fn stamp(&self) -> Option<&Stamp> {
        self.0.as_ref().map(|(stamp, _)| stamp)
    }
}

/// Keeps the older of two signals.
pub(super) fn keep_oldest(kept: &mut Option<Stamp>, stamp: &Stamp) {
    if kept.as_ref().is_none_or(|oldest| stamp < oldest) {
        *kept = Some(stamp.clone());
    }
}

/// All that was said of one thing, in the order of the signals that said it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    into = "Vec<(Stamp, T)>",
    from = "Vec<(Stamp, T)>",
    bound = "T: Clone + Serialize + for<'any> Deserialize<'any>"
)]
pub struct Told<T: Clone>(BTreeMap<Stamp, T>);

impl<T: Clone> Default for Told<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Clone> From<Vec<(Stamp, T)>> for Told<T> {
    fn from(told: Vec<(Stamp, T)>) -> Self {
        Self(told.into_iter().collect())
    }
}

impl<T: Clone> From<Told<T>> for Vec<(Stamp, T)> {
    fn from(told: Told<T>) -> Self {
        told.0.into_iter().collect()
    }
}

impl<T: Clone> Told<T> {
    /// Notes what a signal said.
    pub(super) fn note(&mut self, stamp: &Stamp, value: T) {
        self.0.insert(stamp.clone(), value);
    }

    /// All, the oldest first.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Stamp, &T)> {
        self.0.iter()
    }

    /// What was said last.
    pub(super) fn last(&self) -> Option<&T> {
        self.0.last_key_value().map(|(_, value)| value)
    }
}

/// What a story is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StoryKind {
    /// A support ticket.
    Ticket,
    /// An invoice.
    Invoice,
    /// A billing dispute.
    Dispute,
}

impl StoryKind {
    /// The kind of signals that tell it.
    pub const fn signal_kind(self) -> SignalKind {
        match self {
            Self::Ticket => SignalKind::Ticket,
            Self::Invoice => SignalKind::Invoice,
            Self::Dispute => SignalKind::Dispute,
        }
    }
}

/// What the signals of one story add up to.
#[derive(Debug, Clone, PartialEq)]
pub enum Story {
    /// Of a ticket.
    Ticket(TicketStory),
    /// Of an invoice.
    Invoice(InvoiceStory),
    /// Of a dispute.
    Dispute(DisputeStory),
}

impl Story {
    /// A story of which nothing was told yet.
    pub fn untold(kind: StoryKind) -> Self {
        match kind {
            StoryKind::Ticket => Self::Ticket(TicketStory::default()),
            StoryKind::Invoice => Self::Invoice(InvoiceStory::default()),
            StoryKind::Dispute => Self::Dispute(DisputeStory::default()),
        }
    }

    /// What it is about.
    pub const fn kind(&self) -> StoryKind {
        match self {
            Self::Ticket(_) => StoryKind::Ticket,
            Self::Invoice(_) => StoryKind::Invoice,
            Self::Dispute(_) => StoryKind::Dispute,
        }
    }

    /// Takes in a signal of its kind; another kind changes nothing.
    pub fn absorb(&mut self, signal: &Signal) {
        let stamp = Stamp::of(signal);
        match (self, &signal.payload) {
            (Self::Ticket(story), Payload::Ticket(told)) => story.absorb(&stamp, told),
            (Self::Invoice(story), Payload::Invoice(told)) => story.absorb(&stamp, told),
            (Self::Dispute(story), Payload::Dispute(told)) => story.absorb(&stamp, told),
            (Self::Ticket(_) | Self::Invoice(_) | Self::Dispute(_), _) => {}
        }
    }

    /// The story that these signals tell, all that are left of those that told this one. What passing time made of it stays, as far
    /// as it still holds.
    #[must_use]
    pub fn retold<'a>(&self, left: impl IntoIterator<Item = &'a Signal>) -> Self {
        let mut story = Self::untold(self.kind());
        left.into_iter().for_each(|signal| story.absorb(signal));
        if let (Self::Invoice(story), Self::Invoice(before)) = (&mut story, self) {
            story.keep_lapse(before);
        }
        story
    }

    /// What it enters into the days of its account.
    pub fn day_entries(&self) -> DayEntries {
        let mut entries = DayEntries::default();
        match self {
            Self::Ticket(story) => story.enter(&mut entries),
            Self::Invoice(story) => story.enter(&mut entries),
            Self::Dispute(story) => story.enter(&mut entries),
        }
        entries
    }

    /// Whether it is what puts the account at risk, for each condition that such a story can make.
    pub fn verdicts(&self) -> Vec<(RiskTriggerKind, Verdict)> {
        match self {
            Self::Ticket(story) => vec![
                (RiskTriggerKind::TicketUrgent, story.urgency().into()),
                (RiskTriggerKind::TicketFrustrated, story.frustration()),
            ],
            Self::Invoice(story) => vec![(RiskTriggerKind::PaymentFailed, story.condition().into())],
            Self::Dispute(story) => vec![(RiskTriggerKind::BillingDispute, story.condition().into())],
        }
    }

    /// Whether one of its conditions is met.
    pub fn is_at_risk(&self) -> bool {
        self.verdicts().iter().any(|(_, verdict)| matches!(verdict, Verdict::Met(_)))
    }
}

/// How many there are, as messages count.
pub(super) fn count<T>(told: impl Iterator<Item = T>) -> i32 {
    i32::try_from(told.count()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
