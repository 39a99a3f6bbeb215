//! Policies: what is due when is data.

use chrono::TimeDelta;
use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_api::mainstay::scoring::v1 as scoring;
use tonic::Code;
use tonic_types::StatusExt;

use crate::at_risk::open;
use crate::harness::{Harness, acme};

const START: &str = "2026-03-01T00:00:00Z";

fn duration(hours: i64) -> prost_types::Duration {
    prost_types::Duration { seconds: hours * 3600, nanos: 0 }
}

fn due_hours(alert: &proto::Alert) -> Vec<i64> {
    let start = alert.alert_time.expect("a time").seconds;
    alert.clocks.iter().map(|clock| (clock.due_time.expect("a time").seconds - start) / 3600).collect()
}

async fn policy(harness: &mut Harness, name: &str) -> proto::Policy {
    let request = proto::GetPolicyRequest { name: name.to_owned(), version: 0 };
    harness.policies.get_policy(request).await.expect("a policy").into_inner()
}

#[tokio::test]
async fn what_is_open_keeps_its_version_and_what_comes_has_the_new_one() {
    let mut harness = Harness::with_acme(START).await;
    harness.raise(harness.failed_payment("in_1", 1)).await;
    harness.settle().await;
    let mut changed = policy(&mut harness, "policies/payment_failed").await;
    changed.clocks = vec![proto::ClockRule {
        step: proto::ClockStep::Acknowledge.into(),
        due_after: Some(duration(1)),
        warn_after: None,
    }];
    let request = proto::UpdatePolicyRequest { policy: Some(changed.clone()), ..Default::default() };
    let stored = harness.policies.update_policy(request.clone()).await.expect("stored").into_inner();
    assert_eq!(stored.version, 2);
    let again = harness.policies.update_policy(request).await;
    assert_eq!(again.map(|answer| answer.into_inner().version).ok(), Some(2), "the same makes no version");
    let stale = proto::Policy { version: 1, reminder_after: Some(duration(12)), ..changed };
    let stale = proto::UpdatePolicyRequest { policy: Some(stale), ..Default::default() };
    let refused = harness.policies.update_policy(stale).await.expect_err("stale");
    assert_eq!(refused.code(), Code::Aborted);

    harness.raise(harness.failed_payment("in_2", 1)).await;
    harness.settle().await;
    let alerts = harness.open_alerts().await;
    let by_subject = |subject: &str| alerts.iter().find(|alert| alert.subject == subject).expect("an alert");
    assert_eq!(due_hours(by_subject("in_1")), [2, 4, 24, 48, 72]);
    assert_eq!(due_hours(by_subject("in_2")), [1]);
    assert_eq!(by_subject("in_2").policy, "policies/payment_failed@2");
}

#[tokio::test]
async fn a_segments_own_policy_goes_before_that_for_all() {
    let mut harness = Harness::with_acme(START).await;
    let smb = proto::Policy {
        name: "policies/inactivity.enterprise".to_owned(),
        version: 0,
        ..policy(&mut harness, "policies/inactivity").await
    };
    let smb = proto::Policy {
        clocks: vec![proto::ClockRule {
            step: proto::ClockStep::Acknowledge.into(),
            due_after: Some(duration(8)),
            warn_after: Some(duration(7)),
        }],
        ..smb
    };
    harness
        .policies
        .update_policy(proto::UpdatePolicyRequest { policy: Some(smb), ..Default::default() })
        .await
        .expect("stored");
    harness.raise(harness.silence()).await;
    harness.settle().await;
    assert_eq!(due_hours(&harness.open_alert().await), [8]);

    let mut other = Harness::start(START).await;
    other.tell_account(scoring::Account { segment: scoring::Segment::Smb.into(), ..acme() }).await;
    other.raise(other.silence()).await;
    other.settle().await;
    assert_eq!(due_hours(&other.open_alert().await), [2, 4, 24, 48, 72]);
    other.pass(TimeDelta::zero()).await;
}

