//! Lists of candidates, opportunities, reviews and timelines, in pages and narrowed down.

use mainstay_api::mainstay::expansion::v1 as proto;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_testkit::pagination::assert_pages_cover;
use proto::OpportunityStage;
use tonic::Status;

use crate::harness::{Harness, account, at, limit, stamp};

const BEFORE_REVIEW: &str = "1997-03-02T12:00:00Z";
const REVIEW: &str = "1997-03-03";

async fn harness_with(ids: &[&str]) -> Harness {
    let harness = Harness::start(BEFORE_REVIEW).await;
    for id in ids {
        harness.tell_ripe(id).await;
    }
    harness.turn_to(REVIEW).await;
    harness
}

/// Pages of the candidates of a metric, those that lapsed too, by account.
fn candidates_by_page(
    harness: &Harness,
    metric: &str,
) -> impl AsyncFn(i32, String) -> Result<(Vec<String>, String), Status> {
    let (client, metric) = (harness.qualification.clone(), metric.to_owned());
    async move |page_size, page_token| {
        let states = vec![1, 2, 3, 4];
        let metric = metric.clone();
        let request = proto::ListCandidatesRequest { metric, states, page_size, page_token, ..Default::default() };
        let page = client.clone().list_candidates(request).await?.into_inner();
        let names = page.candidates.into_iter().map(|candidate| candidate.account).collect();
        Ok((names, page.next_page_token))
    }
}

fn names(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| format!("accounts/{id}")).collect()
}

#[tokio::test]
async fn candidates_that_are_alike_are_listed_by_account_in_pages() {
    let harness = harness_with(&["c", "a", "B", "d"]).await;
    let expected = names(&["B", "a", "c", "d"]);
    assert_pages_cover(candidates_by_page(&harness, ""), candidates_by_page(&harness, "emails"), &expected).await;
}

#[tokio::test]
async fn r161_the_healthiest_and_most_active_of_the_qualified_are_listed_first() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    for (id, score, active_users) in [
        ("b-quiet", Some(90.0), 5),
        ("c-busy", Some(90.0), 40),
        ("d-healthiest", Some(95.0), 1),
        ("e-not-healthy", Some(85.0), 500),
        ("f-not-healthy-either", Some(85.0), 500),
        ("g-unscored", None, 900),
        ("a-suppressed", Some(99.0), 50),
        ("a-lapsing", Some(98.0), 60),
    ] {
        harness.tell_account(id).await;
        if let Some(score) = score {
            harness.tell_score(id, score).await;
        }
        for month in ["1997-01", "1997-02"] {
            let emails = vec![limit("emails", Some(9_000.0), 10_000.0)];
            harness.tell_usage_as(id, month, emails, active_users, None).await;
        }
    }
    let dispute = scoring::RiskTriggerKind::BillingDispute;
    harness.tell_raised("a-suppressed", dispute, "d1").await;
    harness.turn_to(REVIEW).await;
    let left = scoring::LifecycleStage::Churned.into();
    let churned = scoring::Account { lifecycle_stage: left, ..account("a-lapsing") };
    harness.tell_account_as("a-lapsing", churned).await;
    harness.settle().await;
    let expected = names(&[
        "d-healthiest",
        "c-busy",
        "b-quiet",
        "e-not-healthy",
        "f-not-healthy-either",
        "g-unscored",
        "a-suppressed",
        "a-lapsing",
    ]);
    assert_pages_cover(candidates_by_page(&harness, ""), candidates_by_page(&harness, "emails"), &expected).await;
    let busy = harness.candidate_of("c-busy").await;
    assert_eq!((busy.score, busy.active_user_count), (Some(90.0), Some(40)));
    assert_eq!(harness.candidate_of("g-unscored").await.score, None);

    // A better score counts from the next look on.
    harness.tell_score("b-quiet", 97.0).await;
    harness.tell_account("b-quiet").await;
    harness.settle().await;
    let (listed, _) = candidates_by_page(&harness, "")(2, String::new()).await.expect("a page");
    assert_eq!(listed, names(&["b-quiet", "d-healthiest"]));
}

