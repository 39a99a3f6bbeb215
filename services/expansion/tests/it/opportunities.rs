//! Opportunities from being found to being won, lost or put off.

use mainstay_api::mainstay::expansion::v1 as proto;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_testkit::idempotency::assert_repeatable;
use proto::OpportunityStage as Stage;
use proto::{LostReason, OpportunityStage, TimelineKind};
use tonic::Code;

use crate::harness::{Harness, account, at, euros, stamp};
use crate::refusals::{fields, missing, reason};

const BEFORE_REVIEW: &str = "1997-03-02T12:00:00Z";
const REVIEW: &str = "1997-03-03";

async fn harness_with_opportunity() -> (Harness, String) {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    harness.tell_ripe("acme").await;
    harness.turn_to(REVIEW).await;
    let name = harness.opportunity_of("acme").await.name;
    (harness, name)
}

fn creation(id: &str, metric: &str) -> proto::CreateOpportunityRequest {
    proto::CreateOpportunityRequest {
        account: format!("accounts/{id}"),
        metric: metric.to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn r172_an_opportunity_goes_from_stage_to_stage_to_won_and_each_step_is_told() {
    let (mut harness, name) = harness_with_opportunity().await;
    let won = harness.win(&name).await;
    assert_eq!((won.stage(), won.close_time), (OpportunityStage::Won, Some(stamp(at(REVIEW)))));
    harness.settle().await;
    assert_eq!(harness.count_of("OpportunityOpened").await, 1);
    assert_eq!(harness.count_of("OpportunityStageChanged").await, 5);
    assert_eq!(harness.count_of("OpportunityWon").await, 1);
    let request = proto::ListTimelineRequest { opportunity: name, ..Default::default() };
    let timeline = harness.opportunities.list_timeline(request).await.expect("a timeline").into_inner().entries;
    let moves: Vec<_> = timeline
        .iter()
        .filter(|entry| entry.kind() != TimelineKind::Checklist)
        .map(|entry| (entry.kind(), entry.from_stage(), entry.to_stage()))
        .collect();
    assert_eq!(
        moves,
        [
            (TimelineKind::Opened, Stage::Unspecified, Stage::Unspecified),
            (TimelineKind::Advanced, Stage::Identified, Stage::DataPrepared),
            (TimelineKind::Advanced, Stage::DataPrepared, Stage::FirstConversation),
            (TimelineKind::Advanced, Stage::FirstConversation, Stage::Proposal),
            (TimelineKind::Advanced, Stage::Proposal, Stage::Decision),
            (TimelineKind::Advanced, Stage::Decision, Stage::Closing),
            (TimelineKind::Won, Stage::Closing, Stage::Won),
        ]
    );
    assert!(timeline.iter().zip(1..).all(|(entry, number)| entry.number == number));
}

#[tokio::test]
async fn r172_a_move_that_is_not_allowed_is_refused_with_everything_that_is_missing() {
    let (mut harness, name) = harness_with_opportunity().await;
    let advance = proto::AdvanceOpportunityRequest {
        name: name.clone(),
        to_stage: OpportunityStage::Proposal.into(),
        ..Default::default()
    };
    let refused = harness.opportunities.advance_opportunity(advance).await.expect_err("refused");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "MOVE_NOT_ALLOWED"));
    let kinds: Vec<String> = missing(&refused).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["STAGE", "CHECKLIST", "CHECKLIST", "CHECKLIST", "CHECKLIST"]);
    let win = proto::WinOpportunityRequest { name: name.clone(), ..Default::default() };
    let refused = harness.opportunities.win_opportunity(win).await.expect_err("not from here");
    assert_eq!(missing(&refused)[0].1, "it is in the stage identified: it is won from closing");
    let resume = proto::ResumeOpportunityRequest { name: name.clone(), ..Default::default() };
    let refused = harness.opportunities.resume_opportunity(resume).await.expect_err("not postponed");
    assert_eq!(missing(&refused)[0].1, "it is in the stage identified and not postponed");
    harness.lose(&name).await;
    let hand_over = proto::HandOverOpportunityRequest { name, ..Default::default() };
    let refused = harness.opportunities.hand_over_opportunity(hand_over).await.expect_err("closed");
    assert_eq!(missing(&refused)[0].1, "it is lost: closed opportunities do not change");
}

