//! Several replicas, events that come twice, processes that end in the middle.

use chrono::TimeDelta;
use mainstay_api::mainstay::interventions::v1 as proto;

use crate::harness::{CSM, Harness, clock_state};

const START: &str = "2026-03-01T00:00:00Z";

#[tokio::test]
async fn replicas_share_the_work_and_each_thing_happens_once() {
    let mut harness = Harness::with_acme(START).await;
    let (_second_service, second) = harness.replica().await;
    let (_third_service, third) = harness.replica().await;
    for invoice in 0..20 {
        harness.raise(harness.failed_payment(&format!("in_{invoice}"), 1)).await;
    }
    let (a, b, c) = tokio::join!(harness.try_settle(), second.settle(), third.settle());
    for settled in [a, b, c] {
        settled.expect("work");
    }
    harness.settle().await;
    assert_eq!(harness.open_alerts().await.len(), 20);
    assert_eq!(harness.events::<proto::AlertRaised>().await.len(), 20);
    assert_eq!(harness.mail_to(CSM).len(), 20);

    harness.clock.advance(TimeDelta::hours(3));
    let (a, b, c) = tokio::join!(harness.try_settle(), second.settle(), third.settle());
    for settled in [a, b, c] {
        settled.expect("work");
    }
    harness.settle().await;
    assert_eq!(harness.events::<proto::ClockBreached>().await.len(), 20);
    let overdue = harness.mail_to(CSM).into_iter().filter(|email| email.subject.contains("overdue")).count();
    assert_eq!(overdue, 20);
}

#[tokio::test]
async fn an_event_told_twice_by_its_teller_raises_one_alert() {
    let mut harness = Harness::with_acme(START).await;
    let trigger = harness.failed_payment("in_1", 2);
    harness.raise(trigger.clone()).await;
    harness.raise(trigger.clone()).await;
    harness.repeat(trigger).await;
    harness.settle().await;
    let alert = harness.open_alert().await;
    assert_eq!(alert.occurrence_count, 2);
    assert_eq!(harness.mail_to(CSM).len(), 1);
}

#[tokio::test]
async fn what_a_service_that_was_away_missed_is_caught_up_with() {
    let mut harness = Harness::with_acme(START).await;
    harness.raise(harness.silence()).await;
    harness.clock.advance(TimeDelta::days(1));
    let (_service, other) = harness.replica().await;
    other.settle().await.expect("work");
    let alert = harness.open_alert().await;
    assert_eq!(clock_state(&alert.clocks, proto::ClockStep::Acknowledge), proto::ClockState::Breached);
    assert_eq!(harness.events::<proto::AlertRaised>().await.len(), 1);
}

#[tokio::test]
async fn two_people_who_take_the_same_step_at_once_take_it_once() {
    let mut harness = Harness::with_acme(START).await;
    harness.raise(harness.silence()).await;
    harness.settle().await;
    let name = harness.open_alert().await.name;
    let acknowledge =
        |mut client: mainstay_api::mainstay::interventions::v1::alert_service_client::AlertServiceClient<_>| {
            let request = proto::AcknowledgeAlertRequest { name: name.clone(), ..Default::default() };
            async move { client.acknowledge_alert(request).await }
        };
    let answers = futures::future::join_all((0..10).map(|_| acknowledge(harness.alerts.clone()))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    harness.settle().await;
    assert_eq!(harness.events::<proto::ClockMet>().await.len(), 1);
    assert_eq!(harness.story().await, ["alert_raised", "alert_moved"]);
}