#[tokio::test]
async fn opportunities_are_listed_by_due_time_those_on_hold_after_them_and_closed_ones_last() {
    let mut harness = harness_with(&["early", "late", "held", "lost", "same"]).await;
    let late = harness.opportunity_of("late").await.name;
    let until_time = Some(stamp(at("1997-06-01")));
    let request = proto::PostponeOpportunityRequest { name: late, until_time, ..Default::default() };
    harness.opportunities.postpone_opportunity(request).await.expect("put off");
    let lost = harness.opportunity_of("lost").await.name;
    harness.lose(&lost).await;
    let kind = scoring::RiskTriggerKind::BillingDispute;
    harness.tell_raised("held", kind, "d1").await;
    harness.settle().await;
    let list = |stages: Vec<i32>| {
        let client = harness.opportunities.clone();
        async move |page_size: i32, page_token: String| {
            let request =
                proto::ListOpportunitiesRequest { stages: stages.clone(), page_size, page_token, ..Default::default() };
            let page = client.clone().list_opportunities(request).await?.into_inner();
            let names: Vec<String> = page.opportunities.into_iter().map(|opportunity| opportunity.account).collect();
            Ok((names, page.next_page_token))
        }
    };
    let all = names(&["early", "same", "late", "held", "lost"]);
    assert_pages_cover(list((1..=9).collect()), list(vec![]), &all).await;
    assert_pages_cover(list(vec![]), list(vec![1]), &all[..4]).await;
    let held = proto::ListOpportunitiesRequest { held_only: true, ..Default::default() };
    let held = harness.opportunities.list_opportunities(held).await.expect("a list").into_inner().opportunities;
    assert_eq!(held.iter().map(|one| one.account.as_str()).collect::<Vec<_>>(), ["accounts/held"]);
    harness.turn_to("1997-03-10").await;
    let overdue = proto::ListOpportunitiesRequest { overdue_only: true, ..Default::default() };
    let overdue = harness.opportunities.list_opportunities(overdue).await.expect("a list").into_inner().opportunities;
    assert!(overdue.iter().all(|one| one.stage() == OpportunityStage::Identified));
    assert_eq!(overdue.len(), 2);
}

#[tokio::test]
async fn timelines_and_reviews_are_listed_in_pages() {
    let mut harness = harness_with(&["a", "b"]).await;
    for id in ["a", "b"] {
        let name = harness.opportunity_of(id).await.name;
        harness.finish_checklist(&name).await;
    }
    let (a, b) = (harness.opportunity_of("a").await.name, harness.opportunity_of("b").await.name);
    let list = |opportunity: String| {
        let client = harness.opportunities.clone();
        async move |page_size: i32, page_token: String| {
            let request = proto::ListTimelineRequest { opportunity: opportunity.clone(), page_size, page_token };
            let page = client.clone().list_timeline(request).await?.into_inner();
            let numbers: Vec<String> = page.entries.into_iter().map(|entry| entry.number.to_string()).collect();
            Ok((numbers, page.next_page_token))
        }
    };
    let expected: Vec<String> = (1..=5).map(|number| number.to_string()).collect();
    assert_pages_cover(list(a), list(b), &expected).await;

    harness.turn_to("1997-06-10").await;
    let page = proto::ListReviewsRequest { page_size: 2, ..Default::default() };
    let first = harness.qualification.list_reviews(page).await.expect("a page").into_inner();
    let page = proto::ListReviewsRequest { page_size: 2, page_token: first.next_page_token };
    let second = harness.qualification.list_reviews(page).await.expect("a page").into_inner();
    let names: Vec<String> = first.reviews.into_iter().chain(second.reviews).map(|review| review.name).collect();
    assert_eq!(names, ["reviews/1997-05", "reviews/1997-04", "reviews/1997-03", "reviews/1997-02"]);
    assert_eq!(second.next_page_token, "");
}
