//! The history of an account's health: every day it was scored, with that day's inputs and model.

use std::collections::BTreeMap;

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::Clock;
use mainstay_testkit::pagination;
use tonic::{Code, Status};

use crate::harness::{Harness, account, activity, draws, gauge, model_of, sum_of, usage};
use crate::refusals::{reason, violated_fields};
use crate::risk_fixtures::{invoice, ticket};

async fn history(
    harness: &Harness,
    request: proto::GetHealthHistoryRequest,
) -> Result<(Vec<proto::Health>, String), Status> {
    let page = harness.health.clone().get_health_history(request).await?.into_inner();
    Ok((page.health, page.next_page_token))
}

fn of_acme() -> proto::GetHealthHistoryRequest {
    proto::GetHealthHistoryRequest { account: "accounts/acme".to_owned(), ..Default::default() }
}

fn days_of(health: Vec<proto::Health>) -> Vec<String> {
    health.into_iter().map(|health| health.day).collect()
}

#[tokio::test]
async fn days_missed_while_no_worker_ran_are_scored_afterwards() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.activate("sum", model_of(sum_of("emails", 2))).await;
    harness.record(vec![usage("acme", "2026-03-01", "emails", 50)]).await;
    harness.settle().await;
    harness.turn_to("2026-03-04").await;
    let scores: BTreeMap<String, Option<f64>> = history(&harness, of_acme())
        .await
        .expect("a history")
        .0
        .into_iter()
        .map(|health| (health.day, health.score))
        .collect();
    let expected = [("2026-03-01", 50.0), ("2026-03-02", 50.0), ("2026-03-03", 0.0), ("2026-03-04", 0.0)];
    assert_eq!(scores, expected.map(|(day, score)| (day.to_owned(), Some(score))).into());
}

#[tokio::test]
async fn a_past_day_is_answered_with_that_days_inputs_and_model() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.activate("first", model_of(sum_of("emails", 7))).await;
    harness.record(vec![usage("acme", "2026-03-01", "emails", 30)]).await;
    harness.settle().await;
    harness.turn_to("2026-03-02").await;
    let mut doubled = sum_of("emails", 7);
    doubled.curve[1].x = 50.0;
    harness.activate("second", model_of(doubled)).await;
    harness.record(vec![usage("acme", "2026-03-02", "emails", 5)]).await;
    harness.settle().await;

    let first = harness.health_of("acme", "2026-03-01").await;
    assert_eq!((first.score, first.model.as_str()), (Some(30.0), "models/first"));
    let second = harness.health_of("acme", "2026-03-02").await;
    assert_eq!((second.score, second.model.as_str()), (Some(70.0), "models/second"));
    harness.record(vec![usage("acme", "2026-03-01T10:00:00Z", "emails", 4)]).await;
    harness.settle().await;
    let late = harness.health_of("acme", "2026-03-01").await;
    assert_eq!((late.score, late.model.as_str()), (Some(34.0), "models/first"), "a late signal, the model of its day");
}

#[tokio::test]
async fn r55_history_tells_the_same_changes_as_each_day_did() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.activate("sum", model_of(sum_of("emails", 40))).await;
    for number in 1..=35i64 {
        let time = (harness.clock.today()).to_string();
        harness.record(vec![usage("acme", &time, "emails", number % 4)]).await;
        harness.settle().await;
        harness.pass_days(1).await;
    }
    harness.record(vec![usage("acme", "2026-03-20", "emails", 3)]).await;
    harness.settle().await;
    let (days, _) = history(&harness, of_acme()).await.expect("a history");
    assert_eq!(days.len(), 36);
    for day in &days {
        let asked = harness.health_of("acme", &day.day).await;
        assert_eq!(
            (day.change_1d, day.change_7d, day.change_30d),
            (asked.change_1d, asked.change_7d, asked.change_30d),
            "on {}",
            day.day
        );
    }
    let newest = harness.health_of("acme", "").await;
    let told = (newest.change_1d, newest.change_7d, newest.change_30d);
    assert_eq!(told, (days[0].change_1d, days[0].change_7d, days[0].change_30d), "today's row");
    assert!(told.2.is_some());
}

