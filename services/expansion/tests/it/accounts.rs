//! What accounts mean to their opportunities: owners, and their end.

use mainstay_api::mainstay::expansion::v1 as proto;
use mainstay_api::mainstay::scoring::v1 as scoring;
use proto::{CandidateState, LostReason, OpportunityStage};

use crate::harness::{Harness, account};

const BEFORE_REVIEW: &str = "1997-03-02T12:00:00Z";
const REVIEW: &str = "1997-03-03";

#[tokio::test]
async fn each_opportunity_has_an_owner_and_a_fallback_gives_way_to_the_first_that_is_named() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    for id in ["csm", "manager", "nobody"] {
        harness.tell_ripe(id).await;
    }
    let mut manager_only = account("manager");
    manager_only.owners.retain(|owner| owner.role() == scoring::OwnerRole::AccountManager);
    harness.tell_account_as("manager", manager_only).await;
    harness.tell_account_as("nobody", scoring::Account { owners: vec![], ..account("nobody") }).await;
    harness.turn_to(REVIEW).await;
    for (id, email, is_fallback) in [
        ("csm", "mia@example.com", false),
        ("manager", "sam@example.com", false),
        ("nobody", "customer-success@localhost", true),
    ] {
        let opportunity = harness.opportunity_of(id).await;
        assert_eq!((opportunity.owner_email.as_str(), opportunity.owner_is_fallback), (email, is_fallback), "{id}");
    }
    for id in ["csm", "nobody"] {
        let mut changed = account(id);
        changed.owners[0].email = "eva@example.com".to_owned();
        harness.tell_account_as(id, changed).await;
    }
    harness.settle().await;
    let (csm, nobody) = (harness.opportunity_of("csm").await, harness.opportunity_of("nobody").await);
    assert_eq!(csm.owner_email, "mia@example.com", "who works on it goes on");
    assert_eq!((nobody.owner_email.as_str(), nobody.owner_is_fallback), ("eva@example.com", false));
}

#[tokio::test]
async fn with_the_customer_its_opportunities_are_lost_and_its_chances_lapse() {
    let mut harness = Harness::start(BEFORE_REVIEW).await;
    for id in ["churned", "archived"] {
        harness.tell_ripe(id).await;
    }
    harness.turn_to(REVIEW).await;
    let churned = scoring::Account { lifecycle_stage: scoring::LifecycleStage::Churned.into(), ..account("churned") };
    harness.tell_account_as("churned", churned).await;
    let archive_time = Some(crate::harness::stamp(crate::harness::at(REVIEW)));
    harness.tell_account_as("archived", scoring::Account { archive_time, ..account("archived") }).await;
    harness.settle().await;
    for id in ["churned", "archived"] {
        let opportunity = harness.opportunity_of(id).await;
        assert_eq!(
            (opportunity.stage(), opportunity.lost_reason()),
            (OpportunityStage::Lost, LostReason::Churned),
            "{id}"
        );
        assert_eq!(harness.candidate_of(id).await.state(), CandidateState::Lapsed, "{id}");
    }
    assert_eq!(harness.count_of("OpportunityLost").await, 2);
}