#[tokio::test]
async fn r172_handed_over_to_sales_it_has_another_owner_and_says_who_gave_it() {
    let (mut harness, name) = harness_with_opportunity().await;
    let hand_over = |to: &str| proto::HandOverOpportunityRequest {
        name: name.clone(),
        to_email: to.to_owned(),
        note: "they want a yearly contract".to_owned(),
        ..Default::default()
    };
    let handed = harness.opportunities.hand_over_opportunity(hand_over("")).await.expect("handed").into_inner();
    assert_eq!(handed.owner_email, "sam@example.com", "the account manager");
    let record = handed.hand_over.expect("a record");
    assert_eq!((record.from_email.as_str(), record.to_email.as_str()), ("mia@example.com", "sam@example.com"));
    assert!(!record.handed_over_by.is_empty());
    let handed = harness.opportunities.hand_over_opportunity(hand_over("joe@example.com")).await.expect("handed");
    assert_eq!(handed.into_inner().owner_email, "joe@example.com");
    harness.settle().await;
    assert_eq!(harness.count_of("OpportunityHandedOver").await, 2);

    harness
        .tell_account_as("lone", mainstay_api::mainstay::scoring::v1::Account { owners: vec![], ..account("lone") })
        .await;
    harness.settle().await;
    let lone = harness.opportunities.create_opportunity(creation("lone", "emails")).await.expect("opened").into_inner();
    let request = proto::HandOverOpportunityRequest { name: lone.name, ..Default::default() };
    let refused = harness.opportunities.hand_over_opportunity(request).await.expect_err("to nobody");
    assert_eq!(reason(&refused), "SALES_OWNER_MISSING");
}

#[tokio::test]
async fn a_stage_that_is_late_is_told_once_with_its_owner_and_again_for_the_next() {
    let (mut harness, name) = harness_with_opportunity().await;
    harness.turn_to("1997-03-09T23:59:59Z").await;
    assert_eq!(harness.count_of("OpportunityOverdue").await, 0);
    harness.turn_to("1997-03-10").await;
    harness.pass_days(20).await;
    assert_eq!(harness.count_of("OpportunityOverdue").await, 1);
    let late = harness.opportunity_of("acme").await;
    assert_eq!(late.overdue_time, Some(stamp(at("1997-03-10"))));
    let advanced = harness.advance(&name).await;
    assert_eq!((advanced.overdue_time, advanced.due_time), (None, Some(stamp(at("1997-04-06")))));
    harness.turn_to("1997-04-06").await;
    assert_eq!(harness.count_of("OpportunityOverdue").await, 2);
}

#[tokio::test]
async fn what_was_put_off_goes_on_by_itself_at_its_time() {
    let (mut harness, name) = harness_with_opportunity().await;
    harness.advance(&name).await;
    let postpone = |until: &str| proto::PostponeOpportunityRequest {
        name: name.clone(),
        until_time: Some(stamp(at(until))),
        note: "new budget in May".to_owned(),
        ..Default::default()
    };
    let refused = harness.opportunities.postpone_opportunity(postpone(REVIEW)).await.expect_err("not in the future");
    assert_eq!(fields(&refused), ["until_time"]);
    let postponed = harness.opportunities.postpone_opportunity(postpone("1997-05-01")).await.expect("it").into_inner();
    assert_eq!(
        (postponed.stage(), postponed.postponed_stage()),
        (OpportunityStage::Postponed, OpportunityStage::DataPrepared)
    );
    harness.turn_to("1997-04-30T23:59:59Z").await;
    assert_eq!(harness.opportunity_of("acme").await.stage(), OpportunityStage::Postponed);
    harness.turn_to("1997-05-01").await;
    let awake = harness.opportunity_of("acme").await;
    assert_eq!((awake.stage(), awake.due_time), (OpportunityStage::DataPrepared, Some(stamp(at("1997-05-08")))));
    assert_eq!(harness.count_of("OpportunityOverdue").await, 0, "waiting was agreed on");

    harness.opportunities.postpone_opportunity(postpone("1997-06-01")).await.expect("again");
    let resume = proto::ResumeOpportunityRequest { name: name.clone(), ..Default::default() };
    let resumed = harness.opportunities.resume_opportunity(resume).await.expect("earlier").into_inner();
    assert_eq!(resumed.stage(), OpportunityStage::DataPrepared);
}

