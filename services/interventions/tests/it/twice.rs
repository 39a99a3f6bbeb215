//! Several replicas, events that come twice, a service that was away.

use chrono::TimeDelta;
use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_domain::Clock;

use crate::harness::{CSM, Harness, clock_state, timestamp};

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
    assert_eq!(harness.story().await, ["alert_raised"]);
    assert_eq!(harness.events::<proto::AlertChanged>().await, []);
}

#[tokio::test]
async fn what_a_person_has_dealt_with_does_not_come_back_while_it_lasts() {
    let mut harness = Harness::with_acme(START).await;
    let trigger = harness.failed_payment("in_1", 2);
    harness.raise(trigger.clone()).await;
    harness.settle().await;
    let name = harness.open_alert().await.name;
    let request = proto::CloseAlertRequest {
        name,
        resolution: proto::AlertResolution::NoAction.into(),
        notes: "They pay by hand".to_owned(),
        ..Default::default()
    };
    harness.alerts.close_alert(request).await.expect("closed");
    harness.clock.advance(TimeDelta::days(20));
    harness.repeat(scoring::RiskTrigger { raise_time: trigger.raise_time, ..harness.failed_payment("in_1", 3) }).await;
    harness.settle().await;
    assert_eq!(harness.open_alerts().await, []);
    harness.raise(harness.failed_payment("in_1", 1)).await;
    harness.settle().await;
    harness.open_alert().await;
}

#[tokio::test]
async fn away_for_a_day_or_not_the_end_is_the_same() {
    for is_away in [false, true] {
        let mut harness = Harness::with_acme(START).await;
        let trigger = harness.failed_payment("in_1", 1);
        harness.raise(trigger.clone()).await;
        if !is_away {
            harness.settle().await;
        }
        harness.clock.advance(TimeDelta::hours(1));
        harness.clear(trigger).await;
        if is_away {
            harness.clock.advance(TimeDelta::hours(25));
        }
        harness.settle().await;
        assert_eq!(harness.open_alerts().await, []);
        assert_eq!(harness.events::<proto::ClockBreached>().await, [], "away: {is_away}");
        let request = proto::ListAlertsRequest { closed: true, ..Default::default() };
        let closed = harness.alerts.list_alerts(request).await.expect("alerts").into_inner().alerts.remove(0);
        let hours = (closed.close_time.expect("a time").seconds - closed.alert_time.expect("a time").seconds) / 3600;
        assert_eq!(hours, 1, "away: {is_away}");
    }
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

#[tokio::test]
async fn a_feed_that_is_read_anew_says_nothing_new_and_ends_nothing_that_began_since() {
    let mut harness = Harness::with_acme(START).await;
    let mut told = Vec::new();
    for _ in 0..2 {
        let raised = harness.failed_payment("in_1", 1);
        harness.raise(raised.clone()).await;
        harness.pass(TimeDelta::hours(1)).await;
        let change_time = Some(timestamp(harness.clock.now()));
        let again =
            scoring::RiskTrigger { raise_time: raised.raise_time, change_time, ..harness.failed_payment("in_1", 2) };
        harness.repeat(again.clone()).await;
        harness.settle().await;
        told.push((raised, again));
        if told.len() == 1 {
            harness.clear(told[0].1.clone()).await;
            harness.pass(TimeDelta::days(1)).await;
        }
    }
    let (alert, story) = (harness.open_alert().await, harness.story().await);
    let (changed, mails) = (harness.events::<proto::AlertChanged>().await.len(), harness.mail_to(CSM).len());

    for (raised, again) in &told {
        harness.raise(raised.clone()).await;
        harness.settle().await;
        harness.repeat(again.clone()).await;
        harness.settle().await;
        if *raised == told[0].0 {
            harness.clear(again.clone()).await;
            harness.settle().await;
        }
    }
    assert_eq!(harness.open_alert().await, alert);
    assert_eq!(harness.story().await, story);
    assert_eq!(harness.events::<proto::AlertChanged>().await.len(), changed);
    assert_eq!(harness.events::<proto::AlertClosed>().await.len(), 1);
    assert_eq!(harness.mail_to(CSM).len(), mails);
}
