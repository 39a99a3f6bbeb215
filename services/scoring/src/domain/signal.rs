//! Signals: one thing that was seen of a customer.

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_domain::{AccountId, Violations, is_key};
use serde::{Deserialize, Serialize};

use super::account::KEY_RULE;
use super::billing::{CreditSignal, DisputeSignal, InvoiceSignal};
use super::lifecycle::LifecycleSignal;
use super::product::{CaseOutcomeSignal, FeatureReleaseSignal, FeatureRequestSignal, IncidentSignal};
use super::story::StoryKind;
use super::story_series::{DayEntries, StorySeries};
use super::story_source::StorySource;
use super::ticket::TicketSignal;
use super::voice::{self, PulseSignal, SurveyAnswerSignal, TouchSignal};
use super::withdrawal::Withdrawal;

/// Most signals of one batch.
pub const BATCH_MAX: usize = 10_000;
/// Largest amount of one usage count.
pub const QUANTITY_MAX: i64 = 1_000_000_000_000;
/// Largest count of one feature use.
pub const FEATURE_COUNT_MAX: i64 = 1_000_000_000;
/// Most characters of an id of another system.
pub const OPAQUE_ID_LENGTH_MAX: usize = 128;
/// How far ahead of the clock an event time may lie: clocks differ and days
/// begin earlier elsewhere, but a year typed wrong must not count.
pub const AHEAD_MAX: TimeDelta = TimeDelta::hours(24);

/// A signal as it counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// Whose.
    pub account: AccountId,
    /// The system that saw it.
    pub source: String,
    /// Its id in the source.
    pub source_id: String,
    /// When it happened.
    pub event_at: DateTime<Utc>,
    /// What was seen.
    pub payload: Payload,
}

/// A signal as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSignal {
    /// The signal.
    pub signal: Signal,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// That it was taken back; none: it counts.
    pub withdrawal: Option<Withdrawal>,
}

/// Which of an account's signals a list holds; all conditions given must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SignalFilter {
    /// That happened then or later.
    pub start: Option<DateTime<Utc>>,
    /// That happened before.
    pub end: Option<DateTime<Utc>>,
    /// Seen by this system.
    pub source: Option<String>,
    /// Of one of these kinds; empty: any.
    pub kinds: Vec<SignalKind>,
    /// That were not withdrawn.
    pub exclude_withdrawn: bool,
}

/// Place in a list of an account's signals, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalCursor {
    /// When the last signal before the place happened.
    pub event_at: DateTime<Utc>,
    /// Its source.
    pub source: String,
    /// Its id in the source.
    pub source_id: String,
}

impl SignalCursor {
    /// The place after a signal of a list.
    pub fn after(stored: &StoredSignal) -> Self {
        Self {
            event_at: stored.signal.event_at,
            source: stored.signal.source.clone(),
            source_id: stored.signal.source_id.clone(),
        }
    }
}

/// What was seen.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// An amount of use, which adds up.
    Usage {
        /// What is counted.
        metric: String,
        /// How much.
        quantity: i64,
    },
    /// A level, of which the newest counts.
    Gauge {
        /// What is measured.
        metric: String,
        /// The level.
        level: f64,
    },
    /// A user did something.
    Activity {
        /// Who.
        user_id: String,
        /// What; may be empty.
        action: String,
    },
    /// A feature was used.
    FeatureUse {
        /// Which.
        feature: String,
        /// Who; may be empty.
        user_id: String,
        /// How often.
        count: i64,
    },
    /// Something happened to a support ticket.
    Ticket(TicketSignal),
    /// Something happened to an invoice.
    Invoice(InvoiceSignal),
    /// Something happened to a billing dispute.
    Dispute(DisputeSignal),
    /// Something happened to the contract.
    Lifecycle(LifecycleSignal),
    /// The customer answered a survey.
    SurveyAnswer(SurveyAnswerSignal),
    /// There was a contact.
    Touch(TouchSignal),
    /// Somebody judged how the account stands.
    Pulse(PulseSignal),
    /// Money was given back.
    Credit(CreditSignal),
    /// A feature was asked for.
    FeatureRequest(FeatureRequestSignal),
    /// A feature was given.
    FeatureRelease(FeatureReleaseSignal),
    /// An incident hit the account.
    Incident(IncidentSignal),
    /// A case was closed.
    CaseOutcome(CaseOutcomeSignal),
}