#[tokio::test]
async fn a_lost_one_has_a_reason_and_its_chance_rests_for_90_days() {
    let (mut harness, name) = harness_with_opportunity().await;
    let lose = |reason: LostReason, note: &str| proto::LoseOpportunityRequest {
        name: name.clone(),
        reason: reason.into(),
        note: note.to_owned(),
        ..Default::default()
    };
    let refused = harness.opportunities.lose_opportunity(lose(LostReason::Unspecified, "")).await.expect_err("why?");
    assert_eq!(fields(&refused), ["reason"]);
    let refused = harness.opportunities.lose_opportunity(lose(LostReason::Other, "")).await.expect_err("what?");
    assert_eq!(fields(&refused), ["note"]);
    let lost = harness.opportunities.lose_opportunity(lose(LostReason::Competitor, "took X")).await.expect("lost");
    assert_eq!(lost.into_inner().lost_reason(), LostReason::Competitor);

    for (month, review) in [("1997-03", "1997-04-03"), ("1997-04", "1997-05-03")] {
        harness.tell_usage("acme", month, 9_500.0).await;
        harness.turn_to(review).await;
        let candidate = harness.candidate_of("acme").await;
        assert_eq!(candidate.rest_end_time, Some(stamp(at("1997-06-01"))), "{month}");
        assert_eq!(harness.opportunities_of("acme").await.len(), 1, "{month}");
    }
    harness.tell_usage("acme", "1997-05", 9_500.0).await;
    harness.turn_to("1997-06-03").await;
    assert_eq!(harness.opportunities_of("acme").await.len(), 2, "it has rested");
    assert_eq!(harness.candidate_of("acme").await.rest_end_time, None);
}

#[tokio::test]
async fn there_is_one_open_opportunity_for_an_account_and_metric() {
    let (mut harness, name) = harness_with_opportunity().await;
    let refused = harness.opportunities.create_opportunity(creation("acme", "emails")).await.expect_err("one is open");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::AlreadyExists, "OPPORTUNITY_EXISTS"));
    harness.opportunities.create_opportunity(creation("acme", "calls")).await.expect("another metric");
    harness.lose(&name).await;
    let again = harness.opportunities.create_opportunity(creation("acme", "emails")).await.expect("by hand, at once");
    assert_eq!(harness.opportunities_of("acme").await.len(), 3);
    assert_eq!(again.into_inner().criteria.len(), 6, "the criteria of its chance go with it");
    let refused = harness.opportunities.create_opportunity(creation("nobody", "emails")).await.expect_err("unknown");
    assert_eq!(reason(&refused), "ACCOUNT_NOT_FOUND");
}

#[tokio::test]
async fn nothing_new_is_sold_to_a_customer_who_is_gone() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    let left = scoring::LifecycleStage::Churned.into();
    harness.tell_account_as("left", scoring::Account { lifecycle_stage: left, ..account("left") }).await;
    harness
        .tell_account_as("archived", scoring::Account { archive_time: Some(stamp(at(REVIEW))), ..account("archived") })
        .await;
    harness.settle().await;
    for id in ["left", "archived"] {
        let refused = harness.opportunities.create_opportunity(creation(id, "emails")).await.expect_err("gone");
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "ACCOUNT_GONE"), "{id}");
        assert_eq!(harness.opportunities_of(id).await, []);
    }
}

