//! Alerts: something that a person has to look at, step by step until it is over.

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, Etag, Points};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::clock::ClockStep;
use super::policy::PolicyId;

/// Most characters of a text that a person writes.
pub const TEXT_LENGTH_MAX: usize = 4_000;
/// Most characters of a headline.
pub const HEADLINE_LENGTH_MAX: usize = 200;
/// Most lines of details.
pub const DETAILS_MAX: usize = 20;
/// Most characters of a line of details.
pub const DETAIL_LENGTH_MAX: usize = 500;
/// Most characters of a subject.
pub const SUBJECT_LENGTH_MAX: usize = 128;

/// What kind of thing an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertKind {
    /// The score fell below 50.
    HealthCritical,
    /// The score fell below 70.
    HealthAtRisk,
    /// The score fell by more than 15 points in a month.
    HealthDrop,
    /// No activity for 14 days.
    Inactivity,
    /// A payment failed or an invoice is overdue.
    PaymentFailed,
    /// A billing dispute is open.
    BillingDispute,
    /// An urgent or critical ticket is open.
    TicketUrgent,
    /// A customer answered a survey with 0 to 6.
    Detractor,
    /// Somebody raised it by hand.
    Manual,
    /// Use fell in each of three weeks, and by 30 % or more.
    UsageDecline,
    /// Users came on half as many days as in the four weeks before, or fewer.
    LoginDrop,
    /// A new customer never used what most like it do.
    FeatureNotAdopted,
    /// A champion is silent while others go on.
    ChampionSilent,
    /// The renewal is within 90 days, and the score below 70.
    RenewalAtRisk,
    /// In an open ticket the customer writes with frustration.
    TicketFrustrated,
    /// Invoices are paid later than they used to be.
    PaymentSlowing,
}

impl AlertKind {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::HealthCritical,
        Self::HealthAtRisk,
        Self::HealthDrop,
        Self::Inactivity,
        Self::PaymentFailed,
        Self::BillingDispute,
        Self::TicketUrgent,
        Self::Detractor,
        Self::Manual,
        Self::UsageDecline,
        Self::LoginDrop,
        Self::FeatureNotAdopted,
        Self::ChampionSilent,
        Self::RenewalAtRisk,
        Self::TicketFrustrated,
        Self::PaymentSlowing,
    ];

    /// In a policy's id.
    pub const fn key(self) -> &'static str {
        match self {
            Self::HealthCritical => "health_critical",
            Self::HealthAtRisk => "health_at_risk",
            Self::HealthDrop => "health_drop",
            Self::Inactivity => "inactivity",
            Self::PaymentFailed => "payment_failed",
            Self::BillingDispute => "billing_dispute",
            Self::TicketUrgent => "ticket_urgent",
            Self::Detractor => "detractor",
            Self::Manual => "manual",
            Self::UsageDecline => "usage_decline",
            Self::LoginDrop => "login_drop",
            Self::FeatureNotAdopted => "feature_not_adopted",
            Self::ChampionSilent => "champion_silent",
            Self::RenewalAtRisk => "renewal_at_risk",
            Self::TicketFrustrated => "ticket_frustrated",
            Self::PaymentSlowing => "payment_slowing",
        }
    }
}

/// How pressing an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Warning,
    /// Costs the customer if nothing is done.
    High,
    /// Costs the customer soon.
    Critical,
}

/// How far an alert has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertState {
    /// Nobody has seen it.
    New,
    /// Somebody has seen it.
    Acknowledged,
    /// It is clear whether action is needed.
    Assessed,
    /// It is clear what will be done.
    Planned,
    /// It was done.
    Executed,
    /// It was looked at whether it helped.
    FollowedUp,
    /// It is over.
    Closed,
}

impl AlertState {
    /// As people say it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Acknowledged => "acknowledged",
            Self::Assessed => "assessed",
            Self::Planned => "planned",
            Self::Executed => "executed",
            Self::FollowedUp => "followed up",
            Self::Closed => "closed",
        }
    }
}

/// How an alert ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// It was dealt with, and the follow-up says so.
    Resolved,
    /// What raised it ended by itself.
    ConditionEnded,
    /// Nothing needed to be done.
    NoAction,
    /// It was a false alarm.
    FalseAlarm,
    /// The account churned or was archived.
    AccountGone,
}

impl Resolution {
    /// As people say it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Resolved => "resolved",
            Self::ConditionEnded => "what raised it has ended",
            Self::NoAction => "no action was needed",
            Self::FalseAlarm => "a false alarm",
            Self::AccountGone => "the account left",
        }
    }
}