/// What kind of thing a signal is; the numbers are those of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
pub enum SignalKind {
    /// A usage count.
    Usage = 1,
    /// A gauge.
    Gauge = 2,
    /// A user's activity.
    Activity = 3,
    /// A feature's use.
    FeatureUse = 4,
    /// A ticket's story went on.
    Ticket = 5,
    /// An invoice's story went on.
    Invoice = 6,
    /// A dispute's story went on.
    Dispute = 7,
    /// A contract's story went on.
    Lifecycle = 8,
    /// An answer to a survey.
    SurveyAnswer = 9,
    /// A contact.
    Touch = 10,
    /// A judgement.
    Pulse = 11,
    /// Money given back.
    Credit = 12,
    /// A feature asked for.
    FeatureRequest = 13,
    /// A feature given.
    FeatureRelease = 14,
    /// An incident.
    Incident = 15,
    /// How a case ended.
    CaseOutcome = 16,
}

impl SignalKind {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Usage,
        Self::Gauge,
        Self::Activity,
        Self::FeatureUse,
        Self::Ticket,
        Self::Invoice,
        Self::Dispute,
        Self::Lifecycle,
        Self::SurveyAnswer,
        Self::Touch,
        Self::Pulse,
        Self::Credit,
        Self::FeatureRequest,
        Self::FeatureRelease,
        Self::Incident,
        Self::CaseOutcome,
    ];

    /// The kind's number in the database.
    pub const fn number(self) -> i16 {
        self as i16
    }

    /// The kind of a number.
    pub fn of_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The kind in a word, as signals of the API have it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Gauge => "gauge",
            Self::Activity => "activity",
            Self::FeatureUse => "feature_use",
            Self::Ticket => "ticket",
            Self::Invoice => "invoice",
            Self::Dispute => "dispute",
            Self::Lifecycle => "lifecycle",
            Self::SurveyAnswer => "survey_answer",
            Self::Touch => "touch",
            Self::Pulse => "pulse",
            Self::Credit => "credit",
            Self::FeatureRequest => "feature_request",
            Self::FeatureRelease => "feature_release",
            Self::Incident => "incident",
            Self::CaseOutcome => "case_outcome",
        }
    }

    /// What a metric of this kind is called.
    pub const fn metric_word(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            _ => "usage count",
        }
    }
}

impl Payload {
    /// The kind of signal this is.
    pub const fn kind(&self) -> SignalKind {
        match self {
            Self::Usage { .. } => SignalKind::Usage,
            Self::Gauge { .. } => SignalKind::Gauge,
            Self::Activity { .. } => SignalKind::Activity,
            Self::FeatureUse { .. } => SignalKind::FeatureUse,
            Self::Ticket(_) => SignalKind::Ticket,
            Self::Invoice(_) => SignalKind::Invoice,
            Self::Dispute(_) => SignalKind::Dispute,
            Self::Lifecycle(_) => SignalKind::Lifecycle,
            Self::SurveyAnswer(_) => SignalKind::SurveyAnswer,
            Self::Touch(_) => SignalKind::Touch,
            Self::Pulse(_) => SignalKind::Pulse,
            Self::Credit(_) => SignalKind::Credit,
            Self::FeatureRequest(_) => SignalKind::FeatureRequest,
            Self::FeatureRelease(_) => SignalKind::FeatureRelease,
            Self::Incident(_) => SignalKind::Incident,
            Self::CaseOutcome(_) => SignalKind::CaseOutcome,
        }
    }

    /// Whether it goes on with a story or a contract; all else stands by itself.
    pub const fn tells_story(&self) -> bool {
        match self {
            Self::Ticket(_) | Self::Invoice(_) | Self::Dispute(_) | Self::Lifecycle(_) => true,
            Self::Usage { .. }
            | Self::Gauge { .. }
            | Self::Activity { .. }
            | Self::FeatureUse { .. }
            | Self::SurveyAnswer(_)
            | Self::Touch(_)
            | Self::Pulse(_)
            | Self::Credit(_)
            | Self::FeatureRequest(_)
            | Self::FeatureRelease(_)
            | Self::Incident(_)
            | Self::CaseOutcome(_) => false,
        }
    }

    /// Whether it tells that a milestone was reached.
    pub const fn is_milestone(&self) -> bool {
        matches!(self, Self::Lifecycle(LifecycleSignal::Milestone { .. }))
    }

