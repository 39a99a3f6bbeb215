//! Targets of adoption: set, set anew, deleted and refused.

use mainstay_api::mainstay::scoring::v1 as proto;
use proto::adoption_target::Outcome;
use proto::{OutcomeGroup, Segment};
use tonic::Code;

use crate::account_fixtures::time;
use crate::adoption_fixtures::{client, milestone, set, target};
use crate::harness::{Harness, account};
use crate::refusals::{reason, violated_fields};

fn live() -> Outcome {
    Outcome::Milestone("live".to_owned())
}

async fn acme() -> Harness {
    let mut harness = Harness::start("2026-03-01T12:00:00Z").await;
    let accounts = vec![proto::Account {
        segment: Segment::Smb.into(),
        activation_time: Some(time("2026-01-01")),
        ..account("acme")
    }];
    let request = proto::BatchUpsertAccountsRequest { accounts, ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("accounts");
    harness.record(vec![milestone("acme", "2026-01-05", "live")]).await;
    harness
}

async fn group(harness: &Harness) -> OutcomeGroup {
    let request = proto::GetAccountAdoptionRequest { account: "accounts/acme".to_owned() };
    client(harness).get_account_adoption(request).await.expect("adoption").into_inner().group()
}

async fn listed(harness: &Harness) -> Vec<proto::AdoptionTarget> {
    let request = proto::ListAdoptionTargetsRequest {};
    client(harness).list_adoption_targets(request).await.expect("targets").into_inner().adoption_targets
}

async fn delete(harness: &Harness, id: &str, request_id: &str) -> Result<(), tonic::Status> {
    let request =
        proto::DeleteAdoptionTargetRequest { name: format!("adoptionTargets/{id}"), request_id: request_id.to_owned() };
    client(harness).delete_adoption_target(request).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn r73_a_target_that_is_set_anew_or_deleted_is_so_for_all_accounts() {
    let harness = acme().await;
    assert_eq!(group(&harness).await, OutcomeGroup::NoTarget);
    let kept = set(&harness, target("live", live())).await;
    assert_eq!(listed(&harness).await, std::slice::from_ref(&kept));
    assert_eq!(group(&harness).await, OutcomeGroup::Achieved);

    let other = proto::AdoptionTarget { outcome: Some(Outcome::Milestone("expert".to_owned())), ..kept.clone() };
    let other = set(&harness, other).await;
    assert_eq!(listed(&harness).await, [other]);
    assert_eq!(group(&harness).await, OutcomeGroup::Behind);

    set(&harness, proto::AdoptionTarget { segments: vec![Segment::Enterprise.into()], ..kept.clone() }).await;
    assert_eq!(group(&harness).await, OutcomeGroup::NoTarget, "not its own any more");

    set(&harness, kept).await;
    delete(&harness, "live", "").await.expect("deleted");
    assert_eq!((group(&harness).await, listed(&harness).await.len()), (OutcomeGroup::NoTarget, 0));
}

#[tokio::test]
async fn a_repeated_call_changes_nothing_and_is_answered_as_the_first() {
    let harness = acme().await;
    let request = proto::SetAdoptionTargetRequest {
        adoption_target: Some(target("live", live())),
        request_id: "0198c0de-0000-7000-8000-000000000001".to_owned(),
        validate_only: false,
    };
    let first = client(&harness).set_adoption_target(request.clone()).await.expect("set").into_inner();
    harness.clock.set(crate::harness::at("2026-03-02"));
    let again = client(&harness).set_adoption_target(request).await.expect("set").into_inner();
    assert_eq!(first, again);
    let request_id = "0198c0de-0000-7000-8000-000000000002";
    delete(&harness, "live", request_id).await.expect("deleted");
    delete(&harness, "live", request_id).await.expect("as before");
    let refused = delete(&harness, "live", "").await.expect_err("refused");
    assert_eq!((refused.code(), reason(&refused)), (Code::NotFound, "ADOPTION_TARGET_NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn a_request_that_is_only_checked_changes_nothing() {
    let harness = acme().await;
    let request = proto::SetAdoptionTargetRequest {
        adoption_target: Some(target("live", live())),
        validate_only: true,
        ..Default::default()
    };
    client(&harness).set_adoption_target(request).await.expect("valid");
    assert_eq!(listed(&harness).await, []);
}

#[tokio::test]
async fn a_target_that_cannot_be_is_refused_with_all_that_is_wrong() {
    let harness = acme().await;
    let refused = async |adoption_target: Option<proto::AdoptionTarget>| {
        let request = proto::SetAdoptionTargetRequest { adoption_target, ..Default::default() };
        let refused = client(&harness).set_adoption_target(request).await.expect_err("refused");
        assert_eq!(refused.code(), Code::InvalidArgument);
        violated_fields(&refused)
    };
    assert_eq!(refused(None).await, ["adoption_target"]);
    let wrong = proto::AdoptionTarget {
        name: "targets/x".to_owned(),
        segments: vec![99],
        outcome: Some(Outcome::UsageTotal(proto::UsageTotal { metric: String::new(), quantity: 0 })),
        within_days: 731,
        target_share: 1.5,
        ..Default::default()
    };
    let fields = ["name", "segments[0]", "usage_total.metric", "usage_total.quantity", "within_days", "target_share"];
    assert_eq!(refused(Some(wrong)).await, fields.map(|field| format!("adoption_target.{field}")));
    let without = proto::AdoptionTarget { outcome: None, ..target("live", live()) };
    assert_eq!(refused(Some(without)).await, ["adoption_target.outcome"]);
}

#[tokio::test]
async fn there_are_at_most_twenty_targets_of_which_each_can_be_set_anew() {
    let harness = acme().await;
    let set = async |id: &str| {
        let request =
            proto::SetAdoptionTargetRequest { adoption_target: Some(target(id, live())), ..Default::default() };
        client(&harness).set_adoption_target(request).await
    };
    for number in 0..20 {
        set(&format!("t-{number}")).await.expect("set");
    }
    let refused = set("t-20").await.expect_err("refused");
    assert_eq!(violated_fields(&refused), ["adoption_target.name"]);
    set("t-7").await.expect("set anew");
    delete(&harness, "t-8", "").await.expect("deleted");
    set("t-20").await.expect("set");
}
