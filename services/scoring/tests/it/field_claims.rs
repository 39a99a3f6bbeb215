//! Who said what of accounts, and on what systems disagree.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::lifecycle_signal::Change;
use mainstay_api::mainstay::scoring::v1::report_service_client::ReportServiceClient;
use prost_types::FieldMask;
use proto::{LifecycleStage, Segment};

use crate::account_fixtures::{archive, owner, time};
use crate::billing_fixtures::money;
use crate::harness::{Harness, account, at};
use crate::refusals::{reason, violated_fields};
use crate::risk_fixtures::{churn, lifecycle};

async fn say(harness: &Harness, source: &str, paths: &[&str], accounts: Vec<proto::Account>) {
    let update_mask =
        (!paths.is_empty()).then(|| FieldMask { paths: paths.iter().map(|&path| path.to_owned()).collect() });
    let request =
        proto::BatchUpsertAccountsRequest { accounts, update_mask, source: source.to_owned(), ..Default::default() };
    harness.accounts.clone().batch_upsert_accounts(request).await.expect("accounts");
}

/// Field, source, value and whether it is disputed.
async fn claims(harness: &Harness, id: &str) -> Vec<(String, String, String, bool)> {
    let request = proto::ListFieldClaimsRequest { account: format!("accounts/{id}") };
    let claims = harness.accounts.clone().list_field_claims(request).await.expect("claims").into_inner().claims;
    claims.into_iter().map(|claim| (claim.field, claim.source, claim.value, claim.disputed)).collect()
}

fn claim(field: &str, source: &str, value: &str, disputed: bool) -> (String, String, String, bool) {
    (field.to_owned(), source.to_owned(), value.to_owned(), disputed)
}

async fn disagreements(harness: &Harness) -> Vec<proto::Disagreement> {
    let mut client = ReportServiceClient::new(harness.channel.clone());
    let request = proto::GetDataQualityReportRequest {};
    client.get_data_quality_report(request).await.expect("a report").into_inner().disagreements
}

fn on_plan(id: &str, plan: &str, seats: i64) -> proto::Account {
    proto::Account { plan: plan.to_owned(), seats: Some(seats), ..account(id) }
}

#[tokio::test]
async fn r216_what_systems_say_differently_is_told_until_they_agree() {
    let harness = Harness::start("2026-03-01T08:00:00Z").await;
    let full = proto::Account {
        segment: Segment::Smb.into(),
        arr: Some(money("EUR", 120_000)),
        renewal_time: Some(time("2026-06-30")),
        owners: vec![owner(1, "mia@example.com")],
        ..on_plan("acme", "Pro", 5)
    };
    say(&harness, "crm", &[], vec![full, on_plan("beta", "Pro", 5)]).await;
    say(&harness, "billing", &["plan", "seats"], vec![on_plan("acme", " pro ", 7), on_plan("beta", "Team", 9)]).await;
    // What nobody says who they are says changes the account, and is nobody's word.
    say(&harness, "", &["plan"], vec![on_plan("acme", "Free", 1)]).await;

    let expected = [
        claim("arr", "crm", "1,200.00 EUR", false),
        claim("owners.csm", "crm", "mia@example.com", false),
        claim("plan", "billing", " pro ", false),
        claim("plan", "crm", "Pro", false),
        claim("renewal_time", "crm", "2026-06-30", false),
        claim("seats", "billing", "7", true),
        claim("seats", "crm", "5", true),
        claim("segment", "crm", "smb", false),
    ];
    assert_eq!(claims(&harness, "acme").await, expected, "case and spaces do not matter");
    let told = disagreements(&harness).await;
    let fields: Vec<_> = told.iter().map(|one| (one.field.as_str(), one.account_count)).collect();
    assert_eq!(fields, [("seats", 2), ("plan", 1)], "those of most customers first");
    let seats: Vec<_> = told[0].accounts.iter().map(|one| one.account.as_str()).collect();
    assert_eq!(seats, ["accounts/acme", "accounts/beta"]);
    let words: Vec<_> =
        told[1].accounts[0].claims.iter().map(|one| (one.source.as_str(), one.value.as_str())).collect();
    assert_eq!(words, [("billing", "Team"), ("crm", "Pro")]);

    let own = proto::SetDataOwnerRequest {
        subject: "fields/seats".to_owned(),
        owner_email: "sam@example.com".to_owned(),
        ..Default::default()
    };
    ReportServiceClient::new(harness.channel.clone()).set_data_owner(own).await.expect("an owner");
    assert_eq!(disagreements(&harness).await[0].owner_email, "sam@example.com");

    // One corrects itself, the other says nothing of it any more.
    say(&harness, "crm", &["seats"], vec![on_plan("acme", "", 7)]).await;
    say(&harness, "billing", &["seats", "plan"], vec![proto::Account { seats: None, ..on_plan("beta", "", 0) }]).await;
    assert_eq!(disagreements(&harness).await, []);
    assert_eq!(claims(&harness, "beta").await, [claim("plan", "crm", "Pro", false), claim("seats", "crm", "5", false)]);
}