    /// What it enters into days by itself; stories enter what they add up to.
    pub fn day_entries(&self, event_at: DateTime<Utc>) -> DayEntries {
        let mut entries = DayEntries::default();
        match self {
            Self::SurveyAnswer(told) => voice::enter_answer(told, event_at, &mut entries),
            Self::Touch(told) => voice::enter_touch(*told, event_at, &mut entries),
            Self::Pulse(told) => voice::enter_pulse(told, event_at, &mut entries),
            Self::Credit(told) => told.enter(event_at, &mut entries),
            Self::FeatureRequest(_) => FeatureRequestSignal::enter(event_at, &mut entries),
            Self::FeatureRelease(_) => FeatureReleaseSignal::enter(event_at, &mut entries),
            Self::Incident(told) => told.enter(event_at, &mut entries),
            Self::Lifecycle(LifecycleSignal::Milestone { .. }) => entries.count(StorySeries::Milestones, event_at),
            Self::Usage { .. }
            | Self::Gauge { .. }
            | Self::Activity { .. }
            | Self::FeatureUse { .. }
            | Self::Ticket(_)
            | Self::Invoice(_)
            | Self::Dispute(_)
            | Self::Lifecycle(_)
            | Self::CaseOutcome(_) => {}
        }
        entries
    }

    /// The source of what stories tell that it is from; none for usage, what else happens to contracts and how cases ended.
    pub fn story_source(&self) -> Option<StorySource> {
        match self {
            Self::Ticket(_) => Some(StorySource::Tickets),
            Self::Invoice(_) | Self::Dispute(_) | Self::Credit(_) => Some(StorySource::Billing),
            Self::SurveyAnswer(_) => Some(StorySource::Surveys),
            Self::Touch(_) => Some(StorySource::Touches),
            Self::Pulse(_) => Some(StorySource::Pulses),
            Self::FeatureRequest(_) => Some(StorySource::Requests),
            Self::FeatureRelease(_) => Some(StorySource::Releases),
            Self::Incident(_) => Some(StorySource::Incidents),
            Self::Lifecycle(LifecycleSignal::Milestone { .. }) => Some(StorySource::Milestones),
            Self::Usage { .. }
            | Self::Gauge { .. }
            | Self::Activity { .. }
            | Self::FeatureUse { .. }
            | Self::Lifecycle(_)
            | Self::CaseOutcome(_) => None,
        }
    }

    /// The story it tells, by its kind and the id in its source.
    pub fn story(&self) -> Option<(StoryKind, &str)> {
        match self {
            Self::Ticket(told) => Some((StoryKind::Ticket, &told.ticket_id)),
            Self::Invoice(told) => Some((StoryKind::Invoice, &told.invoice_id)),
            Self::Dispute(told) => Some((StoryKind::Dispute, &told.dispute_id)),
            _ => None,
        }
    }

    /// Of two signals of the same time, the one that usually comes later has the higher rank.
    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::Ticket(told) => told.action as u8,
            Self::Invoice(told) => told.action as u8,
            Self::Dispute(told) => told.action as u8,
            Self::Lifecycle(told) => told.rank(),
            _ => 0,
        }
    }

    /// The metric and the kind it must have, for counts and gauges.
    pub fn metric(&self) -> Option<(&str, SignalKind)> {
        match self {
            Self::Usage { metric, .. } | Self::Gauge { metric, .. } => Some((metric, self.kind())),
            _ => None,
        }
    }
}

/// Notes what is wrong with the source and the id in it.
pub fn check_source(found: &mut Violations, source: &str, source_id: &str) {
    found.require(is_key(source), "source", KEY_RULE);
    found.require(is_opaque_id(source_id), "source_id", OPAQUE_ID_RULE);
}

/// Notes what is wrong with an event time at the time `now`.
pub fn check_event_time(found: &mut Violations, event_at: DateTime<Utc>, now: DateTime<Utc>) {
    found.require(event_at >= DateTime::UNIX_EPOCH, "event_time", "must not be before 1970");
    found.require(
        event_at <= now + AHEAD_MAX,
        "event_time",
        format!("lies more than 24 hours ahead of the server's clock, {}", now.format("%Y-%m-%dT%H:%M:%SZ")),
    );
}

