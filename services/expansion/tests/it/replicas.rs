//! Two replicas at once, and services that end in the middle.

use mainstay_api::mainstay::expansion::v1 as proto;
use mainstay_api::mainstay::scoring::v1 as scoring;
use proto::{OpportunityStage, ReviewState};

use crate::harness::{Harness, at};

const BEFORE_REVIEW: &str = "1997-03-02T12:00:00Z";
const REVIEW: &str = "1997-03-03";

#[tokio::test]
async fn r157_two_replicas_review_each_account_once() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    for number in 0..120 {
        let id = format!("a{number:03}");
        harness.tell_score(&id, 90.0).await;
        harness.tell_usage(&id, "1997-01", 9_000.0).await;
        harness.tell_usage(&id, "1997-02", 9_000.0).await;
    }
    let other = harness.replica().await;
    harness.clock.set(at(REVIEW));
    // A replica may lose against the other, and goes on where both left off.
    let (one, two) = (harness.try_settle(), other.workers());
    let (one, two) = tokio::join!(one, two.settle());
    assert!(one.is_ok() || two.is_ok(), "{one:?} {two:?}");
    harness.settle().await;
    let request = proto::GetReviewRequest { name: "reviews/1997-02".to_owned() };
    let review = harness.qualification.get_review(request).await.expect("it").into_inner();
    assert_eq!((review.state(), review.account_count, review.opened_count), (ReviewState::Done, 120, 120));
    assert_eq!(harness.count_of("OpportunityOpened").await, 120);
    assert_eq!(harness.count_of("ReviewCompleted").await, 1);
}

#[tokio::test]
async fn a_stage_is_told_to_be_late_once_whichever_replica_rings() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    harness.tell_ripe("acme").await;
    harness.turn_to(REVIEW).await;
    let other = harness.replica().await;
    harness.clock.set(at("1997-03-10"));
    let (one, two) = (harness.try_settle(), other.workers());
    let (one, two) = tokio::join!(one, two.settle());
    assert!(one.is_ok() || two.is_ok(), "{one:?} {two:?}");
    harness.settle().await;
    assert_eq!(harness.count_of("OpportunityOverdue").await, 1);
}

#[tokio::test]
async fn of_two_who_advance_at_once_one_is_refused() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    harness.tell_ripe("acme").await;
    harness.turn_to(REVIEW).await;
    let name = harness.opportunity_of("acme").await.name;
    harness.finish_checklist(&name).await;
    let advance = || {
        let mut client = harness.opportunities.clone();
        let request = proto::AdvanceOpportunityRequest {
            name: name.clone(),
            to_stage: OpportunityStage::DataPrepared.into(),
            ..Default::default()
        };
        async move { client.advance_opportunity(request).await }
    };
    let (one, two) = tokio::join!(advance(), advance());
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    harness.settle().await;
    assert_eq!(harness.count_of("OpportunityStageChanged").await, 1);
}

#[tokio::test]
async fn r175_the_whole_way_comes_out_the_same_with_the_service_restarted_at_every_step() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    harness.tell_ripe("acme").await;
    harness.tell_raised("acme", scoring::RiskTriggerKind::HealthAtRisk, "h1").await;
    harness.restart().await;
    harness.turn_to(REVIEW).await;
    harness.restart().await;
    harness.turn_to("1997-03-20").await;
    harness.tell_cleared("acme", scoring::RiskTriggerKind::HealthAtRisk, "h1").await;
    harness.restart().await;
    harness.settle().await;
    let name = harness.opportunity_of("acme").await.name;
    while harness.advance(&name).await.stage() != OpportunityStage::Closing {
        harness.restart().await;
    }
    harness.finish_checklist(&name).await;
    harness.restart().await;
    let win = proto::WinOpportunityRequest { name: name.clone(), request_id: "w".to_owned(), ..Default::default() };
    let won = harness.opportunities.win_opportunity(win.clone()).await.expect("won").into_inner();
    harness.restart().await;
    let again = harness.opportunities.win_opportunity(win).await.expect("as the first time").into_inner();
    assert_eq!((won.stage(), &again), (OpportunityStage::Won, &won));
    harness.settle().await;
    assert_eq!(harness.count_of("OpportunityOpened").await, 1);
    assert_eq!(harness.count_of("OpportunityWon").await, 1);
}