/// Something that a person has to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub account: AccountId,
    /// What kind of thing happened.
    pub kind: AlertKind,
    /// What it is about within the account; empty for the account as a whole.
    pub subject: String,
    /// What happened, in one line.
    pub headline: String,
    /// What is known of it, a fact a line.
    pub details: Vec<String>,
    /// How far it has come.
    pub state: AlertState,
    /// How pressing it is.
    pub severity: Severity,
    /// Who has to deal with it.
    pub owner_email: String,
    /// Whether nobody was known in the policy's role.
    pub owner_is_fallback: bool,
    /// When it happened; clocks run from here.
    pub happened_at: DateTime<Utc>,
    /// How often it happened while it was open.
    pub occurrence_count: i32,
    /// When it happened last.
    pub last_occurred_at: DateTime<Utc>,
    /// When something is due next; none once closed.
    pub next_due_at: Option<DateTime<Utc>>,
    /// Whether a clock was breached.
    pub has_breach: bool,
    /// How far along the policy's chain it was escalated.
    pub escalation_count: i32,
    /// The policy that set its clocks.
    pub policy: PolicyId,
    /// Its version.
    pub policy_version: i32,
    /// The case that deals with it.
    pub case: Option<Uuid>,
    /// The account's score when it happened.
    pub score: Option<Points>,
    /// What the assessment said.
    pub assessment: String,
    /// Whether it said that immediate action is needed.
    pub immediate_action_needed: bool,
    /// The action plan.
    pub plan: String,
    /// What was done.
    pub execution: String,
    /// What the follow-up found.
    pub follow_up: String,
    /// Whether it found the issue resolved; none before there is one.
    pub issue_resolved: Option<bool>,
    /// How it ended.
    pub resolution: Option<Resolution>,
    /// Why it ended so.
    pub resolution_notes: String,
    /// When it ended.
    pub closed_at: Option<DateTime<Utc>>,
    /// Grows with each change.
    pub version: i64,
}

/// A step that a person takes with an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertMove {
    /// Has seen it.
    Acknowledge,
    /// Knows whether action is needed.
    Assess {
        /// What was found.
        assessment: String,
        /// Whether immediate action is needed.
        immediate_action_needed: bool,
    },
    /// Knows what will be done.
    Plan(String),
    /// Did it.
    Execute(String),
    /// Looked whether it helped.
    FollowUp {
        /// What was found.
        follow_up: String,
        /// Whether the issue is resolved.
        issue_resolved: bool,
    },
    /// Is done with it.
    Close {
        /// How it ended.
        resolution: Resolution,
        /// Why.
        notes: String,
    },
}

/// Why a step cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusedMove {
    /// The alert is over.
    Closed,
    /// The state does not allow it; all that is missing, in words.
    Illegal {
        /// The state it is in.
        state: AlertState,
        /// What has to be done first.
        missing: Vec<&'static str>,
    },
}

/// What a step came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    /// The alert was there already; nothing changes.
    Already,
    /// The alert as it is now, and the clocks that this meets.
    To(Box<Alert>, &'static [ClockStep]),
}

const ACKNOWLEDGED: &[ClockStep] = &[ClockStep::Acknowledge];
const ASSESSED: &[ClockStep] = &[ClockStep::Acknowledge, ClockStep::Assess, ClockStep::Review];
const PLANNED: &[ClockStep] = &[ClockStep::Plan];
const EXECUTED: &[ClockStep] = &[ClockStep::Execute];
const FOLLOWED_UP: &[ClockStep] = &[ClockStep::FollowUp];

impl Alert {
    /// The etag of the alert as it is.
    pub fn etag(&self) -> Etag {
        Etag::of_version(self.version)
    }

    /// Whether it is over.
    pub fn is_closed(&self) -> bool {
        self.closed_at.is_some()
    }

    /// The alert after it happened again.
    #[must_use]
    pub fn repeated(&self, occurrence: &Occurrence) -> Self {
        Self {
            headline: occurrence.headline.clone(),
            details: occurrence.details.clone(),
            occurrence_count: occurrence.count.unwrap_or(self.occurrence_count + 1).max(self.occurrence_count),
            last_occurred_at: occurrence.occurred_at.max(self.last_occurred_at),
            ..self.clone()
        }
    }

    /// Whether it has heard more of what happened than this says: of a later moment, or of more times at the same one.
    pub fn is_later_than(&self, occurrence: &Occurrence) -> bool {
        let count = occurrence.count.unwrap_or(self.occurrence_count);
        (self.last_occurred_at, self.occurrence_count) > (occurrence.occurred_at, count)
    }

    /// Whether it says the same of what happened, so that being told it twice is no news.
    pub fn is_told_the_same_as(&self, other: &Self) -> bool {
        (self.occurrence_count, &self.headline, &self.details)
            == (other.occurrence_count, &other.headline, &other.details)
    }