impl Payload {
    /// Notes what is wrong with it, when it happened at `event_at`.
    pub fn check(&self, found: &mut Violations, event_at: Option<DateTime<Utc>>) {
        match self {
            Self::Usage { metric, quantity } => {
                found.require(is_key(metric), "usage.metric", KEY_RULE);
                found.require((0..=QUANTITY_MAX).contains(quantity), "usage.quantity", "must be 0 to 10^12");
            }
            Self::Gauge { metric, level } => {
                found.require(is_key(metric), "gauge.metric", KEY_RULE);
                found.require(level.is_finite(), "gauge.level", "must be finite, neither NaN nor infinite");
            }
            Self::Activity { user_id, action } => {
                found.require(is_opaque_id(user_id), "activity.user_id", OPAQUE_ID_RULE);
                found.require(action.is_empty() || is_key(action), "activity.action", KEY_RULE);
            }
            Self::FeatureUse { feature, user_id, count } => {
                found.require(is_key(feature), "feature_use.feature", KEY_RULE);
                found.require(user_id.is_empty() || is_opaque_id(user_id), "feature_use.user_id", OPAQUE_ID_RULE);
                found.require((1..=FEATURE_COUNT_MAX).contains(count), "feature_use.count", "must be 1 to 10^9");
            }
            Self::Ticket(told) => told.check(found, event_at),
            Self::Invoice(told) => told.check(found),
            Self::Dispute(told) => told.check(found),
            Self::Lifecycle(told) => told.check(found, event_at),
            Self::SurveyAnswer(told) => told.check(found),
            Self::Touch(_) => {}
            Self::Pulse(told) => told.check(found),
            Self::Credit(told) => told.check(found),
            Self::FeatureRequest(told) => told.check(found),
            Self::FeatureRelease(told) => told.check(found),
            Self::Incident(told) => told.check(found),
            Self::CaseOutcome(told) => told.check(found, event_at),
        }
    }
}

/// Notes an id of another system that cannot be one.
pub(super) fn check_opaque_id(found: &mut Violations, field: &str, id: &str) {
    found.require(is_opaque_id(id), field, OPAQUE_ID_RULE);
}

/// Notes an id of another system that is neither empty nor one.
pub(super) fn check_optional_id(found: &mut Violations, field: &str, id: &str) {
    found.require(id.is_empty() || is_opaque_id(id), field, OPAQUE_ID_RULE);
}

const OPAQUE_ID_RULE: &str = "must be 1 to 128 characters without control characters";

fn is_opaque_id(text: &str) -> bool {
    (1..=OPAQUE_ID_LENGTH_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use mainstay_domain::start_of_day;

    use super::*;

    fn now() -> DateTime<Utc> {
        start_of_day(chrono::NaiveDate::from_ymd_opt(2026, 11, 22).expect("a day"))
    }

    fn fields(check: impl Fn(&mut Violations)) -> Vec<String> {
        let mut found = Violations::new();
        check(&mut found);
        found.into_iter().map(|violation| violation.field).collect()
    }

    #[test]
    fn levels_that_are_no_numbers_are_refused() {
        for level in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let bad = Payload::Gauge { metric: "seats".to_owned(), level };
            assert_eq!(fields(|found| bad.check(found, None)), ["gauge.level"], "{level}");
        }
    }

    #[test]
    fn a_day_ahead_is_a_clock_and_more_is_a_mistake() {
        let event_at = now() + AHEAD_MAX;
        assert_eq!(fields(|found| check_event_time(found, event_at, now())), Vec::<String>::new());
        let later = event_at + TimeDelta::microseconds(1);
        assert_eq!(fields(|found| check_event_time(found, later, now())), ["event_time"]);
        let early = DateTime::UNIX_EPOCH - TimeDelta::seconds(1);
        assert_eq!(fields(|found| check_event_time(found, early, now())), ["event_time"]);
    }

    #[test]
    fn every_offending_field_is_named_at_once() {
        let bad = Payload::FeatureUse { feature: "A b".to_owned(), user_id: "\n".to_owned(), count: 0 };
        assert_eq!(
            fields(|found| bad.check(found, None)),
            ["feature_use.feature", "feature_use.user_id", "feature_use.count"]
        );
        assert_eq!(fields(|found| check_source(found, "Billing", &"x".repeat(129))), ["source", "source_id"]);
    }
}
