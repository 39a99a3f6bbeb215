//! The policies that the service begins with: the settled deadlines of `docs/adr/0016-interventions.md`.

use mainstay_domain::{OwnerRole, Segment};

use super::alert::{AlertKind, Severity};
use super::case::CaseKind;
use super::clock::ClockStep;
use super::policy::{CaseKindKey, ClockRule, PolicyDefinition, PolicyId, PolicySubject};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A rule whose owner is warned when three quarters of the time are gone.
fn rule(step: ClockStep, due_after_seconds: i64) -> ClockRule {
    ClockRule { step, due_after_seconds, warn_after_seconds: Some(due_after_seconds / 4 * 3) }
}

/// Acknowledge 2 h, assess 4 h, action plan 24 h, execute 48 h, follow up 72 h.
fn five_clocks() -> Vec<ClockRule> {
    vec![
        rule(ClockStep::Acknowledge, 2 * HOUR),
        rule(ClockStep::Assess, 4 * HOUR),
        rule(ClockStep::Plan, 24 * HOUR),
        rule(ClockStep::Execute, 48 * HOUR),
        rule(ClockStep::FollowUp, 72 * HOUR),
    ]
}

fn base(severity: Severity, clocks: Vec<ClockRule>) -> PolicyDefinition {
    PolicyDefinition {
        severity,
        owner: OwnerRole::Csm,
        notify: Vec::new(),
        escalation: vec![OwnerRole::CsmDirector, OwnerRole::ExecutiveSponsor],
        opens_case: None,
        clocks,
        reminder_after_seconds: DAY,
        call_within_seconds: None,
    }
}

fn alert(kind: AlertKind) -> PolicyDefinition {
    match kind {
        AlertKind::HealthCritical => {
            let mut clocks = five_clocks();
            clocks.push(rule(ClockStep::EscalateToDirector, 24 * HOUR));
            PolicyDefinition {
                notify: vec![OwnerRole::AccountManager],
                opens_case: Some(CaseKindKey::AtRisk),
                ..base(Severity::Critical, clocks)
            }
        }
        // Who renews the contract hears of it, too.
        AlertKind::HealthAtRisk | AlertKind::RenewalAtRisk => {
            PolicyDefinition { notify: vec![OwnerRole::AccountManager], ..base(Severity::High, five_clocks()) }
        }
        AlertKind::HealthDrop
        | AlertKind::Inactivity
        | AlertKind::Manual
        | AlertKind::UsageDecline
        | AlertKind::LoginDrop
        | AlertKind::ChampionSilent
        | AlertKind::TicketFrustrated => base(Severity::High, five_clocks()),
        // Nothing is lost yet.
        AlertKind::FeatureNotAdopted => base(Severity::Warning, five_clocks()),
        AlertKind::PaymentSlowing => {
            PolicyDefinition { notify: vec![OwnerRole::FinanceContact], ..base(Severity::Warning, five_clocks()) }
        }
        AlertKind::PaymentFailed | AlertKind::BillingDispute => {
            PolicyDefinition { notify: vec![OwnerRole::FinanceContact], ..base(Severity::High, five_clocks()) }
        }
        AlertKind::TicketUrgent => {
            let mut clocks = five_clocks();
            clocks[1] = rule(ClockStep::Review, 4 * HOUR);
            base(Severity::Critical, clocks)
        }
        // What follows has its clocks in the case.
        AlertKind::Detractor => PolicyDefinition {
            opens_case: Some(CaseKindKey::Detractor),
            reminder_after_seconds: 14 * DAY,
            ..base(Severity::High, vec![rule(ClockStep::Acknowledge, 2 * HOUR)])
        },
    }
}

/// A detractor's case: contacted by whatever way within a day.
fn detractor_case() -> PolicyDefinition {
    let clocks = vec![
        rule(ClockStep::Contact, 24 * HOUR),
        rule(ClockStep::RootCause, 48 * HOUR),
        rule(ClockStep::Plan, 72 * HOUR),
        rule(ClockStep::Resolve, 14 * DAY),
        // From the resolution on: asked again after 30 days, with time to answer.
        rule(ClockStep::Resurvey, 45 * DAY),
    ];
    base(Severity::High, clocks)
}

