//! Silence: told by the clock, with nothing sent.

use chrono::TimeDelta;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::RiskTriggerKind::Inactivity;
use mainstay_api::mainstay::scoring::v1::lifecycle_signal::Change;

use crate::account_fixtures::archive;
use crate::harness::{Harness, activity, at, gauge, usage};
use crate::risk_fixtures::{Told, churn, lasting, lifecycle, risk_events, told_of_account};

async fn told(harness: &Harness, id: &str) -> Vec<Told> {
    told_of_account(harness, id, Inactivity).await
}

async fn unarchive(harness: &Harness, id: &str) {
    let request = proto::UnarchiveAccountRequest { name: format!("accounts/{id}"), ..Default::default() };
    harness.accounts.clone().unarchive_account(request).await.expect("unarchived");
}

/// The cause of the silence that lasts.
async fn silence(harness: &Harness, id: &str) -> (String, i32) {
    let lasting = lasting(harness, id).await;
    let trigger = lasting.into_iter().find(|trigger| trigger.kind() == Inactivity).expect("a silence");
    let Some(proto::risk_trigger::Cause::Inactivity(cause)) = trigger.cause else { panic!("a silence") };
    (cause.last_activity_day, cause.inactive_days)
}

#[tokio::test]
async fn r59_r93_silence_is_told_after_exactly_14_days_by_the_clock_with_nothing_sent() {
    let mut harness = Harness::start("2026-03-01T09:00:00Z").await;
    harness.create_accounts(&["acme", "never"]).await;
    harness.record(vec![usage("acme", "2026-03-01T08:00:00Z", "emails", 1)]).await;
    harness.settle().await;
    harness.clock.set(at("2026-03-16") - TimeDelta::microseconds(1));
    assert_eq!(told(&harness, "acme").await, []);
    harness.clock.set(at("2026-03-16"));
    assert_eq!(told(&harness, "acme").await, [Told::Raised]);
    assert_eq!(silence(&harness, "acme").await, ("2026-03-01".to_owned(), 14));
    harness.pass_days(10).await;
    assert_eq!(told(&harness, "acme").await, [Told::Raised], "once while it lasts");
    assert_eq!(told(&harness, "never").await, [], "what never began cannot end");
}

