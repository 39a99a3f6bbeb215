//! What signals of contracts make of accounts.

use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use proto::lifecycle_signal::Change;
use proto::{InvoiceAction, LifecycleStage, PlanChangeDirection, RiskTriggerKind};

use crate::account_fixtures::{account_events, archive, get, time};
use crate::harness::{Harness, account, at};
use crate::refusals::{reason, violated_fields};
use crate::risk_fixtures::{Told, churn, events_of, invoice, lasting, lifecycle, risk_events, told_of};

fn seats(id: &str, time: &str, seats: i64) -> proto::Signal {
    lifecycle(id, time, Change::SeatChange(proto::SeatChange { seats }))
}

fn renewal(id: &str, at: &str, until: &str) -> proto::Signal {
    lifecycle(id, at, Change::Renewal(proto::Renewal { renewal_time: Some(time(until)) }))
}

fn money(minor_units: i64, currency_code: &str) -> Money {
    Money { currency_code: currency_code.to_owned(), minor_units }
}

fn plan_change(at: &str, plan: &str, arr: Option<Money>, direction: PlanChangeDirection) -> proto::Signal {
    let told = proto::PlanChange { plan: plan.to_owned(), arr, direction: direction.into() };
    lifecycle("acme", at, Change::PlanChange(told))
}

