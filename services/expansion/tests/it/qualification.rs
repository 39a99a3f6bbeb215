//! What makes a chance, and what is known of it.

use mainstay_api::mainstay::expansion::v1 as proto;
use mainstay_api::mainstay::scoring::v1 as scoring;
use proto::{CandidateState, CriterionKind, CriterionResult};

use crate::harness::{Harness, limit, result_of};
use crate::refusals::reason;

const BEFORE_REVIEW: &str = "1997-03-02T12:00:00Z";
const REVIEW: &str = "1997-03-03";

#[tokio::test]
async fn r158_two_months_in_a_row_at_80_percent_make_a_chance_and_a_hair_less_does_not() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    for (id, january, february) in
        [("at", 8_000.0, 8_000.0), ("below", 7_999.0, 8_000.0), ("below2", 9_000.0, 7_999.0), ("one", 0.0, 10_000.0)]
    {
        harness.tell_account(id).await;
        harness.tell_usage(id, "1997-01", january).await;
        harness.tell_usage(id, "1997-02", february).await;
    }
    harness.turn_to(REVIEW).await;
    let candidate = harness.candidate_of("at").await;
    assert_eq!(
        (candidate.metric.as_str(), candidate.month.as_str(), candidate.consecutive_months),
        ("emails", "1997-02", 2)
    );
    assert_eq!((candidate.used, candidate.limit), (Some(8_000.0), Some(10_000.0)));
    for id in ["below", "below2", "one"] {
        assert!(harness.candidates_of(id).await.is_empty(), "{id}");
    }
}

#[tokio::test]
async fn r158_months_with_a_gap_between_them_are_not_in_a_row() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    harness.tell_account("gap").await;
    harness.tell_usage("gap", "1996-12", 9_000.0).await;
    harness.tell_usage("gap", "1997-02", 9_000.0).await;
    harness.tell_account("unknown").await;
    harness.tell_usage("unknown", "1996-12", 9_000.0).await;
    harness.tell_usage_as("unknown", "1997-01", vec![limit("emails", None, 10_000.0)], 1, None).await;
    harness.tell_usage("unknown", "1997-02", 9_000.0).await;
    harness.turn_to(REVIEW).await;
    for id in ["gap", "unknown"] {
        assert!(harness.candidates_of(id).await.is_empty(), "{id}");
    }
}

#[tokio::test]
async fn r158_what_is_no_longer_near_its_limit_lapses_and_may_come_back() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    harness.tell_account("acme").await;
    harness.tell_usage("acme", "1997-01", 8_100.0).await;
    harness.tell_usage("acme", "1997-02", 8_100.0).await;
    harness.turn_to(REVIEW).await;
    assert_eq!(harness.candidate_of("acme").await.state(), CandidateState::Identified);
    harness.tell_usage("acme", "1997-03", 100.0).await;
    harness.turn_to("1997-04-03").await;
    assert_eq!(harness.candidate_of("acme").await.state(), CandidateState::Lapsed);
    let listed = harness.qualification.list_candidates(proto::ListCandidatesRequest::default()).await;
    assert!(listed.expect("a list").into_inner().candidates.is_empty(), "lapsed ones are asked for by name");
    harness.tell_usage("acme", "1997-04", 8_100.0).await;
    harness.turn_to("1997-05-03").await;
    assert_eq!(harness.candidate_of("acme").await.state(), CandidateState::Lapsed, "one month again");
    harness.tell_usage("acme", "1997-05", 8_100.0).await;
    harness.turn_to("1997-06-03").await;
    let candidate = harness.candidate_of("acme").await;
    assert_eq!((candidate.state(), candidate.consecutive_months), (CandidateState::Identified, 2));
}

#[tokio::test]
async fn r160_seats_that_fill_up_make_a_chance_of_their_own() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    harness.tell_account("acme").await;
    harness.tell_score("acme", 90.0).await;
    harness.tell_usage_as("acme", "1997-01", vec![], 16, Some(20)).await;
    harness.tell_usage_as("acme", "1997-02", vec![], 17, Some(20)).await;
    harness.turn_to(REVIEW).await;
    let candidate = harness.candidate_of("acme").await;
    assert_eq!((candidate.metric.as_str(), candidate.used, candidate.limit), ("seats", Some(17.0), Some(20.0)));
    assert_eq!(result_of(&candidate, CriterionKind::TeamGrowth), CriterionResult::Met);
    assert_eq!(candidate.state(), CandidateState::Qualified);
}