#[tokio::test]
async fn a_policy_is_refused_with_all_that_is_wrong_and_a_preview_writes_nothing() {
    let mut harness = Harness::start(START).await;
    let broken = proto::Policy {
        name: "policies/inactivity".to_owned(),
        owner: 99,
        clocks: vec![
            proto::ClockRule { step: proto::ClockStep::Plan.into(), due_after: Some(duration(0)), warn_after: None },
            proto::ClockRule { step: proto::ClockStep::Task.into(), due_after: None, warn_after: None },
        ],
        ..Default::default()
    };
    let request = proto::UpdatePolicyRequest { policy: Some(broken), ..Default::default() };
    let refused = harness.policies.update_policy(request).await.expect_err("refused");
    let fields: Vec<String> = refused
        .get_details_bad_request()
        .expect("fields")
        .field_violations
        .into_iter()
        .map(|fault| fault.field)
        .collect();
    assert_eq!(fields, ["policy.owner", "policy.clocks[1].due_after"]);

    let mut good = policy(&mut harness, "policies/inactivity").await;
    good.reminder_after = Some(duration(48));
    let preview = proto::UpdatePolicyRequest { policy: Some(good), validate_only: true, ..Default::default() };
    assert_eq!(harness.policies.update_policy(preview).await.expect("a preview").into_inner().version, 2);
    assert_eq!(policy(&mut harness, "policies/inactivity").await.version, 1);
}

#[tokio::test]
async fn there_is_a_policy_for_every_kind_from_the_start() {
    let mut harness = Harness::start(START).await;
    let policies =
        harness.policies.list_policies(proto::ListPoliciesRequest {}).await.expect("policies").into_inner().policies;
    let names: Vec<&str> = policies.iter().map(|policy| policy.name.as_str()).collect();
    assert_eq!(names.len(), 19, "{names:?}");
    let missing = proto::GetPolicyRequest { name: "policies/inactivity.smb".to_owned(), version: 0 };
    let status = harness.policies.get_policy(missing).await.expect_err("none");
    assert_eq!(status.get_details_error_info().expect("info").reason, "POLICY_NOT_FOUND");
}

#[tokio::test]
async fn a_deadline_that_nobody_could_ever_meet_is_refused() {
    let mut harness = Harness::with_acme(START).await;
    for (name, step) in [
        ("policies/payment_failed", proto::ClockStep::RootCause),
        ("policies/case_at_risk", proto::ClockStep::Acknowledge),
        ("policies/case_detractor", proto::ClockStep::EscalateToDirector),
    ] {
        let mut changed = policy(&mut harness, name).await;
        let warn_after = Some(duration(1));
        changed.clocks.push(proto::ClockRule { step: step.into(), due_after: Some(duration(2)), warn_after });
        let place = changed.clocks.len() - 1;
        let request = proto::UpdatePolicyRequest { policy: Some(changed), ..Default::default() };
        let refused = harness.policies.update_policy(request).await.expect_err(name);
        let faults = refused.get_details_bad_request().expect("details").field_violations;
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].field, format!("policy.clocks[{place}].step"), "{name}");
    }
}

#[tokio::test]
async fn r111_within_which_time_a_call_is_to_be_scheduled_is_a_policy() {
    let mut harness = Harness::with_acme(START).await;
    let mut changed = policy(&mut harness, "policies/case_at_risk").await;
    assert_eq!(changed.call_within, Some(duration(48)));
    for (within, due) in [(Some(duration(8)), vec![8]), (None, vec![])] {
        changed.call_within = within;
        let request = proto::UpdatePolicyRequest { policy: Some(changed.clone()), ..Default::default() };
        changed.version = harness.policies.update_policy(request).await.expect("stored").into_inner().version;
        let case = open(&mut harness).await;
        let request = proto::ListTasksRequest { case: case.name.clone(), ..Default::default() };
        let tasks = harness.cases.list_tasks(request).await.expect("tasks").into_inner().tasks;
        let opened = case.open_time.expect("a time").seconds;
        let hours: Vec<i64> =
            tasks.iter().map(|task| (task.due_time.expect("a time").seconds - opened) / 3600).collect();
        assert_eq!(hours, due);
        let request = proto::CloseCaseRequest {
            name: case.name,
            outcome: proto::CaseOutcome::NoAction.into(),
            notes: "Done".to_owned(),
            ..Default::default()
        };
        harness.cases.close_case(request).await.expect("closed");
    }
    let other = policy(&mut harness, "policies/inactivity").await;
    let other = proto::Policy { call_within: Some(duration(8)), ..other };
    let request = proto::UpdatePolicyRequest { policy: Some(other), ..Default::default() };
    let refused = harness.policies.update_policy(request).await.expect_err("an alert has no such task");
    let faults = refused.get_details_bad_request().expect("details").field_violations;
    assert_eq!(faults.iter().map(|fault| fault.field.as_str()).collect::<Vec<_>>(), ["policy.call_within"]);
}