#[tokio::test]
async fn r216_revenue_by_month_and_by_year_is_the_same_when_it_is_rounded() {
    let harness = Harness::start("2026-03-01T08:00:00Z").await;
    let yearly = |minor| proto::Account { arr: Some(money("EUR", minor)), ..account("acme") };
    let monthly = |minor| proto::Account { mrr: Some(money("EUR", minor)), ..account("acme") };
    say(&harness, "crm", &["display_name", "arr"], vec![yearly(100_000)]).await;
    say(&harness, "billing", &["mrr"], vec![monthly(8_333)]).await;
    assert_eq!(disagreements(&harness).await, []);
    say(&harness, "crm", &["mrr"], vec![monthly(9_000)]).await;
    assert_eq!(disagreements(&harness).await, [], "of the CRM its ARR counts");
    say(&harness, "billing", &["mrr"], vec![monthly(8_400)]).await;
    let told = disagreements(&harness).await;
    let words: Vec<_> =
        told[0].accounts[0].claims.iter().map(|one| (one.source.as_str(), one.field.as_str())).collect();
    assert_eq!((told[0].field.as_str(), words), ("arr", vec![("billing", "mrr"), ("crm", "arr"), ("crm", "mrr")]));
}

#[tokio::test]
async fn r216_single_calls_say_who_speaks_too_also_when_nothing_changes() {
    let harness = Harness::start("2026-03-01T08:00:00Z").await;
    let mut accounts = harness.accounts.clone();
    let create = proto::CreateAccountRequest {
        account_id: "acme".to_owned(),
        account: Some(proto::Account { name: String::new(), ..on_plan("acme", "Pro", 5) }),
        source: "crm".to_owned(),
        ..Default::default()
    };
    accounts.create_account(create).await.expect("created");
    let update = |source: &str, plan: &str| proto::UpdateAccountRequest {
        account: Some(proto::Account { plan: plan.to_owned(), ..account("acme") }),
        update_mask: Some(FieldMask { paths: vec!["plan".to_owned()] }),
        source: source.to_owned(),
        ..Default::default()
    };
    accounts.update_account(update("billing", "Pro")).await.expect("the same");
    let expected =
        [claim("plan", "billing", "Pro", false), claim("plan", "crm", "Pro", false), claim("seats", "crm", "5", false)];
    assert_eq!(claims(&harness, "acme").await, expected);
    accounts.update_account(update("billing", "Team")).await.expect("updated");
    assert_eq!(disagreements(&harness).await.len(), 1);
    let refused = accounts.update_account(update("Our CRM", "Team")).await.expect_err("refused");
    assert_eq!(violated_fields(&refused), ["source"]);
    let nobody = proto::ListFieldClaimsRequest { account: "accounts/nobody".to_owned() };
    assert_eq!(reason(&accounts.list_field_claims(nobody).await.expect_err("refused")), "ACCOUNT_NOT_FOUND");
}