/// What is said of a day; names, segments and revenue are those of now.
fn said(health: &proto::Health) -> proto::Health {
    proto::Health { account_display_name: String::new(), segment: 0, arr: None, score_time: None, ..health.clone() }
}

/// What happens to an account on a day.
fn drawn_signals(draw: &mut impl FnMut(u32) -> u32, id: &str, today: &str) -> Vec<proto::Signal> {
    let mut told: Vec<proto::Signal> = (0..draw(4)).map(|user| activity(id, today, &format!("user-{user}"))).collect();
    if draw(3) == 0 {
        told.push(gauge(id, today, "seats", f64::from(draw(20))));
    }
    if draw(4) == 0 {
        let action = if draw(2) == 0 { proto::TicketAction::Opened } else { proto::TicketAction::Resolved };
        let ticket_id = format!("t-{}", draw(3));
        told.push(ticket(id, today, &ticket_id, action, proto::TicketPriority::Urgent));
    }
    if draw(6) == 0 {
        let action = if draw(2) == 0 { proto::InvoiceAction::PaymentFailed } else { proto::InvoiceAction::Paid };
        told.push(invoice(id, today, &format!("in-{}", draw(3)), action));
    }
    told
}

/// That each of these days is answered as on that day, also when all are scored again from `first_day` on.
async fn assert_answers_stay(harness: &mut Harness, first_day: &str, answered: &[proto::Health]) {
    for is_scored_again in [false, true] {
        if is_scored_again {
            let request = proto::RecomputeHealthRequest { start_day: first_day.to_owned(), ..Default::default() };
            harness.health.clone().recompute_health(request).await.expect("begins");
            harness.settle().await;
        }
        for then in answered {
            let id = then.account.trim_start_matches("accounts/");
            let mut now = said(&harness.health_of(id, &then.day).await);
            if is_scored_again {
                // That a source lives, told by another account later on the day, is known by then.
                now.freshness_days = then.freshness_days;
            }
            assert_eq!(now, *then, "scored again: {is_scored_again}");
        }
    }
}

#[tokio::test]
async fn as_of_a_day_is_what_was_answered_that_day_while_all_is_told_on_its_day() {
    futures::future::join_all([20_260_301, 7, 4_000_000_007].map(as_of_a_day_is_what_was_answered_then)).await;
}

/// The same, of what happens by a seed.
async fn as_of_a_day_is_what_was_answered_then(seed: u32) {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    let ids = ["acme", "globex", "initech"];
    harness.create_accounts(&ids).await;
    let mut answered = Vec::new();
    let mut draw = draws(seed);
    for number in 1..=40 {
        let today = harness.clock.today().to_string();
        harness.record(ids.iter().flat_map(|id| drawn_signals(&mut draw, id, &today)).collect()).await;
        if draw(5) == 0 {
            let limits = [("seats".to_owned(), 20.0 + f64::from(draw(9)))].into();
            let changed = proto::Account { plan_limits: limits, ..account(ids[0]) };
            let request = proto::BatchUpsertAccountsRequest { accounts: vec![changed], ..Default::default() };
            harness.accounts.batch_upsert_accounts(request).await.expect("changed");
        }
        if number == 25 {
            harness.activate("second", model_of(of_users(7))).await;
        }
        harness.settle().await;
        for id in ids {
            answered.push(said(&harness.health_of(id, &today).await));
        }
        harness.pass_days(1).await;
    }
    assert!(answered.iter().filter(|health| health.score.is_some()).count() > 100);
    assert_answers_stay(&mut harness, "2026-03-01", &answered).await;
}

/// How many users were there.
fn of_users(window_days: i32) -> proto::Measure {
    let input = Some(proto::Input { series: Some(proto::input::Series::AnyUser(true)) });
    proto::Measure { input, ..sum_of("seats", window_days) }
}

