//! Alerts.

use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_domain::{AccountId, Points, Violations};
use mainstay_service::wire::timestamp;

use super::{clock, names};
use crate::domain::alert::{
    Alert, AlertKind, AlertState, DETAIL_LENGTH_MAX, DETAILS_MAX, HEADLINE_LENGTH_MAX, Occurrence, Resolution,
    SUBJECT_LENGTH_MAX, Severity,
};
use crate::domain::clock::Clock;

/// An alert as messages have it, with its clocks.
pub(crate) fn message(alert: &Alert, account_name: &str, clocks: &[Clock]) -> proto::Alert {
    let mut clocks: Vec<&Clock> = clocks.iter().collect();
    clocks.sort_by_key(|clock| (clock.due_at, clock.id));
    proto::Alert {
        name: names::alert(alert.id),
        account: alert.account.name(),
        account_display_name: account_name.to_owned(),
        kind: kind_message(alert.kind).into(),
        subject: alert.subject.clone(),
        headline: alert.headline.clone(),
        details: alert.details.clone(),
        state: state_message(alert.state).into(),
        severity: severity_message(alert.severity).into(),
        owner_email: alert.owner_email.clone(),
        owner_is_fallback: alert.owner_is_fallback,
        alert_time: Some(timestamp(alert.happened_at)),
        occurrence_count: alert.occurrence_count,
        last_occurrence_time: Some(timestamp(alert.last_occurred_at)),
        next_due_time: alert.next_due_at.map(timestamp),
        clocks: clocks.into_iter().map(clock::message).collect(),
        escalation_count: alert.escalation_count,
        policy: format!("policies/{}@{}", alert.policy.text(), alert.policy_version),
        case: alert.case.map(names::case).unwrap_or_default(),
        score: alert.score.map(Points::as_f64),
        assessment: alert.assessment.clone(),
        immediate_action_needed: alert.immediate_action_needed,
        plan: alert.plan.clone(),
        execution: alert.execution.clone(),
        follow_up: alert.follow_up.clone(),
        issue_resolved: alert.issue_resolved == Some(true),
        resolution: alert.resolution.map_or(proto::AlertResolution::Unspecified, resolution_message).into(),
        resolution_notes: alert.resolution_notes.clone(),
        close_time: alert.closed_at.map(timestamp),
        etag: alert.etag().to_string(),
    }
}

/// What a person raises by hand.
pub(crate) fn manual(
    found: &mut Violations,
    request: &proto::CreateAlertRequest,
    now: chrono::DateTime<chrono::Utc>,
) -> Option<Occurrence> {
    let account = found.take("account", AccountId::parse_name(&request.account));
    found.check_text("subject", &request.subject, SUBJECT_LENGTH_MAX);
    names::required_text(found, "headline", &request.headline, HEADLINE_LENGTH_MAX);
    let lines = request.details.len();
    found.require(lines <= DETAILS_MAX, "details", format!("has {lines} lines, at most {DETAILS_MAX} are allowed"));
    for (index, line) in request.details.iter().enumerate().take(DETAILS_MAX) {
        found.check_text(&format!("details[{index}]"), line, DETAIL_LENGTH_MAX);
    }
    if !request.owner_email.is_empty() {
        names::email(found, "owner_email", &request.owner_email);
    }
    let severity = severity(found, "severity", request.severity);
    Some(Occurrence {
        account: account?,
        kind: AlertKind::Manual,
        subject: request.subject.clone(),
        headline: request.headline.clone(),
        details: request.details.clone(),
        happened_at: now,
        occurred_at: now,
        count: None,
        severity,
        owner_email: names::given(request.owner_email.clone()),
        score: None,
        answer: None,
    })
}