#[tokio::test]
async fn r216_only_customers_are_counted_and_what_is_said_again_keeps_its_time_for_a_day() {
    let mut harness = Harness::start("2026-03-01T08:00:00Z").await;
    let ids = ["acme", "left", "archived"];
    say(&harness, "crm", &[], ids.map(|id| on_plan(id, "Pro", 5)).to_vec()).await;
    say(&harness, "billing", &["plan"], ids.map(|id| on_plan(id, "Team", 5)).to_vec()).await;
    harness.record(vec![churn("left", "2026-03-01")]).await;
    archive(&harness, "archived", "").await.expect("archived");
    let told = disagreements(&harness).await;
    assert_eq!(told.iter().map(|one| one.account_count).collect::<Vec<_>>(), [1]);

    let told_at = async || {
        let request = proto::ListFieldClaimsRequest { account: "accounts/acme".to_owned() };
        let claims = harness.accounts.clone().list_field_claims(request).await.expect("claims").into_inner().claims;
        claims[0].told_time.expect("a time").seconds - at("2026-03-01T08:00:00Z").timestamp()
    };
    for (hours, expected) in [(0, 0), (20, 0), (30, 30 * 3_600)] {
        harness.clock.set(at("2026-03-01T08:00:00Z") + chrono::TimeDelta::hours(hours));
        say(&harness, "billing", &["plan"], vec![on_plan("acme", "Team", 5)]).await;
        assert_eq!(told_at().await, expected, "after {hours} h");
    }
    let active = proto::Account { lifecycle_stage: LifecycleStage::Active.into(), ..on_plan("left", "Team", 5) };
    say(&harness, "crm", &["lifecycle_stage"], vec![active]).await;
    assert_eq!(disagreements(&harness).await[0].account_count, 2, "it is back");
}

#[tokio::test]
async fn r216_a_change_of_the_plan_is_a_word_of_its_source_unless_a_newer_one_was_told() {
    let mut harness = Harness::start("2026-03-01T08:00:00Z").await;
    let full = proto::Account { arr: Some(money("EUR", 120_000)), ..on_plan("acme", "Pro", 5) };
    say(&harness, "crm", &[], vec![full]).await;
    let plan_change = |day: &str, plan: &str, arr: Option<i64>| {
        let arr = arr.map(|arr| money("EUR", arr));
        let told = proto::PlanChange { plan: plan.to_owned(), arr, ..proto::PlanChange::default() };
        proto::Signal { source: "stripe".to_owned(), ..lifecycle("acme", day, Change::PlanChange(told)) }
    };
    let of_stripe = async |harness: &Harness| {
        let claims = claims(harness, "acme").await.into_iter().filter(|claim| claim.1 == "stripe");
        claims.map(|(field, _, value, disputed)| (field, value, disputed)).collect::<Vec<_>>()
    };
    let said = |field: &str, value: &str, disputed: bool| (field.to_owned(), value.to_owned(), disputed);
    // What the CRM said is newer, and holds; that they disagree is known all the same.
    harness.record(vec![plan_change("2026-02-10", "Team", Some(90_000))]).await;
    let expected = [said("arr", "900.00 EUR", true), said("plan", "Team", true)];
    assert_eq!(of_stripe(&harness).await, expected);
    let fields: Vec<_> = disagreements(&harness).await.into_iter().map(|one| one.field).collect();
    assert_eq!(fields, ["arr", "plan"]);

    harness.record(vec![plan_change("2026-02-01", "Free", Some(0))]).await;
    assert_eq!(of_stripe(&harness).await, expected, "of before");
    harness.record(vec![plan_change("2026-02-20", "pro", None)]).await;
    assert_eq!(of_stripe(&harness).await, [said("arr", "900.00 EUR", true), said("plan", "pro", false)]);
    harness.record(vec![plan_change("2026-02-21", "", Some(120_000))]).await;
    assert_eq!(disagreements(&harness).await, []);
}
