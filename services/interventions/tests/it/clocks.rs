//! Clocks: warned, breached, met, each once; escalation along the chain.

use chrono::TimeDelta;
use mainstay_api::mainstay::interventions::v1 as proto;

use crate::harness::{CSM, DEFAULT, DIRECTOR, Harness, clock_state};

const START: &str = "2026-03-01T00:00:00Z";

fn steps(notices: impl IntoIterator<Item = Option<proto::ClockNotice>>) -> Vec<proto::ClockStep> {
    notices.into_iter().map(|notice| notice.and_then(|notice| notice.clock).expect("a clock").step()).collect()
}

#[tokio::test]
async fn r97_each_clock_is_warned_of_and_breached_once_at_its_own_time() {
    let mut harness = Harness::with_acme(START).await;
    harness.raise(harness.silence()).await;
    harness.settle().await;
    let name = harness.open_alert().await.name;
    harness.pass(TimeDelta::minutes(89)).await;
    assert_eq!(harness.events::<proto::ClockWarned>().await, []);
    harness.pass(TimeDelta::minutes(1)).await;
    harness.settle().await;
    let warned = steps(harness.events::<proto::ClockWarned>().await.into_iter().map(|event| event.notice));
    assert_eq!(warned, [proto::ClockStep::Acknowledge]);
    harness.pass(TimeDelta::minutes(29)).await;
    assert_eq!(harness.events::<proto::ClockBreached>().await, []);
    harness.pass(TimeDelta::minutes(1)).await;
    let alert = harness.alert(&name).await;
    assert_eq!(clock_state(&alert.clocks, proto::ClockStep::Acknowledge), proto::ClockState::Breached);
    assert_eq!(alert.escalation_count, 1);

    harness.pass(TimeDelta::hours(80)).await;
    harness.pass(TimeDelta::hours(1)).await;
    let breached = steps(harness.events::<proto::ClockBreached>().await.into_iter().map(|event| event.notice));
    let expected = [
        proto::ClockStep::Acknowledge,
        proto::ClockStep::Assess,
        proto::ClockStep::Plan,
        proto::ClockStep::Execute,
        proto::ClockStep::FollowUp,
    ];
    assert_eq!(breached, expected);
}

#[tokio::test]
async fn r27_breaches_go_along_the_chain_and_end_with_its_last() {
    let mut harness = Harness::with_acme(START).await;
    harness.raise(harness.silence()).await;
    harness.settle().await;
    let told = |harness: &Harness, person| {
        harness.mail_to(person).into_iter().filter(|email| email.subject.contains("overdue")).count()
    };
    harness.pass(TimeDelta::hours(2)).await;
    assert_eq!((told(&harness, CSM), told(&harness, DIRECTOR), told(&harness, DEFAULT)), (1, 1, 0));
    // Acme has no executive sponsor: the default is asked instead.
    harness.pass(TimeDelta::hours(2)).await;
    assert_eq!((told(&harness, CSM), told(&harness, DIRECTOR), told(&harness, DEFAULT)), (2, 1, 1));
    harness.pass(TimeDelta::hours(70)).await;
    let breached: Vec<proto::ClockBreached> = harness.events().await;
    let escalated: Vec<Vec<String>> =
        breached.into_iter().map(|event| event.notice.expect("a notice").escalated_to).collect();
    assert_eq!(escalated[0], [DIRECTOR]);
    assert!(escalated[1..].iter().all(|people| *people == [DEFAULT]), "{escalated:?}");
}

#[tokio::test]
async fn done_late_is_a_breach_and_met_each_once() {
    let mut harness = Harness::with_acme(START).await;
    harness.raise(harness.silence()).await;
    harness.settle().await;
    let name = harness.open_alert().await.name;
    harness.pass(TimeDelta::hours(3)).await;
    let request = proto::AcknowledgeAlertRequest { name: name.clone(), ..Default::default() };
    for _ in 0..2 {
        harness.alerts.acknowledge_alert(request.clone()).await.expect("acknowledged");
    }
    harness.settle().await;
    let clock =
        harness.alert(&name).await.clocks.into_iter().find(|clock| clock.step() == proto::ClockStep::Acknowledge);
    let clock = clock.expect("a clock");
    assert_eq!((clock.state(), clock.met_time.is_some()), (proto::ClockState::Breached, true));
    assert_eq!(harness.events::<proto::ClockBreached>().await.len(), 1);
    assert_eq!(harness.events::<proto::ClockMet>().await.len(), 1);
}