    /// The alert after a step, if its state allows it. Steps cannot be left out, save that each says that the alert was seen.
    ///
    /// # Errors
    /// What has to be done first.
    pub fn moved(&self, step: &AlertMove, now: DateTime<Utc>) -> Result<Moved, RefusedMove> {
        if let AlertMove::Close { resolution, notes } = step {
            return self.closed(*resolution, notes, now);
        }
        if self.is_closed() {
            return Err(RefusedMove::Closed);
        }
        let to = |state: AlertState, fill: &dyn Fn(&mut Self), met| {
            let mut alert = self.clone();
            alert.state = state;
            fill(&mut alert);
            Ok(Moved::To(Box::new(alert), met))
        };
        match step {
            AlertMove::Acknowledge if self.state >= AlertState::Acknowledged => Ok(Moved::Already),
            AlertMove::Acknowledge => to(AlertState::Acknowledged, &|_| {}, ACKNOWLEDGED),
            AlertMove::Assess { assessment, immediate_action_needed } => {
                self.require_before(AlertState::Planned, "it is past the assessment")?;
                let fill = |alert: &mut Self| {
                    alert.assessment.clone_from(assessment);
                    alert.immediate_action_needed = *immediate_action_needed;
                };
                to(AlertState::Assessed, &fill, ASSESSED)
            }
            AlertMove::Plan(plan) => {
                self.require_reached(AlertState::Assessed)?;
                self.require_before(AlertState::Executed, "it is past the plan")?;
                to(AlertState::Planned, &|alert: &mut Self| alert.plan.clone_from(plan), PLANNED)
            }
            AlertMove::Execute(execution) => {
                self.require_reached(AlertState::Planned)?;
                self.require_before(AlertState::FollowedUp, "it is past the execution")?;
                to(AlertState::Executed, &|alert: &mut Self| alert.execution.clone_from(execution), EXECUTED)
            }
            AlertMove::FollowUp { follow_up, issue_resolved } => {
                self.require_reached(AlertState::Executed)?;
                let fill = |alert: &mut Self| {
                    alert.follow_up.clone_from(follow_up);
                    alert.issue_resolved = Some(*issue_resolved);
                };
                to(AlertState::FollowedUp, &fill, FOLLOWED_UP)
            }
            AlertMove::Close { .. } => Ok(Moved::Already),
        }
    }

    fn closed(&self, resolution: Resolution, notes: &str, now: DateTime<Utc>) -> Result<Moved, RefusedMove> {
        if self.is_closed() {
            let is_the_same = self.resolution == Some(resolution);
            return if is_the_same { Ok(Moved::Already) } else { Err(RefusedMove::Closed) };
        }
        if resolution == Resolution::Resolved {
            self.require_reached(AlertState::FollowedUp)?;
            if self.issue_resolved != Some(true) {
                let missing = vec!["a follow-up that found the issue resolved (FollowUpAlert)"];
                return Err(RefusedMove::Illegal { state: self.state, missing });
            }
        }
        Ok(Moved::To(Box::new(self.ended(resolution, notes, now)), &[]))
    }

    /// The alert after it ended, by a person or by itself.
    #[must_use]
    pub fn ended(&self, resolution: Resolution, notes: &str, now: DateTime<Utc>) -> Self {
        Self {
            state: AlertState::Closed,
            resolution: Some(resolution),
            resolution_notes: notes.to_owned(),
            closed_at: Some(now),
            next_due_at: None,
            ..self.clone()
        }
    }

    /// Everything that is missing up to and with a state.
    fn require_reached(&self, needed: AlertState) -> Result<(), RefusedMove> {
        if self.state >= needed {
            return Ok(());
        }
        let steps = [
            (AlertState::Assessed, "the assessment (AssessAlert)"),
            (AlertState::Planned, "the action plan (PlanAlert)"),
            (AlertState::Executed, "the execution (RecordExecution)"),
            (AlertState::FollowedUp, "the follow-up (FollowUpAlert)"),
        ];
        let missing =
            steps.iter().filter(|(state, _)| *state > self.state && *state <= needed).map(|(_, words)| *words);
        Err(RefusedMove::Illegal { state: self.state, missing: missing.collect() })
    }

    fn require_before(&self, bound: AlertState, why: &'static str) -> Result<(), RefusedMove> {
        if self.state < bound { Ok(()) } else { Err(RefusedMove::Illegal { state: self.state, missing: vec![why] }) }
    }
}

/// That something happened to an account, as told by other services or by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// Whose.
    pub account: AccountId,
    /// What kind of thing.
    pub kind: AlertKind,
    /// What it is about within the account.
    pub subject: String,
    /// What happened, in one line.
    pub headline: String,
    /// What is known of it, a fact a line.
    pub details: Vec<String>,
    /// When it began; an alert's clocks run from here.
    pub happened_at: DateTime<Utc>,
    /// When it was met last.
    pub occurred_at: DateTime<Utc>,
    /// How often so far, when the teller counts.
    pub count: Option<i32>,
    /// How pressing it is; none: as the policy says.
    pub severity: Option<Severity>,
    /// Who is to deal with it; none: as the policy says.
    pub owner_email: Option<String>,
    /// The account's score then.
    pub score: Option<Points>,
    /// What is known of the detractor's answer.
    pub answer: Option<Answer>,
}

/// A detractor's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its name, `responses/{response}`.
    pub response: String,
    /// The id of the person at the customer; empty when not known.
    pub contact_id: String,
    /// 0 to 10.
    pub score: i16,
}

#[cfg(test)]
mod tests;