/// An enterprise is called within four hours, besides.
fn enterprise_detractor_case() -> PolicyDefinition {
    let mut definition = detractor_case();
    definition.clocks.insert(0, rule(ClockStep::Call, 4 * HOUR));
    definition
}

/// Phases of a case at risk: assess in week 1, intervene in weeks 2 to 4, resolve in weeks 5 to 8.
fn at_risk_case() -> PolicyDefinition {
    let clocks = vec![
        rule(ClockStep::CaseAssess, 7 * DAY),
        rule(ClockStep::CaseIntervene, 28 * DAY),
        rule(ClockStep::CaseResolve, 56 * DAY),
    ];
    PolicyDefinition {
        reminder_after_seconds: 7 * DAY,
        call_within_seconds: Some(48 * HOUR),
        ..base(Severity::High, clocks)
    }
}

/// All policies that the service begins with: one for each kind, and those of segments.
pub fn all() -> Vec<(PolicyId, PolicyDefinition)> {
    let for_all = |subject| PolicyId { subject, segment: None };
    let mut policies: Vec<_> =
        AlertKind::ALL.into_iter().map(|kind| (for_all(PolicySubject::Alert(kind)), alert(kind))).collect();
    let detractor = PolicySubject::Case(CaseKind::Detractor);
    policies.push((for_all(PolicySubject::Case(CaseKind::AtRisk)), at_risk_case()));
    policies.push((for_all(detractor), detractor_case()));
    let enterprise = PolicyId { subject: detractor, segment: Some(Segment::Enterprise) };
    policies.push((enterprise, enterprise_detractor_case()));
    policies
}

#[cfg(test)]
mod tests {
    use mainstay_domain::Violations;

    use super::*;

    #[test]
    fn every_kind_has_a_policy_and_each_holds() {
        let policies = all();
        for subject in PolicySubject::all() {
            assert!(policies.iter().any(|(id, _)| id.subject == subject && id.segment.is_none()), "{subject:?}");
        }
        for (id, definition) in &policies {
            let mut found = Violations::new();
            definition.check(id.subject, &mut found);
            assert!(found.is_empty(), "{}: {found:?}", id.text());
        }
    }

    #[test]
    fn the_clocks_are_the_settled_ones() {
        let due = |id: &str| {
            let policies = all();
            let (_, definition) = policies.into_iter().find(|(known, _)| known.text() == id).expect("a policy");
            definition.clocks.iter().map(|rule| (rule.step, rule.due_after_seconds / HOUR)).collect::<Vec<_>>()
        };
        let (acknowledge, plan, execute) = (ClockStep::Acknowledge, ClockStep::Plan, ClockStep::Execute);
        let five = [(acknowledge, 2), (ClockStep::Assess, 4), (plan, 24), (execute, 48), (ClockStep::FollowUp, 72)];
        for kind in [
            "inactivity",
            "usage_decline",
            "login_drop",
            "feature_not_adopted",
            "champion_silent",
            "renewal_at_risk",
            "ticket_frustrated",
            "payment_slowing",
        ] {
            assert_eq!(due(kind), five, "{kind}");
        }
        assert_eq!(due("health_critical")[..5], five);
        assert_eq!(due("health_critical")[5], (ClockStep::EscalateToDirector, 24));
        assert_eq!(due("ticket_urgent")[1], (ClockStep::Review, 4));
        let (contact, cause) = ((ClockStep::Contact, 24), (ClockStep::RootCause, 48));
        let (resolve, resurvey) = ((ClockStep::Resolve, 14 * 24), (ClockStep::Resurvey, 45 * 24));
        assert_eq!(due("case_detractor"), [contact, cause, (plan, 72), resolve, resurvey]);
        assert_eq!(due("case_detractor.enterprise")[..2], [(ClockStep::Call, 4), contact]);
        let phases = [(ClockStep::CaseAssess, 7), (ClockStep::CaseIntervene, 28), (ClockStep::CaseResolve, 56)];
        assert_eq!(due("case_at_risk"), phases.map(|(step, days)| (step, days * 24)), "weeks 1, 2 to 4, 5 to 8");
    }
}