#[tokio::test]
async fn what_was_done_in_time_is_met_though_the_timer_fires_later() {
    let mut harness = Harness::with_acme(START).await;
    harness.raise(harness.silence()).await;
    harness.settle().await;
    let name = harness.open_alert().await.name;
    harness.clock.advance(TimeDelta::hours(2));
    harness
        .alerts
        .acknowledge_alert(proto::AcknowledgeAlertRequest { name: name.clone(), ..Default::default() })
        .await
        .expect("at the last moment");
    harness.settle().await;
    let alert = harness.alert(&name).await;
    assert_eq!(clock_state(&alert.clocks, proto::ClockStep::Acknowledge), proto::ClockState::Met);
    assert_eq!(harness.events::<proto::ClockBreached>().await, []);
}

#[tokio::test]
async fn an_alert_that_was_heard_of_late_is_late() {
    let mut harness = Harness::with_acme(START).await;
    let trigger = harness.silence();
    harness.clock.advance(TimeDelta::days(1));
    harness.raise(trigger).await;
    harness.settle().await;
    let alert = harness.open_alert().await;
    assert_eq!(clock_state(&alert.clocks, proto::ClockStep::Acknowledge), proto::ClockState::Breached);
    assert_eq!(clock_state(&alert.clocks, proto::ClockStep::Execute), proto::ClockState::Running);
}

#[tokio::test]
async fn a_task_that_is_done_too_late_is_overdue_though_its_timer_did_not_fire_yet() {
    let mut harness = Harness::with_acme(START).await;
    crate::at_risk::open(&mut harness).await;
    let tasks = harness.cases.list_tasks(proto::ListTasksRequest::default()).await.expect("tasks").into_inner().tasks;
    harness.clock.advance(TimeDelta::hours(49));
    let request = proto::EndTaskRequest { name: tasks[0].name.clone(), ..Default::default() };
    let ended = harness.cases.end_task(request).await.expect("done").into_inner();
    assert!(ended.overdue);
}

#[tokio::test]
async fn copies_of_a_case_hear_of_its_breaches_reminders_and_contacts_with_its_newest_etag() {
    let mut harness = Harness::with_acme(START).await;
    let case = crate::at_risk::open(&mut harness).await;
    harness.pass(TimeDelta::days(8)).await;
    let touch = proto::RecordTouchRequest {
        case: case.name.clone(),
        channel: proto::TouchChannel::Call.into(),
        direction: proto::TouchDirection::Outbound.into(),
        summary: "Called".to_owned(),
        ..Default::default()
    };
    harness.cases.record_touch(touch).await.expect("a touch");
    harness.settle().await;
    let newest = harness.case(&case.name).await;
    assert_eq!(clock_state(&newest.clocks, proto::ClockStep::CaseAssess), proto::ClockState::Breached);
    let told: Vec<proto::CaseChanged> = harness.events().await;
    let told = told.into_iter().filter_map(|event| event.case).next_back().expect("it was told");
    assert_eq!((told.etag, told.next_due_time), (newest.etag, newest.next_due_time));
}

#[tokio::test]
async fn a_webhook_hears_which_deadline_was_missed() {
    let mut harness = Harness::with_acme(START).await;
    harness.raise(harness.silence()).await;
    harness.settle().await;
    let alert = harness.open_alert().await.name;
    harness.pass(TimeDelta::hours(3)).await;
    let missed: Vec<_> = harness
        .posted("/crm")
        .into_iter()
        .map(|request| request.json())
        .filter(|event| event["type"] == "interventions.clock_breached")
        .collect();
    assert_eq!(missed.len(), 1);
    let data = &missed[0]["data"];
    assert_eq!((&data["alert"], &data["deadline"]["step"]), (&alert.into(), &"CLOCK_STEP_ACKNOWLEDGE".into()));
    assert_eq!(data["deadline"]["dueTime"], "2026-03-01T02:00:00Z");
}