#[tokio::test]
async fn r160_growing_seats_and_several_teams_are_a_need_with_their_figures() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    let emails = || limit("emails", Some(8_000.0), 10_000.0);
    for id in ["grows", "teams", "still"] {
        harness.tell_account(id).await;
        harness.tell_score(id, 90.0).await;
        let seats = if id == "grows" { 9 } else { 10 };
        harness.tell_usage_as(id, "1997-01", vec![emails()], 5, Some(seats)).await;
        let mut limits = vec![emails()];
        if id == "teams" {
            limits.push(limit("teams", Some(2.0), 5.0));
        }
        harness.tell_usage_as(id, "1997-02", limits, 5, Some(10)).await;
    }
    harness.turn_to(REVIEW).await;
    let mut results = Vec::new();
    for id in ["grows", "teams", "still"] {
        let candidate = harness.candidate_of(id).await;
        results.push((result_of(&candidate, CriterionKind::TeamGrowth), candidate.state()));
    }
    assert_eq!(
        results,
        [
            (CriterionResult::Met, CandidateState::Qualified),
            (CriterionResult::Met, CandidateState::Qualified),
            (CriterionResult::NotMet, CandidateState::Identified),
        ]
    );
    let candidate = harness.candidate_of("grows").await;
    let growth = candidate.criteria.iter().find(|one| one.kind() == CriterionKind::TeamGrowth).expect("it");
    assert_eq!(growth.evidence, "5 active users on 10 seats in 1997-02, 9 seats in 1997-01");
}

#[tokio::test]
async fn r161_only_a_score_above_85_qualifies_and_85_itself_does_not() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    for (id, score) in [("at", Some(85.0)), ("above", Some(85.01)), ("unscored", None)] {
        harness.tell_account(id).await;
        if let Some(score) = score {
            harness.tell_score(id, score).await;
        }
        harness.tell_usage(id, "1997-01", 9_000.0).await;
        harness.tell_usage(id, "1997-02", 9_000.0).await;
    }
    harness.turn_to(REVIEW).await;
    for (id, expected, state) in [
        ("at", CriterionResult::NotMet, CandidateState::Identified),
        ("above", CriterionResult::Met, CandidateState::Qualified),
        ("unscored", CriterionResult::NotKnown, CandidateState::Identified),
    ] {
        let candidate = harness.candidate_of(id).await;
        assert_eq!((result_of(&candidate, CriterionKind::Health), candidate.state()), (expected, state), "{id}");
    }
}

#[tokio::test]
async fn r162_85_percent_of_capacity_is_a_need_and_a_hair_less_is_not() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    for (id, used) in [("at", 8_500.0), ("below", 8_499.0)] {
        harness.tell_account(id).await;
        harness.tell_score(id, 90.0).await;
        harness.tell_usage(id, "1997-01", 8_000.0).await;
        harness.tell_usage(id, "1997-02", used).await;
    }
    harness.turn_to(REVIEW).await;
    let (at, below) = (harness.candidate_of("at").await, harness.candidate_of("below").await);
    assert_eq!(result_of(&at, CriterionKind::Usage), CriterionResult::Met);
    assert_eq!(result_of(&below, CriterionKind::Usage), CriterionResult::NotMet);
    assert_eq!((at.state(), below.state()), (CandidateState::Qualified, CandidateState::Identified));
    let usage = at.criteria.iter().find(|one| one.kind() == CriterionKind::Usage).expect("it");
    assert_eq!((usage.value, usage.threshold), (Some(0.85), Some(0.85)));
}

#[tokio::test]
async fn r165_a_billing_issue_of_the_last_90_days_keeps_a_chance_from_being_qualified() {
    let mut harness = Harness::start("1996-12-01").await;
    harness.tell_ripe("recent").await;
    harness.tell_ripe("old").await;
    let payment = scoring::RiskTriggerKind::PaymentFailed;
    for id in ["recent", "old"] {
        harness.tell_raised(id, payment, "invoice-1").await;
    }
    // 90 days before the review, to the second, and one second later.
    harness.turn_to("1996-12-03T00:00:00Z").await;
    harness.tell_cleared("old", payment, "invoice-1").await;
    harness.turn_to("1996-12-03T00:00:01Z").await;
    harness.tell_cleared("recent", payment, "invoice-1").await;
    harness.turn_to(REVIEW).await;
    let (recent, old) = (harness.candidate_of("recent").await, harness.candidate_of("old").await);
    assert_eq!(result_of(&recent, CriterionKind::Budget), CriterionResult::NotMet);
    assert_eq!(result_of(&old, CriterionKind::Budget), CriterionResult::Met);
    assert_eq!((recent.state(), old.state()), (CandidateState::Identified, CandidateState::Qualified));
    let budget = recent.criteria.iter().find(|one| one.kind() == CriterionKind::Budget).expect("it");
    assert_eq!(budget.evidence, "a failed or overdue payment from 1996-12-01 ended on 1996-12-03");
}

