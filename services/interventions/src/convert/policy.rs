//! Policies.

use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_domain::{OwnerRole, Violations};
use prost_types::Duration;

use super::{alert, clock};
use crate::domain::alert::Severity;
use crate::domain::default_policies;
use crate::domain::policy::{ClockRule, Policy, PolicyDefinition, PolicyId};

/// A day.
const REMINDER_AFTER_SECONDS: i64 = 24 * 3600;

/// A policy as messages have it.
pub(crate) fn message(policy: &Policy) -> proto::Policy {
    let PolicyDefinition {
        severity,
        owner,
        notify,
        escalation,
        opens_case,
        clocks,
        reminder_after_seconds,
        call_within_seconds,
    } = &policy.definition;
    let roles = |roles: &[OwnerRole]| roles.iter().map(|role| role_message(*role).into()).collect();
    proto::Policy {
        name: format!("policies/{}", policy.id.text()),
        version: policy.version,
        severity: alert::severity_message(*severity).into(),
        owner: role_message(*owner).into(),
        notify: roles(notify),
        escalation: roles(escalation),
        clocks: clocks.iter().map(rule_message).collect(),
        reminder_after: Some(seconds(*reminder_after_seconds)),
        opens_case: opens_case.is_some(),
        call_within: call_within_seconds.map(seconds),
    }
}

fn rule_message(rule: &ClockRule) -> proto::ClockRule {
    proto::ClockRule {
        step: clock::step_message(rule.step).into(),
        due_after: Some(seconds(rule.due_after_seconds)),
        warn_after: rule.warn_after_seconds.map(seconds),
    }
}

/// Whole seconds as messages have them.
pub(crate) fn seconds(seconds: i64) -> Duration {
    Duration { seconds, nanos: 0 }
}

/// The policy of a name, with what it says; everything that is wrong is noted.
pub(crate) fn given(found: &mut Violations, message: &proto::Policy) -> Option<(PolicyId, PolicyDefinition)> {
    let id = name(found, "name", &message.name);
    let severity = alert::severity(found, "severity", message.severity).unwrap_or(Severity::High);
    let owner = match message.owner {
        0 => Some(OwnerRole::Csm),
        number => role(found, "owner", number),
    };
    let mut roles = |field: &str, numbers: &[i32]| -> Vec<OwnerRole> {
        let read = |(index, number): (usize, &i32)| role(found, &format!("{field}[{index}]"), *number);
        numbers.iter().enumerate().filter_map(read).collect()
    };
    let (notify, escalation) = (roles("notify", &message.notify), roles("escalation", &message.escalation));
    let rules = message.clocks.iter().enumerate();
    let clocks: Vec<ClockRule> = rules.filter_map(|(index, rule)| clock_rule(found, index, rule)).collect();
    let reminder = match &message.reminder_after {
        None => Some(REMINDER_AFTER_SECONDS),
        Some(given) => whole_seconds(found, "reminder_after", given),
    };
    let call_within = match &message.call_within {
        None => Some(None),
        Some(given) => whole_seconds(found, "call_within", given).map(Some),
    };
    let id = id?;
    // Whether an alert opens a case is what its kind is about, not a matter of time.
    let opens_case = default_policies::all()
        .into_iter()
        .find(|(known, _)| known.subject == id.subject)
        .and_then(|(_, definition)| definition.opens_case);
    let definition = PolicyDefinition {
        severity,
        owner: owner?,
        notify,
        escalation,
        opens_case,
        clocks,
        reminder_after_seconds: reminder?,
        call_within_seconds: call_within?,
    };
    definition.check(id.subject, found);
    Some((id, definition))
}

/// The policy of a name.
pub(crate) fn name(found: &mut Violations, field: &str, name: &str) -> Option<PolicyId> {
    let id = name.strip_prefix("policies/").and_then(PolicyId::parse);
    if id.is_none() {
        let shown: String = name.chars().take(80).collect();
        found.add(field, format!("`{shown}` is no policy; `mainstay alerts policies` lists those there are"));
    }
    id
}

fn clock_rule(found: &mut Violations, index: usize, rule: &proto::ClockRule) -> Option<ClockRule> {
    let field = format!("clocks[{index}]");
    let step = clock::step(rule.step);
    found.require(step.is_some(), format!("{field}.step"), format!("{} is no step", rule.step));
    found.require(rule.due_after.is_some(), format!("{field}.due_after"), "is required");
    let due = rule.due_after.as_ref().and_then(|due| whole_seconds(found, &format!("{field}.due_after"), due));
    let warn = match &rule.warn_after {
        Some(warn) => Some(whole_seconds(found, &format!("{field}.warn_after"), warn)?),
        None => None,
    };
    Some(ClockRule { step: step?, due_after_seconds: due?, warn_after_seconds: warn })
}

fn whole_seconds(found: &mut Violations, field: &str, given: &Duration) -> Option<i64> {
    found.require(given.nanos == 0, field, "must be in whole seconds");
    (given.nanos == 0).then_some(given.seconds)
}

fn role(found: &mut Violations, field: &str, number: i32) -> Option<OwnerRole> {
    let role = match scoring::OwnerRole::try_from(number) {
        Ok(scoring::OwnerRole::Csm) => Some(OwnerRole::Csm),
        Ok(scoring::OwnerRole::AccountManager) => Some(OwnerRole::AccountManager),
        Ok(scoring::OwnerRole::CsmDirector) => Some(OwnerRole::CsmDirector),
        Ok(scoring::OwnerRole::FinanceContact) => Some(OwnerRole::FinanceContact),
        Ok(scoring::OwnerRole::ExecutiveSponsor) => Some(OwnerRole::ExecutiveSponsor),
        Ok(scoring::OwnerRole::Unspecified) | Err(_) => None,
    };
    if role.is_none() {
        found.add(field, format!("{number} is no role"));
    }
    role
}

fn role_message(role: OwnerRole) -> scoring::OwnerRole {
    match role {
        OwnerRole::Csm => scoring::OwnerRole::Csm,
        OwnerRole::AccountManager => scoring::OwnerRole::AccountManager,
        OwnerRole::CsmDirector => scoring::OwnerRole::CsmDirector,
        OwnerRole::FinanceContact => scoring::OwnerRole::FinanceContact,
        OwnerRole::ExecutiveSponsor => scoring::OwnerRole::ExecutiveSponsor,
    }
}
