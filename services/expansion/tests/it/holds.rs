//! Accounts that are left alone, and what becomes of their chances and opportunities.

use chrono::TimeDelta;
use mainstay_api::mainstay::expansion::v1 as proto;
use mainstay_api::mainstay::interventions::v1 as interventions;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_domain::Clock;
use proto::{CandidateState, OpportunityStage, SuppressionReason};

use crate::harness::{Harness, at, stamp};
use crate::refusals::{missing, reason};

const BEFORE_REVIEW: &str = "1997-03-02T12:00:00Z";
const REVIEW: &str = "1997-03-03";

fn reasons(suppressions: &[proto::Suppression]) -> Vec<SuppressionReason> {
    suppressions.iter().map(proto::Suppression::reason).collect()
}

#[tokio::test]
async fn r175_a_chance_is_suppressed_while_its_account_is_at_risk_or_in_dispute_and_the_reason_shown() {
    use scoring::RiskTriggerKind as Kind;
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    let kinds = [
        ("at_risk", Kind::HealthAtRisk, Some(SuppressionReason::AtRisk)),
        ("critical", Kind::HealthCritical, Some(SuppressionReason::AtRisk)),
        ("payment", Kind::PaymentFailed, Some(SuppressionReason::PaymentFailed)),
        ("dispute", Kind::BillingDispute, Some(SuppressionReason::BillingDispute)),
        ("drop", Kind::HealthDrop, None),
        ("silence", Kind::Inactivity, None),
        ("ticket", Kind::TicketUrgent, None),
    ];
    for (id, kind, _) in kinds {
        harness.tell_ripe(id).await;
        harness.tell_raised(id, kind, "s1").await;
    }
    harness.turn_to(REVIEW).await;
    for (id, _, expected) in kinds {
        let candidate = harness.candidate_of(id).await;
        assert_eq!(reasons(&candidate.suppressions), Vec::from_iter(expected), "{id}");
        let state = if expected.is_some() { CandidateState::Suppressed } else { CandidateState::Qualified };
        assert_eq!(candidate.state(), state, "{id}");
        assert_eq!(harness.opportunities_of(id).await.len(), usize::from(expected.is_none()), "{id}");
    }
    let review = proto::GetReviewRequest { name: "reviews/1997-02".to_owned() };
    let review = harness.qualification.get_review(review).await.expect("it").into_inner();
    assert_eq!((review.identified_count, review.suppressed_count, review.opened_count), (7, 4, 3));
}

#[tokio::test]
async fn r175_a_chance_is_kept_and_taken_up_at_once_when_nothing_suppresses_it_any_more() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    harness.tell_ripe("acme").await;
    harness.tell_raised("acme", scoring::RiskTriggerKind::HealthAtRisk, "h1").await;
    harness.tell_raised("acme", scoring::RiskTriggerKind::HealthCritical, "h2").await;
    harness.turn_to(REVIEW).await;
    harness.turn_to("1997-03-10").await;
    harness.tell_cleared("acme", scoring::RiskTriggerKind::HealthCritical, "h2").await;
    harness.settle().await;
    assert_eq!(harness.candidate_of("acme").await.state(), CandidateState::Suppressed, "one lasts");
    assert!(harness.opportunities_of("acme").await.is_empty());
    harness.tell_cleared("acme", scoring::RiskTriggerKind::HealthAtRisk, "h1").await;
    harness.settle().await;
    let candidate = harness.candidate_of("acme").await;
    let opportunity = harness.opportunity_of("acme").await;
    assert_eq!((candidate.state(), candidate.opportunity), (CandidateState::Qualified, opportunity.name));
    assert_eq!(candidate.identify_time, Some(stamp(at(REVIEW))), "it is the chance of the review");
    assert_eq!(opportunity.create_time, Some(stamp(at("1997-03-10"))));
}

#[tokio::test]
async fn r175_a_billing_issue_that_ended_suppresses_no_more_and_counts_against_the_budget() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    harness.tell_ripe("acme").await;
    harness.tell_raised("acme", scoring::RiskTriggerKind::BillingDispute, "d1").await;
    harness.turn_to(REVIEW).await;
    harness.turn_to("1997-03-10").await;
    harness.tell_cleared("acme", scoring::RiskTriggerKind::BillingDispute, "d1").await;
    harness.settle().await;
    let candidate = harness.candidate_of("acme").await;
    assert_eq!((candidate.state(), candidate.suppressions.len()), (CandidateState::Identified, 0));
}

