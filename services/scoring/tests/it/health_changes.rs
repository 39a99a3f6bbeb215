//! Changes of health, told as they happen.

use std::collections::BTreeMap;

use futures::StreamExt;
use mainstay_api::mainstay::scoring::v1 as proto;

use crate::harness::{Harness, model_of, sum_of, usage};

/// All changes until the stream ends, and the cursor after them.
pub(crate) async fn watch(harness: &Harness, request: proto::WatchHealthRequest) -> (Vec<proto::HealthChange>, String) {
    let mut answers = harness.health.clone().watch_health(request).await.expect("a stream").into_inner();
    let (mut changes, mut cursor) = (Vec::new(), String::new());
    while let Some(answer) = answers.next().await {
        let answer = answer.expect("changes");
        changes.extend(answer.changes);
        cursor = answer.cursor;
    }
    (changes, cursor)
}

#[tokio::test]
async fn changes_are_watched_from_a_cursor_and_none_is_missed() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme", "other"]).await;
    harness.activate("sum", model_of(sum_of("emails", 7))).await;
    harness.record(vec![usage("acme", "2026-03-01", "emails", 60), usage("other", "2026-03-01", "emails", 1)]).await;
    harness.settle().await;
    let request = proto::WatchHealthRequest {
        from_oldest: true,
        until_now: true,
        accounts: vec!["accounts/acme".to_owned()],
        ..Default::default()
    };
    let (first, cursor) = watch(&harness, request.clone()).await;
    let seen = |changes: &[proto::HealthChange]| -> Vec<(Option<f64>, Option<f64>, proto::Band)> {
        changes.iter().map(|change| (change.previous_score, change.score, change.band())).collect()
    };
    assert_eq!(seen(&first), [(None, Some(60.0), proto::Band::AtRisk)]);

    harness.record(vec![usage("acme", "2026-03-01T05:00:00Z", "emails", 30)]).await;
    harness.settle().await;
    harness.pass_days(7).await;
    let (later, cursor) = watch(&harness, proto::WatchHealthRequest { cursor, ..request.clone() }).await;
    assert_eq!(
        seen(&later),
        [(Some(60.0), Some(90.0), proto::Band::Healthy), (Some(90.0), Some(0.0), proto::Band::Critical)]
    );
    let (nothing, _) = watch(&harness, proto::WatchHealthRequest { cursor, ..request }).await;
    assert_eq!(seen(&nothing), []);
}

#[tokio::test]
async fn watching_without_a_cursor_tells_only_what_changes_from_then_on() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme", "other"]).await;
    harness.activate("sum", model_of(sum_of("emails", 7))).await;
    harness.record(vec![usage("acme", "2026-03-01", "emails", 60)]).await;
    harness.settle().await;
    let request = proto::WatchHealthRequest { accounts: vec!["accounts/acme".to_owned()], ..Default::default() };
    let mut answers = harness.health.watch_health(request).await.expect("a stream").into_inner();

    harness.record(vec![usage("other", "2026-03-01", "emails", 10)]).await;
    harness.record(vec![usage("acme", "2026-03-01T01:00:00Z", "emails", 30)]).await;
    harness.settle().await;
    let mut changes = Vec::new();
    while changes.is_empty() {
        changes = answers.next().await.expect("an open stream").expect("changes").changes;
    }
    let told: Vec<_> =
        changes.iter().map(|change| (change.account.as_str(), change.previous_score, change.score)).collect();
    assert_eq!(told, [("accounts/acme", Some(60.0), Some(90.0))]);
}

#[tokio::test]
async fn nothing_before_now_is_told_without_a_cursor() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.record(vec![usage("acme", "2026-03-01", "emails", 60)]).await;
    harness.settle().await;
    let until_now = proto::WatchHealthRequest { until_now: true, ..Default::default() };
    assert_eq!(watch(&harness, until_now).await.0, []);
}

#[tokio::test]
async fn replicas_share_the_work_and_tell_each_change_once() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    let ids: Vec<String> = (0..700).map(|number| format!("account-{number}")).collect();
    harness.create_accounts(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    harness.activate("sum", model_of(sum_of("emails", 7))).await;
    harness.record(ids.iter().map(|id| usage(id, "2026-03-01", "emails", 60)).collect()).await;
    let (_service, other) = harness.replica().await;
    let (_another_service, another) = harness.replica().await;
    let (first, second, third) = tokio::join!(harness.try_settle(), other.settle(), another.settle());
    for settled in [first, second, third] {
        settled.expect("due work");
    }
    harness.settle().await;
    let request = proto::WatchHealthRequest { from_oldest: true, until_now: true, ..Default::default() };
    let (changes, _) = watch(&harness, request).await;
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for change in changes.iter().filter(|change| change.score == Some(60.0)) {
        *told.entry(change.account.clone()).or_default() += 1;
    }
    assert_eq!(told.len(), 700);
    assert!(told.values().all(|&times| times == 1), "an account told more than once");
}