#[tokio::test]
async fn r166_answers_within_90_days_are_told_from_silence_and_from_nothing_known() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    for id in ["answers", "writes", "silent", "untouched", "long_ago"] {
        harness.tell_ripe(id).await;
    }
    harness.tell_touch("answers", "t1", "1997-02-01T00:00:00Z", false, false).await;
    harness.tell_touch("answers", "t2", "1997-02-02T00:00:00Z", false, true).await;
    harness.tell_touch("writes", "t3", "1997-02-01T00:00:00Z", true, false).await;
    harness.tell_touch("silent", "t4", "1997-02-01T00:00:00Z", false, false).await;
    harness.tell_touch("long_ago", "t5", "1996-12-03T00:00:00Z", false, true).await;
    harness.turn_to(REVIEW).await;
    for (id, expected, state) in [
        ("answers", CriterionResult::Met, CandidateState::Qualified),
        ("writes", CriterionResult::Met, CandidateState::Qualified),
        ("silent", CriterionResult::NotMet, CandidateState::Identified),
        ("untouched", CriterionResult::NotKnown, CandidateState::Qualified),
        ("long_ago", CriterionResult::NotKnown, CandidateState::Qualified),
    ] {
        let candidate = harness.candidate_of(id).await;
        assert_eq!(
            (result_of(&candidate, CriterionKind::Responsiveness), candidate.state()),
            (expected, state),
            "{id}"
        );
    }
    // The contact is told again, now that it was answered; the next review knows.
    harness.tell_touch("silent", "t4", "1997-02-01T00:00:00Z", false, true).await;
    harness.tell_usage("silent", "1997-03", 9_000.0).await;
    harness.turn_to("1997-04-03").await;
    assert_eq!(harness.candidate_of("silent").await.state(), CandidateState::Qualified);
}

#[tokio::test]
async fn a_report_that_cannot_be_read_is_passed_over_and_holds_up_nothing() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    harness.tell_usage("acme", "1997-13", 9_000.0).await;
    harness.tell_usage_as("acme", "1997-02", vec![limit("emails", Some(9_000.0), 0.0)], 5, None).await;
    harness.tell_usage_as("acme", "1997-02", vec![limit("emails", Some(f64::NAN), 10.0)], 5, None).await;
    harness.tell_usage("acme", "1997-01", 9_000.0).await;
    harness.tell_usage("acme", "1997-02", 8_000.0).await;
    harness.turn_to(REVIEW).await;
    assert_eq!(harness.candidate_of("acme").await.used, Some(8_000.0));
}

#[tokio::test]
async fn a_chance_is_explained_by_its_months_and_each_criterion() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    harness.tell_ripe("acme").await;
    harness.turn_to(REVIEW).await;
    let name = "accounts/acme/candidates/emails".to_owned();
    let request = proto::ExplainCandidateRequest { name };
    let explained = harness.qualification.explain_candidate(request).await.expect("it").into_inner();
    let months: Vec<_> = explained.months.iter().map(|month| (month.month.as_str(), month.near_limit)).collect();
    assert_eq!(months, [("1997-02", true), ("1997-01", true)]);
    assert_eq!(
        explained.reasons,
        [
            "2 months in a row up to 1997-02 at 80 % of the limit of `emails` or more",
            "need usage: met: 9000 of 10000 `emails` were used in 1997-02 (90.00 %)",
            "need team growth: not met: 5 active users on 10 seats in 1997-02, 10 seats in 1997-01",
            "need feature need: not known: nobody has told of a need of features",
            "gate budget: met: no billing issue in the last 90 days",
            "gate health: met: the score is 90.00",
            "gate responsiveness: not known: nobody was in touch in the last 90 days",
            "qualified",
        ]
    );
    let request = proto::ExplainCandidateRequest { name: "accounts/acme/candidates/calls".to_owned() };
    let refused = harness.qualification.explain_candidate(request).await.expect_err("no such chance");
    assert_eq!(reason(&refused), "CANDIDATE_NOT_FOUND");
}
