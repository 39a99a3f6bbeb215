//! What was to be expected and did not happen: features not adopted, champions gone silent. Told by the clock, with nothing sent.

use chrono::TimeDelta;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::RiskTriggerKind::{ChampionSilent, FeatureNotAdopted};
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use proto::risk_trigger::Cause;

use crate::account_fixtures::{archive, time};
use crate::harness::{Harness, account, activity, at, signal};
use crate::risk_fixtures::{Told, lasting, told_of, told_of_account};

async fn upsert(harness: &Harness, accounts: Vec<proto::Account>) {
    let request = proto::BatchUpsertAccountsRequest { accounts, ..Default::default() };
    harness.accounts.clone().batch_upsert_accounts(request).await.expect("accounts");
}

/// Acme with a contact, who may be its champion.
fn acme(champion: bool) -> proto::Account {
    let contact = proto::Contact {
        id: "c-1".to_owned(),
        display_name: "Ada".to_owned(),
        email: "ada@acme.example".to_owned(),
        champion,
        ..Default::default()
    };
    proto::Account { contacts: vec![contact], ..account("acme") }
}

/// Passes days on which Bo is active.
async fn pass_days_of_bo(harness: &mut Harness, days: u32) {
    for _ in 0..days {
        harness.pass_days(1).await;
        let today = harness.clock_day(0);
        harness.record(vec![activity("acme", &today, "bo")]).await;
        harness.settle().await;
    }
}

/// Acme, whose contact was active weekly until the 22nd of March, the last time by mail address.
async fn with_contact(champion: bool) -> Harness {
    let mut harness = Harness::start("2026-03-22T09:00:00Z").await;
    upsert(&harness, vec![acme(champion)]).await;
    let days =
        [("2026-03-01", "c-1"), ("2026-03-08", "c-1"), ("2026-03-15", "c-1"), ("2026-03-22", "ADA@acme.example")];
    harness.record(days.map(|(day, user_id)| activity("acme", day, user_id)).to_vec()).await;
    harness.settle().await;
    harness
}

#[tokio::test]
async fn a_champion_who_is_silent_for_21_days_while_others_go_on_is_told_of_once() {
    let mut harness = with_contact(true).await;
    pass_days_of_bo(&mut harness, 21).await;
    harness.clock.set(at("2026-04-13") - TimeDelta::microseconds(1));
    assert_eq!(told_of(&harness, ChampionSilent).await, []);
    harness.clock.set(at("2026-04-13"));
    assert_eq!(told_of(&harness, ChampionSilent).await, [(Told::Raised, "c-1".to_owned())]);
    let all = lasting(&harness, "acme").await;
    let trigger = all.iter().find(|trigger| trigger.kind() == ChampionSilent).expect("a silence");
    let Some(Cause::ChampionSilent(cause)) = &trigger.cause else { panic!("a silence") };
    assert_eq!((cause.contact_id.as_str(), cause.display_name.as_str()), ("c-1", "Ada"));
    assert_eq!((cause.last_activity_day.as_str(), cause.silent_days, cause.other_active_users), ("2026-03-22", 21, 1));
    pass_days_of_bo(&mut harness, 20).await;
    assert_eq!(told_of(&harness, ChampionSilent).await.len(), 1, "once while it lasts");
    let now = harness.clock_time();
    harness.record(vec![activity("acme", &now, "c-1")]).await;
    harness.settle().await;
    let told = told_of(&harness, ChampionSilent).await;
    assert_eq!(told.iter().map(|(told, _)| *told).collect::<Vec<_>>(), [Told::Raised, Told::Cleared]);
}

#[tokio::test]
async fn who_becomes_champion_is_looked_at_at_once_and_who_is_none_any_more_is_not_missed() {
    let mut harness = with_contact(false).await;
    pass_days_of_bo(&mut harness, 25).await;
    assert_eq!(told_of(&harness, ChampionSilent).await, []);
    upsert(&harness, vec![acme(true)]).await;
    assert_eq!(told_of_account(&harness, "acme", ChampionSilent).await, [Told::Raised]);
    upsert(&harness, vec![acme(false)]).await;
    assert_eq!(told_of_account(&harness, "acme", ChampionSilent).await, [Told::Raised, Told::Cleared]);
}

#[tokio::test]
async fn when_the_whole_account_is_silent_it_is_not_its_champion() {
    let harness = with_contact(true).await;
    harness.pass_days(40).await;
    assert_eq!(told_of(&harness, ChampionSilent).await, []);
}

fn feature(id: &str, day: &str, feature: &str) -> proto::Signal {
    let payload = proto::FeatureUse { feature: feature.to_owned(), ..Default::default() };
    signal(id, day, Payload::FeatureUse(payload))
}

fn customer(id: &str, plan: &str, activation: &str) -> proto::Account {
    proto::Account { plan: plan.to_owned(), activation_time: Some(time(activation)), ..account(id) }
}