/// A severity of a message; unspecified is none.
pub(crate) fn severity(found: &mut Violations, field: &str, number: i32) -> Option<Severity> {
    match proto::AlertSeverity::try_from(number) {
        Ok(proto::AlertSeverity::Unspecified) => None,
        Ok(proto::AlertSeverity::Warning) => Some(Severity::Warning),
        Ok(proto::AlertSeverity::High) => Some(Severity::High),
        Ok(proto::AlertSeverity::Critical) => Some(Severity::Critical),
        Err(_) => {
            found.add(field, format!("{number} is no severity"));
            None
        }
    }
}

/// A kind of a message.
pub(crate) fn kind(number: i32) -> Option<AlertKind> {
    let given = proto::AlertKind::try_from(number).ok()?;
    AlertKind::ALL.into_iter().find(|kind| kind_message(*kind) == given)
}

/// A kind as messages have it.
pub(crate) fn kind_message(kind: AlertKind) -> proto::AlertKind {
    match kind {
        AlertKind::HealthCritical => proto::AlertKind::HealthCritical,
        AlertKind::HealthAtRisk => proto::AlertKind::HealthAtRisk,
        AlertKind::HealthDrop => proto::AlertKind::HealthDrop,
        AlertKind::Inactivity => proto::AlertKind::Inactivity,
        AlertKind::PaymentFailed => proto::AlertKind::PaymentFailed,
        AlertKind::BillingDispute => proto::AlertKind::BillingDispute,
        AlertKind::TicketUrgent => proto::AlertKind::TicketUrgent,
        AlertKind::Detractor => proto::AlertKind::Detractor,
        AlertKind::Manual => proto::AlertKind::Manual,
        AlertKind::UsageDecline => proto::AlertKind::UsageDecline,
        AlertKind::LoginDrop => proto::AlertKind::LoginDrop,
        AlertKind::FeatureNotAdopted => proto::AlertKind::FeatureNotAdopted,
        AlertKind::ChampionSilent => proto::AlertKind::ChampionSilent,
        AlertKind::RenewalAtRisk => proto::AlertKind::RenewalAtRisk,
        AlertKind::PaymentSlowing => proto::AlertKind::PaymentSlowing,
        AlertKind::TicketFrustrated => proto::AlertKind::TicketFrustrated,
    }
}

/// How a person may end an alert.
pub(crate) fn resolution(number: i32) -> Option<Resolution> {
    match proto::AlertResolution::try_from(number).ok()? {
        proto::AlertResolution::Resolved => Some(Resolution::Resolved),
        proto::AlertResolution::NoAction => Some(Resolution::NoAction),
        proto::AlertResolution::FalseAlarm => Some(Resolution::FalseAlarm),
        proto::AlertResolution::Unspecified
        | proto::AlertResolution::ConditionEnded
        | proto::AlertResolution::AccountGone => None,
    }
}

fn resolution_message(resolution: Resolution) -> proto::AlertResolution {
    match resolution {
        Resolution::Resolved => proto::AlertResolution::Resolved,
        Resolution::ConditionEnded => proto::AlertResolution::ConditionEnded,
        Resolution::NoAction => proto::AlertResolution::NoAction,
        Resolution::FalseAlarm => proto::AlertResolution::FalseAlarm,
        Resolution::AccountGone => proto::AlertResolution::AccountGone,
    }
}

fn state_message(state: AlertState) -> proto::AlertState {
    match state {
        AlertState::New => proto::AlertState::New,
        AlertState::Acknowledged => proto::AlertState::Acknowledged,
        AlertState::Assessed => proto::AlertState::Assessed,
        AlertState::Planned => proto::AlertState::Planned,
        AlertState::Executed => proto::AlertState::Executed,
        AlertState::FollowedUp => proto::AlertState::FollowedUp,
        AlertState::Closed => proto::AlertState::Closed,
    }
}

/// A severity as messages have it.
pub(crate) fn severity_message(severity: Severity) -> proto::AlertSeverity {
    match severity {
        Severity::Warning => proto::AlertSeverity::Warning,
        Severity::High => proto::AlertSeverity::High,
        Severity::Critical => proto::AlertSeverity::Critical,
    }
}