async fn acme() -> Harness {
    let mut harness = Harness::start("2026-03-20T12:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness
}

#[tokio::test]
async fn r67_signals_of_a_contract_change_the_account_as_an_update_would() {
    let mut harness = acme().await;
    let before = get(&harness, "acme").await.expect("the account");
    harness
        .record(vec![
            lifecycle("acme", "2026-03-01T08:00:00Z", Change::Activation(proto::Activation {})),
            renewal("acme", "2026-03-02", "2027-03-02"),
            seats("acme", "2026-03-03", 25),
            lifecycle(
                "acme",
                "2026-03-04",
                Change::Milestone(proto::Milestone { milestone: "first_import".to_owned() }),
            ),
        ])
        .await;
    let after = get(&harness, "acme").await.expect("the account");
    let expected = proto::Account {
        lifecycle_stage: LifecycleStage::Active.into(),
        activation_time: Some(time("2026-03-01T08:00:00Z")),
        renewal_time: Some(time("2027-03-02")),
        seats: Some(25),
        update_time: after.update_time,
        etag: after.etag.clone(),
        ..before
    };
    assert_eq!(after, expected);
    let told = account_events(&mut harness).await;
    assert_eq!(told.iter().map(|(kind, _)| *kind).collect::<Vec<_>>()[1..], [proto::AccountChangeKind::Updated]);
    assert_eq!(told[1].1, after);
    let changes = events_of::<proto::LifecycleChanged>(&harness).await;
    let days: Vec<_> = changes.iter().map(|(time, _)| time.date_naive().to_string()).collect();
    assert_eq!(days, ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"]);
    assert!(changes.iter().all(|(at, change)| change.change_time.expect("a time").seconds == at.timestamp()));
}

#[tokio::test]
async fn late_signals_change_nothing_that_is_newer() {
    let mut harness = acme().await;
    harness.record(vec![seats("acme", "2026-03-10", 30)]).await;
    harness.record(vec![seats("acme", "2026-03-05", 10)]).await;
    assert_eq!(get(&harness, "acme").await.expect("the account").seats, Some(30));
    harness.record(vec![renewal("acme", "2026-03-12", "2027-01-01")]).await;
    harness.record(vec![churn("acme", "2026-03-11")]).await;
    assert_eq!(get(&harness, "acme").await.expect("the account").lifecycle_stage(), LifecycleStage::Active);
    assert_eq!(events_of::<proto::LifecycleChanged>(&harness).await.len(), 4, "but each is told");

    // What the CRM says now is newer than what signals said of the days before.
    let update = proto::UpdateAccountRequest {
        account: Some(proto::Account { seats: Some(50), ..account("acme") }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["seats".to_owned()] }),
        ..Default::default()
    };
    harness.accounts.update_account(update).await.expect("updated");
    harness.record(vec![seats("acme", "2026-03-19", 40)]).await;
    assert_eq!(get(&harness, "acme").await.expect("the account").seats, Some(50));
    harness.clock.set(at("2026-03-22"));
    harness.record(vec![seats("acme", "2026-03-21", 60)]).await;
    assert_eq!(get(&harness, "acme").await.expect("the account").seats, Some(60));
}

#[tokio::test]
async fn a_signal_sent_again_or_that_changes_nothing_tells_of_no_account() {
    let mut harness = acme().await;
    harness.record(vec![seats("acme", "2026-03-10", 30)]).await;
    assert_eq!(harness.record(vec![seats("acme", "2026-03-10", 30)]).await.duplicate_count, 1);
    let mut other = seats("acme", "2026-03-11", 30);
    other.source_id = "other".to_owned();
    harness.record(vec![other]).await;
    assert_eq!(account_events(&mut harness).await.len(), 2);
    assert_eq!(events_of::<proto::LifecycleChanged>(&harness).await.len(), 2);
}

#[tokio::test]
async fn r67_an_upgrade_changes_plan_and_revenue_once_and_is_told() {
    let mut harness = acme().await;
    let before = get(&harness, "acme").await.expect("the account");
    let upgrade = plan_change("2026-03-10", "pro", Some(money(1_200_000, "EUR")), PlanChangeDirection::Upgrade);
    harness.record(vec![upgrade.clone()]).await;
    let after = get(&harness, "acme").await.expect("the account");
    let expected = proto::Account {
        plan: "pro".to_owned(),
        arr: Some(money(1_200_000, "EUR")),
        update_time: after.update_time,
        etag: after.etag.clone(),
        ..before
    };
    assert_eq!(after, expected);
    assert_eq!(account_events(&mut harness).await[1].1, after);
    let told = events_of::<proto::LifecycleChanged>(&harness).await;
    let Some(proto::signal::Payload::Lifecycle(said)) = upgrade.payload.clone() else { panic!("no contract") };
    assert_eq!(told.iter().map(|(_, change)| change.change.clone()).collect::<Vec<_>>(), [Some(said)]);

    let request = proto::ListSignalsRequest { parent: "accounts/acme".to_owned(), ..Default::default() };
    let listed = harness.signals.list_signals(request).await.expect("signals").into_inner().signals;
    assert_eq!(listed.iter().map(|signal| &signal.payload).collect::<Vec<_>>(), [&upgrade.payload]);

    assert_eq!(harness.record(vec![upgrade]).await.duplicate_count, 1);
    let late = plan_change("2026-03-05", "starter", Some(money(600_000, "EUR")), PlanChangeDirection::Downgrade);
    harness.record(vec![late]).await;
    assert_eq!(get(&harness, "acme").await.expect("the account"), after);
    assert_eq!(account_events(&mut harness).await.len(), 2);
    assert_eq!(
        events_of::<proto::LifecycleChanged>(&harness).await.len(),
        2,
        "the late one is told, the known one is not"
    );

    // A change sideways of which nothing else is known.
    harness.record(vec![plan_change("2026-03-11", "", None, PlanChangeDirection::Lateral)]).await;
    assert_eq!(get(&harness, "acme").await.expect("the account"), after);
    assert_eq!(events_of::<proto::LifecycleChanged>(&harness).await.len(), 3);
}

#[tokio::test]
async fn plan_and_revenue_that_the_crm_said_later_are_kept() {
    let mut harness = acme().await;
    harness.record(vec![plan_change("2026-03-10", "pro", Some(money(900, "EUR")), PlanChangeDirection::Upgrade)]).await;
    let update = proto::UpdateAccountRequest {
        account: Some(proto::Account { plan: "team".to_owned(), arr: Some(money(500, "EUR")), ..account("acme") }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["plan".to_owned(), "arr".to_owned()] }),
        ..Default::default()
    };
    harness.accounts.update_account(update).await.expect("updated");
    harness
        .record(vec![plan_change("2026-03-19", "max", Some(money(2_000, "EUR")), PlanChangeDirection::Upgrade)])
        .await;
    let kept = get(&harness, "acme").await.expect("the account");
    assert_eq!((kept.plan.as_str(), kept.arr), ("team", Some(money(500, "EUR"))));
    harness.clock.set(at("2026-03-22"));
    harness
        .record(vec![plan_change("2026-03-21", "max", Some(money(2_000, "EUR")), PlanChangeDirection::Upgrade)])
        .await;
    let changed = get(&harness, "acme").await.expect("the account");
    assert_eq!((changed.plan.as_str(), changed.arr), ("max", Some(money(2_000, "EUR"))));
}