#[tokio::test]
async fn r93_who_was_activated_and_never_active_is_silent_since_then() {
    let mut harness = Harness::start("2026-03-01T09:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.record(vec![lifecycle("acme", "2026-03-02", Change::Activation(proto::Activation {}))]).await;
    harness.turn_to("2026-03-16").await;
    assert_eq!(told(&harness, "acme").await, []);
    harness.turn_to("2026-03-17").await;
    assert_eq!(told(&harness, "acme").await, [Told::Raised]);
    assert_eq!(silence(&harness, "acme").await, ("2026-03-02".to_owned(), 14));
    harness.record(vec![activity("acme", "2026-03-17", "ada")]).await;
    harness.settle().await;
    assert_eq!(told(&harness, "acme").await, [Told::Raised, Told::Cleared]);
}

#[tokio::test]
async fn of_an_account_that_never_used_anything_any_source_could_have_told() {
    for (active, expected) in [(vec!["b", "c"], vec![Told::Raised]), (vec![], vec![])] {
        let mut harness = portfolio().await;
        harness.create_accounts(&["new"]).await;
        harness.record(vec![lifecycle("new", "2026-03-01", Change::Activation(proto::Activation {}))]).await;
        pass_active_days(&mut harness, 15, &active).await;
        assert_eq!(told(&harness, "new").await, expected, "{active:?}");
    }
}

#[tokio::test]
async fn r93_each_activity_moves_the_silence_on_and_levels_and_nothing_used_do_not() {
    let mut harness = Harness::start("2026-03-01T09:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.record(vec![activity("acme", "2026-03-01", "ada")]).await;
    harness.turn_to("2026-03-10").await;
    harness.record(vec![activity("acme", "2026-03-10", "ada")]).await;
    harness.turn_to("2026-03-14").await;
    harness.record(vec![gauge("acme", "2026-03-14", "seats", 4.0), usage("acme", "2026-03-14", "emails", 0)]).await;
    harness.turn_to("2026-03-24").await;
    assert_eq!(told(&harness, "acme").await, []);
    harness.turn_to("2026-03-25").await;
    assert_eq!(told(&harness, "acme").await, [Told::Raised]);
    assert_eq!(silence(&harness, "acme").await, ("2026-03-10".to_owned(), 14));
}

#[tokio::test]
async fn the_next_activity_ends_a_silence_also_when_it_is_told_late() {
    let mut harness = Harness::start("2026-03-01T09:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.record(vec![activity("acme", "2026-03-01", "ada")]).await;
    harness.settle().await;
    harness.turn_to("2026-03-25").await;
    assert_eq!(silence(&harness, "acme").await, ("2026-03-01".to_owned(), 23));
    harness.record(vec![activity("acme", "2026-03-05", "ada")]).await;
    harness.settle().await;
    assert_eq!(told(&harness, "acme").await, [Told::Raised, Told::Updated], "late, and still too long ago");
    assert_eq!(silence(&harness, "acme").await, ("2026-03-05".to_owned(), 19));
    harness.record(vec![activity("acme", "2026-03-20", "ada")]).await;
    harness.settle().await;
    assert_eq!(told(&harness, "acme").await, [Told::Raised, Told::Updated, Told::Cleared]);
    harness.turn_to("2026-04-03").await;
    assert_eq!(told(&harness, "acme").await.len(), 3);
    harness.turn_to("2026-04-04").await;
    assert_eq!(told(&harness, "acme").await[3..], [Told::Raised], "and the next one counts from there");
}

#[tokio::test]
async fn archival_and_churn_end_a_silence_and_its_timer_and_the_way_back_starts_anew() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["archived", "churned", "early"]).await;
    let active = ["archived", "churned", "early"].map(|id| activity(id, "2026-03-01", "ada"));
    harness.record(active.to_vec()).await;
    harness.settle().await;
    archive(&harness, "early", "").await.expect("archived");
    harness.turn_to("2026-03-16").await;
    archive(&harness, "archived", "").await.expect("archived");
    harness.record(vec![churn("churned", "2026-03-16")]).await;
    harness.pass_days(20).await;
    for id in ["archived", "churned"] {
        assert_eq!(told(&harness, id).await, [Told::Raised, Told::Cleared], "{id}");
    }
    assert_eq!(told(&harness, "early").await, []);
    let told_so_far = risk_events(&harness).await;
    let cleared = told_so_far.iter().filter(|(told, trigger)| *told == Told::Cleared && trigger.kind() == Inactivity);
    let reasons: Vec<_> = cleared.map(|(_, trigger)| trigger.clear_reason()).collect();
    assert_eq!(reasons, [proto::RiskTriggerClearReason::AccountGone; 2]);

    // 2026-04-05.
    unarchive(&harness, "archived").await;
    let renewal = proto::Renewal { renewal_time: Some(crate::account_fixtures::time("2027-04-05")) };
    let renewed = lifecycle("churned", "2026-04-05", Change::Renewal(renewal));
    harness.record(vec![renewed]).await;
    harness.pass_days(14).await;
    for id in ["archived", "churned"] {
        assert_eq!(told(&harness, id).await.len(), 2, "{id}");
    }
    harness.pass_days(1).await;
    for id in ["archived", "churned"] {
        assert_eq!(told(&harness, id).await[2..], [Told::Raised], "{id}");
        assert_eq!(silence(&harness, id).await.0, "2026-03-01", "{id}");
    }
}

/// Five accounts and more, of which some are told of every day.
async fn portfolio() -> Harness {
    let mut harness = Harness::start("2026-03-01T09:00:00Z").await;
    harness.create_accounts(&["a", "b", "c", "d", "e"]).await;
    let signals = ["a", "b", "c", "d", "e"].map(|id| usage(id, "2026-03-01", "emails", 1));
    harness.record(signals.to_vec()).await;
    harness.settle().await;
    harness
}

/// Passes days on which these accounts are active.
async fn pass_active_days(harness: &mut Harness, days: u32, ids: &[&str]) {
    for _ in 0..days {
        harness.pass_days(1).await;
        let today = harness.clock_day(0);
        let signals: Vec<_> = ids.iter().map(|id| usage(id, &today, "emails", 1)).collect();
        if !signals.is_empty() {
            harness.record(signals).await;
        }
        harness.settle().await;
    }
}

#[tokio::test]
async fn a_customer_among_others_who_are_active_is_silent() {
    let mut harness = portfolio().await;
    pass_active_days(&mut harness, 15, &["b", "c"]).await;
    for (id, expected) in [("a", vec![Told::Raised]), ("b", Vec::new()), ("d", vec![Told::Raised])] {
        assert_eq!(told(&harness, id).await, expected, "{id}");
    }
}

#[tokio::test]
async fn a_source_that_is_silent_for_everybody_makes_nobody_inactive() {
    let mut harness = portfolio().await;
    harness.pass_days(30).await;
    assert_eq!(risk_events(&harness).await.iter().filter(|(_, trigger)| trigger.kind() == Inactivity).count(), 0);
    // It is back: who is active again was never told of, and who is not is told of once the source has lived for long enough.
    pass_active_days(&mut harness, 6, &["b", "c", "d", "e"]).await;
    assert_eq!(told(&harness, "a").await, []);
    pass_active_days(&mut harness, 8, &["b", "c", "d", "e"]).await;
    assert_eq!(told(&harness, "a").await, [Told::Raised]);
    assert_eq!(told(&harness, "b").await, []);
}

#[tokio::test]
async fn replicas_tell_of_each_silence_once() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    let ids: Vec<String> = (0..300).map(|number| format!("account-{number}")).collect();
    let mut all: Vec<&str> = ids.iter().map(String::as_str).collect();
    all.push("busy");
    harness.create_accounts(&all).await;
    harness.record(all.iter().map(|id| usage(id, "2026-03-01", "emails", 1)).collect()).await;
    harness.settle().await;
    pass_active_days(&mut harness, 14, &["busy"]).await;
    let (_service, other) = harness.replica().await;
    harness.clock.set(at("2026-03-16"));
    let (first, second) = tokio::join!(harness.try_settle(), other.settle());
    first.expect("due work");
    second.expect("due work");
    let told = risk_events(&harness).await;
    let silent: Vec<_> = told.iter().filter(|(_, trigger)| trigger.kind() == Inactivity).collect();
    assert_eq!(silent.len(), 300);
    assert!(silent.iter().all(|(told, trigger)| *told == Told::Raised && trigger.account != "accounts/busy"));
}