#[tokio::test]
async fn r175_a_detractor_s_case_suppresses_until_it_is_resolved() {
    use interventions::{CaseKind, CaseState};
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    for id in ["detractor", "at_risk"] {
        harness.tell_ripe(id).await;
    }
    let case = Some(harness.case("detractor", CaseKind::Detractor, CaseState::Alerted));
    harness.interventions.tell("detractor", &interventions::CaseOpened { case }).await;
    let case = Some(harness.case("at_risk", CaseKind::AtRisk, CaseState::Identified));
    harness.interventions.tell("at_risk", &interventions::CaseOpened { case }).await;
    harness.turn_to(REVIEW).await;
    let candidate = harness.candidate_of("detractor").await;
    assert_eq!(reasons(&candidate.suppressions), [SuppressionReason::DetractorCase]);
    assert_eq!(candidate.suppressions[0].reference, "cases/c1");
    assert_eq!(harness.candidate_of("at_risk").await.state(), CandidateState::Qualified, "its score says no risk");

    let case = Some(harness.case("detractor", CaseKind::Detractor, CaseState::Planned));
    harness.interventions.tell("detractor", &interventions::CaseChanged { case }).await;
    harness.settle().await;
    assert_eq!(harness.candidate_of("detractor").await.state(), CandidateState::Suppressed);
    let resolved = interventions::CaseResolved {
        case: "cases/c1".to_owned(),
        account: "accounts/detractor".to_owned(),
        kind: CaseKind::Detractor.into(),
        resolve_time: Some(stamp(harness.clock.now())),
        ..Default::default()
    };
    harness.interventions.tell("detractor", &resolved).await;
    harness.settle().await;
    assert_eq!(harness.candidate_of("detractor").await.state(), CandidateState::Qualified);
    let case = Some(harness.case("detractor", CaseKind::Detractor, CaseState::Closed));
    harness.interventions.tell("detractor", &interventions::CaseClosed { case }).await;
    harness.settle().await;
    assert_eq!(harness.candidate_of("detractor").await.state(), CandidateState::Qualified);
}

#[tokio::test]
async fn r175_an_open_opportunity_is_on_hold_with_its_clock_standing_still_and_goes_on() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    harness.tell_ripe("acme").await;
    harness.turn_to(REVIEW).await;
    let opened = harness.opportunity_of("acme").await;
    assert_eq!(opened.due_time, Some(stamp(at("1997-03-10"))));

    harness.turn_to("1997-03-05").await;
    harness.tell_raised("acme", scoring::RiskTriggerKind::PaymentFailed, "i1").await;
    harness.settle().await;
    let held = harness.opportunity_of("acme").await;
    assert_eq!(reasons(&held.holds), [SuppressionReason::PaymentFailed]);
    assert_eq!((held.due_time, held.hold_time), (None, Some(stamp(at("1997-03-05")))));
    harness.finish_checklist(&held.name).await;
    let advance = proto::AdvanceOpportunityRequest { name: held.name.clone(), ..Default::default() };
    let refused = harness.opportunities.advance_opportunity(advance).await.expect_err("on hold");
    assert_eq!(reason(&refused), "MOVE_NOT_ALLOWED");
    let expected = "the account has a failed or overdue payment (accounts/acme/riskTriggers/i1): wait until that ends";
    assert_eq!(missing(&refused), [("SUPPRESSED".to_owned(), expected.to_owned())]);

    harness.turn_to("1997-04-05").await;
    assert_eq!(harness.count_of("OpportunityOverdue").await, 0, "its clock stands still");
    harness.tell_cleared("acme", scoring::RiskTriggerKind::PaymentFailed, "i1").await;
    harness.settle().await;
    let released = harness.opportunity_of("acme").await;
    assert!(released.holds.is_empty());
    assert_eq!(released.due_time, Some(stamp(at("1997-04-10"))), "five of seven days were left");
    harness.turn_to("1997-04-10").await;
    assert_eq!(harness.count_of("OpportunityOverdue").await, 1);
    assert_eq!(harness.count_of("OpportunityHoldChanged").await, 2);
}

#[tokio::test]
async fn r175_told_twice_a_suppression_has_one_effect() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    harness.tell_ripe("acme").await;
    harness.turn_to(REVIEW).await;
    for _ in 0..2 {
        harness.tell_raised("acme", scoring::RiskTriggerKind::BillingDispute, "d1").await;
        harness.settle().await;
        harness.clock.advance(TimeDelta::hours(1));
    }
    assert_eq!(harness.count_of("OpportunityHoldChanged").await, 1);
    assert_eq!(harness.opportunity_of("acme").await.hold_time, Some(stamp(at(REVIEW))));
    assert_eq!(harness.opportunity_of("acme").await.stage(), OpportunityStage::Identified);
}

#[tokio::test]
async fn what_has_ended_does_not_hold_an_opportunity_when_its_beginning_is_told_again() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    harness.tell_ripe("acme").await;
    harness.turn_to(REVIEW).await;
    harness.tell_raised("acme", scoring::RiskTriggerKind::PaymentFailed, "p1").await;
    harness.settle().await;
    harness.tell_cleared("acme", scoring::RiskTriggerKind::PaymentFailed, "p1").await;
    harness.settle().await;
    let before = harness.opportunity_of("acme").await;
    assert_eq!(harness.count_of("OpportunityHoldChanged").await, 2, "held, and released");

    harness.tell_raised("acme", scoring::RiskTriggerKind::PaymentFailed, "p1").await;
    harness.settle().await;
    assert_eq!(harness.opportunity_of("acme").await, before);
    assert_eq!(harness.count_of("OpportunityHoldChanged").await, 2);
}