#[tokio::test]
async fn plan_and_revenue_said_before_signals_told_of_them_hold_against_older_signals() {
    let mut harness = acme().await;
    let account = proto::Account { plan: "team".to_owned(), arr: Some(money(500, "EUR")), ..account("acme") };
    let request = proto::BatchUpsertAccountsRequest { accounts: vec![account], ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("upserted");
    harness.record(vec![seats("acme", "2026-03-10", 30)]).await;
    let migration = include_str!("../../migrations/0024_plans_by_signals.sql").replace("{schema}", "scoring");
    let as_before =
        "UPDATE scoring.lifecycles SET state = jsonb_set(state, '{given}', (state -> 'given') - 'plan' - 'revenue')";
    for sql in [as_before, &migration] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(harness.database.pool()).await.expect("runs");
    }
    let before = get(&harness, "acme").await.expect("the account");
    harness.record(vec![plan_change("2026-03-12", "pro", Some(money(900, "EUR")), PlanChangeDirection::Upgrade)]).await;
    assert_eq!(get(&harness, "acme").await.expect("the account"), before);
    harness.clock.set(at("2026-03-25"));
    harness.record(vec![plan_change("2026-03-24", "pro", None, PlanChangeDirection::Upgrade)]).await;
    assert_eq!(get(&harness, "acme").await.expect("the account").plan, "pro");
}

#[tokio::test]
async fn revenue_in_another_currency_than_the_monthly_one_is_refused_as_an_update_would_be() {
    let mut harness = acme().await;
    let monthly = proto::Account { mrr: Some(money(100, "USD")), ..account("acme") };
    let request = proto::BatchUpsertAccountsRequest { accounts: vec![monthly], ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("upserted");
    harness.clock.set(at("2026-03-22"));
    let upgrade =
        |currency| plan_change("2026-03-21", "pro", Some(money(2_000, currency)), PlanChangeDirection::Upgrade);
    let request = proto::BatchRecordSignalsRequest { signals: vec![upgrade("EUR")], ..Default::default() };
    let status = harness.signals.batch_record_signals(request).await.expect_err("a refusal");
    assert_eq!(violated_fields(&status), ["signals[0].lifecycle.plan_change.arr.currency_code"]);
    harness.record(vec![upgrade("USD")]).await;
    let changed = get(&harness, "acme").await.expect("the account");
    assert_eq!((changed.arr, changed.mrr), (Some(money(2_000, "USD")), Some(money(100, "USD"))));
}

#[tokio::test]
async fn churn_ends_what_put_the_account_at_risk_and_its_return_raises_what_still_does() {
    let mut harness = acme().await;
    harness.record(vec![invoice("acme", "2026-03-01", "in-1", InvoiceAction::Overdue)]).await;
    harness.record(vec![invoice("acme", "2026-03-01", "in-2", InvoiceAction::Overdue)]).await;
    harness.record(vec![churn("acme", "2026-03-10")]).await;
    assert_eq!(get(&harness, "acme").await.expect("the account").lifecycle_stage(), LifecycleStage::Churned);
    assert_eq!(lasting(&harness, "acme").await, []);
    harness
        .record(vec![
            invoice("acme", "2026-03-11", "in-2", InvoiceAction::Paid),
            invoice("acme", "2026-03-11", "in-3", InvoiceAction::PaymentFailed),
        ])
        .await;
    assert_eq!(lasting(&harness, "acme").await, [], "of a customer who left nothing is raised");
    harness.record(vec![renewal("acme", "2026-03-12", "2027-03-12")]).await;
    let subjects: Vec<String> = told_of(&harness, RiskTriggerKind::PaymentFailed)
        .await
        .into_iter()
        .skip(4)
        .map(|(told, subject)| {
            assert_eq!(told, Told::Raised);
            subject
        })
        .collect();
    assert_eq!(subjects, ["in-1", "in-3"]);
}

#[tokio::test]
async fn churn_said_by_the_crm_ends_it_too() {
    let mut harness = acme().await;
    harness.record(vec![invoice("acme", "2026-03-01", "in-1", InvoiceAction::Overdue)]).await;
    let gone = proto::Account { lifecycle_stage: LifecycleStage::Churned.into(), ..account("acme") };
    let request = proto::BatchUpsertAccountsRequest { accounts: vec![gone], ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("upserted");
    let told = risk_events(&harness).await;
    assert_eq!(told[1].0, Told::Cleared);
    assert_eq!(told[1].1.clear_reason(), proto::RiskTriggerClearReason::AccountGone);
}

#[tokio::test]
async fn an_archived_account_takes_no_signals_of_its_contract() {
    let mut harness = acme().await;
    archive(&harness, "acme", "").await.expect("archived");
    let request =
        proto::BatchRecordSignalsRequest { signals: vec![seats("acme", "2026-03-10", 3)], ..Default::default() };
    let status = harness.signals.batch_record_signals(request).await.expect_err("a refusal");
    assert_eq!(reason(&status), "ACCOUNT_ARCHIVED");
    assert_eq!(get(&harness, "acme").await.expect("the account").seats, None);
}