/// Ten customers of old who use exports, six of whom use the API and four roles, and new ones who use search.
async fn with_new_customers() -> Harness {
    let mut harness = Harness::start("2026-03-02T09:00:00Z").await;
    let peers: Vec<String> = (0..10).map(|number| format!("peer-{number}")).collect();
    let mut accounts: Vec<_> = peers.iter().map(|id| customer(id, "business", "2025-10-01")).collect();
    accounts.extend([customer("new", "business", "2026-03-02"), customer("unmeasured", "business", "2026-03-02")]);
    accounts.push(customer("basic", "basic", "2026-03-02"));
    upsert(&harness, accounts).await;
    let mut signals: Vec<_> = ["new", "basic"].map(|id| feature(id, "2026-03-02", "search")).to_vec();
    for (place, id) in peers.iter().enumerate() {
        signals.push(feature(id, "2026-03-01", "exports"));
        if place < 6 {
            signals.push(feature(id, "2026-02-10", "api"));
        } else {
            signals.push(feature(id, "2026-02-10", "roles"));
        }
    }
    harness.record(signals).await;
    harness.settle().await;
    harness
}

#[tokio::test]
async fn r69_features_not_adopted_30_days_after_the_activation_are_told_and_end_with_their_use() {
    let mut harness = with_new_customers().await;
    harness.clock.set(at("2026-04-01") - TimeDelta::microseconds(1));
    assert_eq!(told_of(&harness, FeatureNotAdopted).await, []);
    harness.clock.set(at("2026-04-01"));
    assert_eq!(told_of_account(&harness, "new", FeatureNotAdopted).await, [Told::Raised]);
    assert_eq!(told_of(&harness, FeatureNotAdopted).await.len(), 1, "no other plan's, and nobody unmeasured");
    let all = lasting(&harness, "new").await;
    let trigger = all.iter().find(|trigger| trigger.kind() == FeatureNotAdopted).expect("features");
    let Some(Cause::FeatureNotAdopted(cause)) = &trigger.cause else { panic!("features") };
    let named: Vec<_> = cause.features.iter().map(|known| (known.feature.as_str(), known.user_count)).collect();
    assert_eq!((named, cause.peer_count), (vec![("exports", 10), ("api", 6)], 10));
    assert_eq!(cause.activation_day, "2026-03-02");
    harness.record(vec![feature("new", "2026-04-01", "api")]).await;
    harness.settle().await;
    assert_eq!(told_of_account(&harness, "new", FeatureNotAdopted).await, [Told::Raised, Told::Updated]);
    harness.record(vec![feature("new", "2026-03-30", "exports")]).await;
    harness.settle().await;
    let told = told_of_account(&harness, "new", FeatureNotAdopted).await;
    assert_eq!(told, [Told::Raised, Told::Updated, Told::Cleared]);
}

#[tokio::test]
async fn what_was_not_adopted_after_90_days_is_no_news() {
    let harness = with_new_customers().await;
    harness.turn_to("2026-05-30").await;
    assert_eq!(told_of_account(&harness, "new", FeatureNotAdopted).await, [Told::Raised]);
    harness.turn_to("2026-05-31").await;
    assert_eq!(told_of_account(&harness, "new", FeatureNotAdopted).await, [Told::Raised, Told::Cleared]);
}

#[tokio::test]
async fn an_account_whose_plan_is_not_known_has_peers_only_where_nobodys_is() {
    for others in ["", "business"] {
        let mut harness = Harness::start("2026-03-02T09:00:00Z").await;
        let peers: Vec<String> = (0..10).map(|number| format!("peer-{number}")).collect();
        let mut accounts: Vec<_> = peers.iter().map(|id| customer(id, "", "2025-10-01")).collect();
        accounts.extend([customer("new", "", "2026-03-02"), customer("other", others, "2025-10-01")]);
        upsert(&harness, accounts).await;
        let mut signals = vec![feature("new", "2026-03-02", "search")];
        signals.extend(peers.iter().map(|id| feature(id, "2026-03-01", "exports")));
        harness.record(signals).await;
        harness.settle().await;
        harness.turn_to("2026-04-01").await;
        let expected: &[Told] = if others.is_empty() { &[Told::Raised] } else { &[] };
        assert_eq!(told_of_account(&harness, "new", FeatureNotAdopted).await, expected, "{others}");
    }
}

#[tokio::test]
async fn an_activation_that_is_said_later_or_moved_moves_the_look() {
    let harness = with_new_customers().await;
    upsert(&harness, vec![customer("new", "business", "2026-03-05"), customer("basic", "business", "2026-02-20")])
        .await;
    harness.turn_to("2026-03-21").await;
    assert_eq!(told_of_account(&harness, "basic", FeatureNotAdopted).await, []);
    harness.turn_to("2026-03-22").await;
    assert_eq!(told_of_account(&harness, "basic", FeatureNotAdopted).await, [Told::Raised]);
    harness.turn_to("2026-04-03").await;
    assert_eq!(told_of_account(&harness, "new", FeatureNotAdopted).await, []);
    harness.turn_to("2026-04-04").await;
    assert_eq!(told_of_account(&harness, "new", FeatureNotAdopted).await, [Told::Raised]);
}

#[tokio::test]
async fn an_account_that_is_gone_has_no_timers() {
    let harness = with_new_customers().await;
    let looks = async || -> i64 {
        let sql = "SELECT count(*) FROM scoring.jobs WHERE queue = 'risk_looks' AND key LIKE '%/new'";
        sqlx::query_scalar(sql).fetch_one(harness.database.pool()).await.expect("a count")
    };
    assert_eq!(looks().await, 1);
    archive(&harness, "new", "").await.expect("archived");
    assert_eq!(looks().await, 0);
    harness.turn_to("2026-04-05").await;
    assert_eq!(told_of_account(&harness, "new", FeatureNotAdopted).await, []);
}