#[tokio::test]
async fn as_of_a_day_is_what_was_answered_that_day_also_where_accounts_are_compared_with_others() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    let ids: Vec<String> = (1..=44).map(|number| format!("c{number:02}")).collect();
    let on_plan = |(number, id): (usize, &String)| proto::Account {
        plan: if number % 2 == 0 { "pro" } else { "free" }.to_owned(),
        ..account(id)
    };
    let accounts = ids.iter().enumerate().map(on_plan).collect();
    let request = proto::BatchUpsertAccountsRequest { accounts, ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("accounts");
    let ranked = proto::Measure { comparison: proto::Comparison::PlanRank.into(), ..of_users(7) };
    let ranked = proto::Measure {
        curve: vec![proto::CurvePoint { x: 0.0, points: 0.0 }, proto::CurvePoint { x: 1.0, points: 100.0 }],
        ..ranked
    };
    harness.activate("ranked", model_of(ranked)).await;
    let mut answered = Vec::new();
    let mut draw = draws(20_260_301);
    for _ in 1..=10 {
        let today = harness.clock.today().to_string();
        harness.record(ids.iter().flat_map(|id| drawn_signals(&mut draw, id, &today)).collect()).await;
        harness.settle().await;
        for id in &ids {
            answered.push(said(&harness.health_of(id, &today).await));
        }
        harness.pass_days(1).await;
    }
    assert!(answered.iter().filter(|health| health.score.is_some()).count() > 200);
    // On the first day there is no day before to compare with, as a recomputation leaves it.
    assert_answers_stay(&mut harness, "2026-03-01", &answered).await;
}

#[tokio::test]
async fn r62_history_pages_newest_first() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.record(vec![usage("acme", "2026-03-01", "emails", 50)]).await;
    harness.settle().await;
    harness.pass_days(9).await;
    let expected: Vec<String> = (1..=10).rev().map(|day| format!("2026-03-{day:02}")).collect();
    pagination::assert_pages_cover(
        async |page_size, page_token| {
            let (days, next) =
                history(&harness, proto::GetHealthHistoryRequest { page_size, page_token, ..of_acme() }).await?;
            Ok((days_of(days), next))
        },
        async |page_size, page_token| {
            let start_day = "2026-03-02".to_owned();
            let request = proto::GetHealthHistoryRequest { start_day, page_size, page_token, ..of_acme() };
            let (days, next) = history(&harness, request).await?;
            Ok((days_of(days), next))
        },
        &expected,
    )
    .await;
}

#[tokio::test]
async fn r62_history_holds_the_days_asked_for_the_first_and_the_last_included() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme", "other"]).await;
    harness.record(vec![usage("acme", "2026-03-01", "emails", 50), usage("other", "2026-03-01", "emails", 1)]).await;
    harness.settle().await;
    harness.pass_days(5).await;
    let between = async |start_day: &str, end_day: &str| {
        let (start_day, end_day) = (start_day.to_owned(), end_day.to_owned());
        let request = proto::GetHealthHistoryRequest { start_day, end_day, ..of_acme() };
        history(&harness, request).await.map(|(days, _)| days_of(days))
    };
    assert_eq!(between("2026-03-02", "2026-03-04").await.expect("days"), ["2026-03-04", "2026-03-03", "2026-03-02"]);
    assert_eq!(between("2026-03-05", "").await.expect("days"), ["2026-03-06", "2026-03-05"]);
    assert_eq!(between("", "2026-03-01").await.expect("days"), ["2026-03-01"]);
    assert_eq!(between("2026-03-03", "2026-03-03").await.expect("days"), ["2026-03-03"]);
    assert_eq!(between("2027-01-01", "").await.expect("days"), [""; 0]);
    let reversed = between("2026-03-03", "2026-03-02").await.expect_err("a refusal");
    assert_eq!((reversed.code(), violated_fields(&reversed)), (Code::InvalidArgument, vec!["end_day".to_owned()]));
    let unreadable = between("03/01/2026", "2026-13-01").await.expect_err("a refusal");
    assert_eq!(violated_fields(&unreadable), ["start_day", "end_day"]);
    let of_nobody = proto::GetHealthHistoryRequest { account: "accounts/nobody".to_owned(), ..Default::default() };
    let unknown = history(&harness, of_nobody).await.expect_err("a refusal");
    assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::NotFound, "ACCOUNT_NOT_FOUND"));
}
