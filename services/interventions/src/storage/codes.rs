//! Numbers in the database for the domain's words. They never change their meaning.

use std::fmt::Display;

use mainstay_domain::AccountId;
use mainstay_storage::StorageError;

use crate::domain::alert::{AlertKind, AlertState, Resolution, Severity};
use crate::domain::case::{AssessmentStep, CaseKind, CaseState, Outcome};
use crate::domain::clock::{ClockState, ClockStep};
use crate::domain::policy::PolicyId;
use crate::domain::priority::Depth;
use crate::domain::task::{TaskResource, TaskState};
use crate::domain::touch::TouchChannel;

/// Our own data does not parse: a fault of ours, not of the caller.
pub(crate) fn corrupt(error: impl Display) -> StorageError {
    StorageError::Corrupt(error.to_string())
}

pub(crate) fn account_id(text: &str) -> Result<AccountId, StorageError> {
    AccountId::parse(text).map_err(corrupt)
}

pub(crate) fn policy_id(text: &str) -> Result<PolicyId, StorageError> {
    PolicyId::parse(text).ok_or_else(|| corrupt(format!("policy {text}")))
}

macro_rules! numbered {
    ($type:ident, $to:ident, $from:ident, { $($variant:ident = $number:literal),+ $(,)? }) => {
        pub(crate) const fn $to(value: $type) -> i16 {
            match value {
                $($type::$variant => $number,)+
            }
        }

        pub(crate) fn $from(number: i16) -> Result<$type, StorageError> {
            match number {
                $($number => Ok($type::$variant),)+
                _ => Err(corrupt(format!(concat!(stringify!($type), " {}"), number))),
            }
        }
    };
}

numbered!(AlertKind, alert_kind_number, alert_kind, {
    HealthCritical = 1,
    HealthAtRisk = 2,
    HealthDrop = 3,
    Inactivity = 4,
    PaymentFailed = 5,
    BillingDispute = 6,
    TicketUrgent = 7,
    Detractor = 8,
    Manual = 9,
    TicketFrustrated = 10,
    UsageDecline = 11,
    LoginDrop = 12,
    FeatureNotAdopted = 13,
    ChampionSilent = 14,
    RenewalAtRisk = 15,
    PaymentSlowing = 16,
});

numbered!(AlertState, alert_state_number, alert_state, {
    New = 1,
    Acknowledged = 2,
    Assessed = 3,
    Planned = 4,
    Executed = 5,
    FollowedUp = 6,
    Closed = 7,
});

numbered!(Severity, severity_number, severity, {
    Warning = 1,
    High = 2,
    Critical = 3,
});

numbered!(Resolution, resolution_number, resolution, {
    Resolved = 1,
    ConditionEnded = 2,
    NoAction = 3,
    FalseAlarm = 4,
    AccountGone = 5,
});

numbered!(ClockStep, clock_step_number, clock_step, {
    Acknowledge = 1,
    Assess = 2,
    Plan = 3,
    Execute = 4,
    FollowUp = 5,
    Review = 6,
    EscalateToDirector = 7,
    Contact = 8,
    RootCause = 9,
    Resolve = 10,
    Resurvey = 11,
    CaseAssess = 12,
    CaseIntervene = 13,
    CaseResolve = 14,
    Task = 15,
    Reminder = 16,
    Call = 17,
});

numbered!(ClockState, clock_state_number, clock_state, {
    Running = 1,
    Met = 2,
    Breached = 3,
    Cancelled = 4,
});

numbered!(CaseKind, case_kind_number, case_kind, {
    AtRisk = 1,
    Detractor = 2,
});

numbered!(CaseState, case_state_number, case_state, {
    Identified = 1,
    Assessing = 2,
    Intervening = 3,
    Resolving = 4,
    Alerted = 5,
    Contacted = 6,
    CauseFound = 7,
    Planned = 8,
    Resolved = 9,
    Closed = 10,
});

numbered!(Outcome, outcome_number, outcome, {
    Saved = 1,
    Churned = 2,
    NoAction = 3,
    Recovered = 4,
    NotRecovered = 5,
});

numbered!(AssessmentStep, assessment_step_number, assessment_step, {
    History = 1,
    Usage = 2,
    Tickets = 3,
    Renewal = 4,
    Priority = 5,
});

numbered!(TaskState, task_state_number, task_state, {
    Open = 1,
    Done = 2,
    Cancelled = 3,
});

numbered!(TaskResource, task_resource_number, task_resource, {
    General = 0,
    Technical = 1,
    Training = 2,
    Product = 3,
});

/// Depths are counted by and never read back. 0 is that of cases that were closed before depths were told apart.
pub(crate) const fn depth_number(depth: Depth) -> i16 {
    match depth {
        Depth::Critical => 1,
        Depth::AtRisk => 2,
        Depth::Above => 3,
        Depth::NoScore => 4,
    }
}

/// Contacts are written and never read back: the story has them in words.
pub(crate) const fn touch_channel_number(channel: TouchChannel) -> i16 {
    match channel {
        TouchChannel::Call => 1,
        TouchChannel::Email => 2,
        TouchChannel::Meeting => 3,
        TouchChannel::InApp => 4,
        TouchChannel::Chat => 5,
    }
}
