//! The monthly review: when it runs, over whom, once.

use mainstay_api::mainstay::expansion::v1 as proto;
use proto::{CandidateState, ReviewState};

use crate::harness::{Harness, at};
use crate::refusals::{fields, reason};

const BEFORE_REVIEW: &str = "1997-03-02T12:00:00Z";
const REVIEW: &str = "1997-03-03";

async fn review(harness: &mut Harness, month: &str) -> proto::Review {
    let request = proto::GetReviewRequest { name: format!("reviews/{month}") };
    harness.qualification.get_review(request).await.expect("a review").into_inner()
}

#[tokio::test]
async fn r157_a_review_runs_by_itself_on_the_third_day_after_each_month() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    harness.tell_ripe("acme").await;
    harness.turn_to("1997-03-02T23:59:59Z").await;
    let request = proto::GetReviewRequest { name: "reviews/1997-02".to_owned() };
    let early = harness.qualification.get_review(request).await.expect_err("not yet");
    assert_eq!(reason(&early), "REVIEW_NOT_FOUND");

    harness.turn_to(REVIEW).await;
    let done = review(&mut harness, "1997-02").await;
    assert_eq!(done.state(), ReviewState::Done);
    assert_eq!((done.account_count, done.identified_count, done.qualified_count, done.opened_count), (1, 1, 1, 1));
    assert_eq!(harness.candidate_of("acme").await.state(), CandidateState::Qualified);
    assert_eq!(harness.opportunity_of("acme").await.metric, "emails");

    harness.turn_to("1997-05-10").await;
    for month in ["1997-03", "1997-04"] {
        let caught_up = review(&mut harness, month).await;
        assert_eq!(caught_up.state(), ReviewState::Done, "{month} was missed while nothing ran, and is caught up");
    }
    assert_eq!(harness.count_of("ReviewCompleted").await, 3);
}

#[tokio::test]
async fn r157_a_review_goes_through_more_accounts_than_one_transaction_takes_each_once() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    for number in 0..230 {
        let id = format!("a{number:03}");
        let used = if number % 10 == 0 { 9_000.0 } else { 10.0 };
        harness.tell_usage(&id, "1997-01", used).await;
        harness.tell_usage(&id, "1997-02", used).await;
    }
    harness.turn_to(REVIEW).await;
    let done = review(&mut harness, "1997-02").await;
    assert_eq!((done.account_count, done.identified_count, done.unreported_count), (230, 23, 0));
    assert_eq!(harness.count_of("ReviewCompleted").await, 1);
    assert_eq!(harness.count_of("CandidateChanged").await, 23);
}

#[tokio::test]
async fn r157_a_review_asked_for_twice_and_by_the_timer_is_one_review() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    harness.tell_ripe("acme").await;
    harness.settle().await;
    let run = || proto::RunReviewRequest { month: "1997-02".to_owned(), ..Default::default() };
    let first = harness.qualification.run_review(run()).await.expect("begun").into_inner();
    assert_eq!((first.state(), first.account_count), (ReviewState::Running, 0));
    harness.settle().await;
    let again = harness.qualification.run_review(run()).await.expect("the same").into_inner();
    assert_eq!((again.state(), again.account_count), (ReviewState::Done, 1));
    harness.turn_to("1997-03-04").await;
    assert_eq!(review(&mut harness, "1997-02").await.end_time, again.end_time, "the timer found it done");
    assert_eq!(harness.count_of("ReviewCompleted").await, 1);
    assert_eq!(harness.count_of("OpportunityOpened").await, 1);
}

#[tokio::test]
async fn r157_usage_that_comes_late_is_reviewed_when_it_comes() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    harness.tell_account("acme").await;
    harness.tell_score("acme", 90.0).await;
    harness.tell_usage("acme", "1997-01", 9_000.0).await;
    harness.turn_to(REVIEW).await;
    assert_eq!(review(&mut harness, "1997-02").await.account_count, 0);
    harness.tell_usage("acme", "1997-02", 9_000.0).await;
    harness.settle().await;
    let late = review(&mut harness, "1997-02").await;
    assert_eq!((late.account_count, late.qualified_count, late.opened_count), (1, 1, 1));
    // The same again changes nothing.
    harness.tell_usage("acme", "1997-02", 9_000.0).await;
    harness.settle().await;
    assert_eq!(review(&mut harness, "1997-02").await.opened_count, 1);
    assert_eq!(harness.count_of("OpportunityOpened").await, 1);
}

#[tokio::test]
async fn r157_a_chance_without_a_report_of_the_month_is_looked_at_too() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    harness.tell_account("acme").await;
    harness.tell_usage("acme", "1997-01", 8_100.0).await;
    harness.tell_usage("acme", "1997-02", 8_100.0).await;
    harness.turn_to("1997-04-03").await;
    let march = review(&mut harness, "1997-03").await;
    assert_eq!((march.account_count, march.unreported_count), (1, 1));
    assert_eq!(harness.candidate_of("acme").await.state(), CandidateState::Lapsed);
    harness.tell_usage("acme", "1997-03", 8_100.0).await;
    harness.settle().await;
    let march = review(&mut harness, "1997-03").await;
    assert_eq!((march.account_count, march.unreported_count), (1, 0));
    assert_eq!(harness.candidate_of("acme").await.consecutive_months, 3);
}

#[tokio::test]
async fn r157_a_review_goes_on_where_a_stopped_service_left_it() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    for number in 0..150 {
        harness.tell_usage(&format!("a{number:03}"), "1997-01", 9_000.0).await;
        harness.tell_usage(&format!("a{number:03}"), "1997-02", 9_000.0).await;
    }
    harness.settle().await;
    harness.clock.set(at(REVIEW));
    let run = proto::RunReviewRequest { month: "1997-02".to_owned(), ..Default::default() };
    harness.qualification.run_review(run).await.expect("begun");
    harness.restart().await;
    assert_eq!(review(&mut harness, "1997-02").await.state(), ReviewState::Running);
    harness.settle().await;
    let done = review(&mut harness, "1997-02").await;
    assert_eq!((done.state(), done.account_count, done.identified_count), (ReviewState::Done, 150, 150));
    assert_eq!(harness.count_of("CandidateChanged").await, 150);
}

#[tokio::test]
async fn a_month_that_is_not_over_is_not_reviewed() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    for month in ["1997-03", "1998-01", "1997-3", "x"] {
        let request = proto::RunReviewRequest { month: month.to_owned(), ..Default::default() };
        let refused = harness.qualification.run_review(request).await.expect_err("refused");
        assert_eq!((reason(&refused).as_str(), fields(&refused)), ("INVALID_FIELDS", vec!["month".to_owned()]));
    }
    let last = harness.qualification.run_review(proto::RunReviewRequest::default()).await.expect("the last month");
    assert_eq!(last.into_inner().name, "reviews/1997-02");
}