#[tokio::test]
async fn owner_plan_and_gain_are_changed_by_their_mask_and_not_by_an_old_etag() {
    let (mut harness, name) = harness_with_opportunity().await;
    let before = harness.opportunity_of("acme").await;
    let update = |paths: &[&str], etag: &str| proto::UpdateOpportunityRequest {
        opportunity: Some(proto::Opportunity {
            name: name.clone(),
            owner_email: "eva@example.com".to_owned(),
            target_plan: "plans/business".to_owned(),
            expected_gain: Some(euros(50_000)),
            ..Default::default()
        }),
        update_mask: Some(prost_types::FieldMask { paths: paths.iter().map(ToString::to_string).collect() }),
        etag: etag.to_owned(),
        ..Default::default()
    };
    let changed = harness.opportunities.update_opportunity(update(&["expected_gain"], &before.etag)).await;
    let changed = changed.expect("changed").into_inner();
    assert_eq!((changed.expected_gain, changed.owner_email.as_str()), (Some(euros(50_000)), "mia@example.com"));
    let refused =
        harness.opportunities.update_opportunity(update(&["owner_email"], &before.etag)).await.expect_err("old");
    assert_eq!(reason(&refused), "ETAG_MISMATCH");
    let all = harness.opportunities.update_opportunity(update(&[], "")).await.expect("changed").into_inner();
    assert_eq!((all.owner_email.as_str(), all.target_plan.as_str()), ("eva@example.com", "plans/business"));
    let same = harness.opportunities.update_opportunity(update(&[], "")).await.expect("nothing new").into_inner();
    assert_eq!(same.etag, all.etag);
    let refused = harness.opportunities.update_opportunity(update(&["stage"], "")).await.expect_err("no such field");
    assert_eq!(fields(&refused), ["update_mask"]);
}

#[tokio::test]
async fn policies_are_versioned_and_hold_for_those_who_enter_the_stage_later() {
    let (mut harness, name) = harness_with_opportunity().await;
    let item =
        proto::ChecklistItem { id: "call".to_owned(), text: "Call".to_owned(), required: true, ..Default::default() };
    let policy = proto::StagePolicy {
        stage: OpportunityStage::DataPrepared.into(),
        due_days: 3,
        items: vec![item],
        ..Default::default()
    };
    let request = proto::SetStagePolicyRequest { policy: Some(policy), ..Default::default() };
    let set = harness.opportunities.set_stage_policy(request.clone()).await.expect("set").into_inner();
    assert_eq!(set.version, 1);
    assert_eq!(harness.opportunities.set_stage_policy(request).await.expect("set").into_inner().version, 2);
    assert_eq!(harness.opportunity_of("acme").await.checklist.len(), 4, "what it entered its stage with");
    let advanced = harness.advance(&name).await;
    assert_eq!(advanced.checklist.len(), 1);
    assert_eq!(advanced.due_time, Some(stamp(at("1997-03-06"))));
    let policies = harness.opportunities.list_stage_policies(proto::ListStagePoliciesRequest {}).await.expect("them");
    let versions: Vec<i32> = policies.into_inner().policies.iter().map(|policy| policy.version).collect();
    assert_eq!(versions, [0, 2, 0, 0, 0, 0]);
}

#[tokio::test]
async fn mutations_of_opportunities_may_be_sent_twice() {
    let (harness, _) = harness_with_opportunity().await;
    let metrics = ["calls", "texts", "faxes"];
    let count = async || u64::try_from(stored_count(&harness).await).expect("not negative");
    let call = async |request_id: String, content: usize| {
        let request = proto::CreateOpportunityRequest { request_id, ..creation("acme", metrics[content]) };
        Ok(harness.opportunities.clone().create_opportunity(request).await?.into_inner())
    };
    assert_repeatable(call, count).await;
}

async fn stored_count(harness: &Harness) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM expansion.opportunities")
        .fetch_one(harness.database.pool())
        .await
        .expect("a count")
}
