//! Cases.

use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_domain::Points;
use mainstay_service::wire::{money_message, timestamp};

use super::{clock, names};
use crate::domain::case::{AssessmentStep, Case, CaseKind, CaseState, Outcome};
use crate::domain::clock::Clock;
use crate::domain::priority::Priority;

/// A case as messages have it, with its clocks.
pub(crate) fn message(case: &Case, account_name: &str, clocks: &[Clock]) -> proto::Case {
    let mut clocks: Vec<&Clock> = clocks.iter().collect();
    clocks.sort_by_key(|clock| (clock.due_at, clock.id));
    let is_detractor = case.kind == CaseKind::Detractor;
    proto::Case {
        name: names::case(case.id),
        account: case.account.name(),
        account_display_name: account_name.to_owned(),
        kind: kind_message(case.kind).into(),
        state: state_message(case.state).into(),
        outcome: case.outcome.map_or(proto::CaseOutcome::Unspecified, outcome_message).into(),
        outcome_notes: case.outcome_notes.clone(),
        owner_email: case.owner_email.clone(),
        owner_is_fallback: case.owner_is_fallback,
        priority: Some(priority_message(&case.priority)),
        open_time: Some(timestamp(case.opened_at)),
        state_time: Some(timestamp(case.state_at)),
        next_due_time: case.next_due_at.map(timestamp),
        clocks: clocks.into_iter().map(clock::message).collect(),
        score_at_open: case.score_at_open.map(Points::as_f64),
        score_at_close: case.score_at_close.map(Points::as_f64),
        assessment_steps: case.findings.assessment_steps.iter().map(|step| step_message(*step).into()).collect(),
        root_cause: case.findings.root_cause.clone(),
        plan: case.findings.plan.clone(),
        resolution: case.findings.resolution.clone(),
        what_worked: case.findings.what_worked.clone(),
        response: if is_detractor { case.subject.clone() } else { String::new() },
        contact_id: case.contact_id.clone(),
        survey_score: case.survey_score.map(i32::from),
        resurvey_score: case.resurvey_score.map(i32::from),
        resolve_time: case.resolved_at.map(timestamp),
        close_time: case.closed_at.map(timestamp),
        etag: case.etag().to_string(),
    }
}

fn priority_message(priority: &Priority) -> proto::CasePriority {
    proto::CasePriority {
        expected_gain: priority.expected_gain().map(money_message),
        revenue_at_risk: priority.revenue_at_risk.map(money_message),
        decline: priority.decline,
        save_chance: priority.save_chance,
        save_chance_cases: priority.save_chance_cases,
        save_chance_alike_cases: priority.save_chance_alike,
    }
}

/// A kind of a message.
pub(crate) fn kind(number: i32) -> Option<CaseKind> {
    let given = proto::CaseKind::try_from(number).ok()?;
    CaseKind::ALL.into_iter().find(|kind| kind_message(*kind) == given)
}

fn kind_message(kind: CaseKind) -> proto::CaseKind {
    match kind {
        CaseKind::AtRisk => proto::CaseKind::AtRisk,
        CaseKind::Detractor => proto::CaseKind::Detractor,
    }
}

/// A state of a message.
pub(crate) fn state(number: i32) -> Option<CaseState> {
    match proto::CaseState::try_from(number).ok()? {
        proto::CaseState::Unspecified => None,
        proto::CaseState::Identified => Some(CaseState::Identified),
        proto::CaseState::Assessing => Some(CaseState::Assessing),
        proto::CaseState::Intervening => Some(CaseState::Intervening),
        proto::CaseState::Resolving => Some(CaseState::Resolving),
        proto::CaseState::Alerted => Some(CaseState::Alerted),
        proto::CaseState::Contacted => Some(CaseState::Contacted),
        proto::CaseState::CauseFound => Some(CaseState::CauseFound),
        proto::CaseState::Planned => Some(CaseState::Planned),
        proto::CaseState::Resolved => Some(CaseState::Resolved),
        proto::CaseState::Closed => Some(CaseState::Closed),
    }
}

fn state_message(state: CaseState) -> proto::CaseState {
    match state {
        CaseState::Identified => proto::CaseState::Identified,
        CaseState::Assessing => proto::CaseState::Assessing,
        CaseState::Intervening => proto::CaseState::Intervening,
        CaseState::Resolving => proto::CaseState::Resolving,
        CaseState::Alerted => proto::CaseState::Alerted,
        CaseState::Contacted => proto::CaseState::Contacted,
        CaseState::CauseFound => proto::CaseState::CauseFound,
        CaseState::Planned => proto::CaseState::Planned,
        CaseState::Resolved => proto::CaseState::Resolved,
        CaseState::Closed => proto::CaseState::Closed,
    }
}

/// How a person may end a case.
pub(crate) fn outcome(number: i32) -> Option<Outcome> {
    match proto::CaseOutcome::try_from(number).ok()? {
        proto::CaseOutcome::Saved => Some(Outcome::Saved),
        proto::CaseOutcome::Churned => Some(Outcome::Churned),
        proto::CaseOutcome::NoAction => Some(Outcome::NoAction),
        proto::CaseOutcome::Unspecified | proto::CaseOutcome::Recovered | proto::CaseOutcome::NotRecovered => None,
    }
}

fn outcome_message(outcome: Outcome) -> proto::CaseOutcome {
    match outcome {
        Outcome::Saved => proto::CaseOutcome::Saved,
        Outcome::Churned => proto::CaseOutcome::Churned,
        Outcome::NoAction => proto::CaseOutcome::NoAction,
        Outcome::Recovered => proto::CaseOutcome::Recovered,
        Outcome::NotRecovered => proto::CaseOutcome::NotRecovered,
    }
}

/// A step of the assessment of a message.
pub(crate) fn assessment_step(number: i32) -> Option<AssessmentStep> {
    let given = proto::AssessmentStep::try_from(number).ok()?;
    AssessmentStep::ALL.into_iter().find(|step| step_message(*step) == given)
}

fn step_message(step: AssessmentStep) -> proto::AssessmentStep {
    match step {
        AssessmentStep::History => proto::AssessmentStep::History,
        AssessmentStep::Usage => proto::AssessmentStep::Usage,
        AssessmentStep::Tickets => proto::AssessmentStep::Tickets,
        AssessmentStep::Renewal => proto::AssessmentStep::Renewal,
        AssessmentStep::Priority => proto::AssessmentStep::Priority,
    }
}
