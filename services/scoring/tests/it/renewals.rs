//! Renewals: which are due, what is expected of them, and what became of them; and how much of the revenue stayed.

use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::lifecycle_signal::Change;
use mainstay_api::mainstay::scoring::v1::renewal_service_client::RenewalServiceClient;
use mainstay_testkit::pagination;
use proto::{LifecycleStage, RenewalExpectation, RenewalOutcome};
use tonic::transport::Channel;
use tonic::{Response, Status};

use crate::account_fixtures::{archive, time};
use crate::forecasts::company;
use crate::harness::{Harness, account};
use crate::refusals::violated_fields;
use crate::risk_fixtures::{churn, lifecycle};

pub(crate) fn client(harness: &Harness) -> RenewalServiceClient<Channel> {
    RenewalServiceClient::new(harness.channel.clone())
}

/// A customer whose contract is due on a day; with yearly revenue in cents.
pub(crate) fn due(id: &str, day: &str, arr: i64) -> proto::Account {
    proto::Account { renewal_time: Some(time(day)), arr: euros(arr), ..account(id) }
}

#[expect(clippy::unnecessary_wraps, reason = "as messages have it")]
fn euros(minor_units: i64) -> Option<Money> {
    Some(Money { currency_code: "EUR".to_owned(), minor_units })
}

pub(crate) async fn upsert(harness: &Harness, accounts: Vec<proto::Account>) {
    let request = proto::BatchUpsertAccountsRequest { accounts, ..Default::default() };
    harness.accounts.clone().batch_upsert_accounts(request).await.expect("accounts");
}

pub(crate) async fn list(harness: &Harness, request: proto::ListRenewalsRequest) -> Vec<proto::DueRenewal> {
    client(harness).list_renewals(request).await.expect("renewals").into_inner().renewals
}

pub(crate) async fn set_call(
    harness: &Harness,
    id: &str,
    expectation: RenewalExpectation,
) -> Result<proto::RenewalCall, Status> {
    let request = proto::SetRenewalCallRequest {
        account: format!("accounts/{id}"),
        expectation: expectation.into(),
        note: "talked to their CTO".to_owned(),
        author_email: "sam@example.com".to_owned(),
        ..Default::default()
    };
    client(harness).set_renewal_call(request).await.map(Response::into_inner)
}

pub(crate) async fn report(harness: &Harness, start_day: &str, end_day: &str) -> Result<proto::RenewalReport, Status> {
    let request = proto::GetRenewalReportRequest { start_day: start_day.to_owned(), end_day: end_day.to_owned() };
    client(harness).get_renewal_report(request).await.map(Response::into_inner)
}

pub(crate) async fn retention(
    harness: &Harness,
    start_day: &str,
    end_day: &str,
) -> Result<proto::RevenueRetention, Status> {
    let request = proto::GetRevenueRetentionRequest { start_day: start_day.to_owned(), end_day: end_day.to_owned() };
    client(harness).get_revenue_retention(request).await.map(Response::into_inner)
}

/// Four customers on 2026-01-10, whose contracts are due in spring; by 2026-06-01 `a` and `d` renewed, `b` left, of `c` nothing was
/// heard.
pub(crate) async fn spring() -> Harness {
    let mut harness = Harness::start("2026-01-10T12:00:00Z").await;
    upsert(
        &harness,
        vec![
            due("a", "2026-03-01", 100_000),
            due("b", "2026-04-01", 20_000),
            due("c", "2026-05-01", 5_000),
            due("d", "2026-05-01", 3_000),
        ],
    )
    .await;
    harness.turn_to("2026-02-25").await;
    let renewal =
        |id: &str, until| lifecycle(id, "2026-02-25", Change::Renewal(proto::Renewal { renewal_time: until }));
    harness.record(vec![renewal("a", Some(time("2027-03-01")))]).await;
    harness.turn_to("2026-03-20").await;
    harness.record(vec![churn("b", "2026-03-20")]).await;
    harness.turn_to("2026-04-20").await;
    upsert(&harness, vec![due("d", "2026-05-02", 3_000)]).await;
    upsert(&harness, vec![due("d", "2027-05-02", 4_000)]).await;
    harness.turn_to("2026-06-01").await;
    harness
}

#[tokio::test]
async fn r66_renewals_are_listed_by_due_time_with_what_became_of_them() {
    let harness = spring().await;
    let all = list(&harness, proto::ListRenewalsRequest::default()).await;
    let shown: Vec<(&str, i64, RenewalOutcome, i64)> = all
        .iter()
        .map(|one| {
            let arr = one.arr.as_ref().map_or(0, |arr| arr.minor_units);
            (one.account.as_str(), one.due_time.expect("a time").seconds, one.outcome(), arr)
        })
        .collect();
    let at = |day: &str| time(day).seconds;
    assert_eq!(
        shown,
        [
            ("accounts/a", at("2026-03-01"), RenewalOutcome::Renewed, 100_000),
            ("accounts/b", at("2026-04-01"), RenewalOutcome::Churned, 20_000),
            ("accounts/c", at("2026-05-01"), RenewalOutcome::Unspecified, 5_000),
            // Moved by a day it was corrected, by a year renewed; the revenue is that before.
            ("accounts/d", at("2026-05-02"), RenewalOutcome::Renewed, 3_000),
            ("accounts/a", at("2027-03-01"), RenewalOutcome::Unspecified, 100_000),
            ("accounts/d", at("2027-05-02"), RenewalOutcome::Unspecified, 4_000),
        ]
    );
    let fetch = async |page_size: i32, page_token: String, undecided_only: bool| {
        let request = proto::ListRenewalsRequest { page_size, page_token, undecided_only, ..Default::default() };
        let page = client(&harness).list_renewals(request).await?.into_inner();
        let key = |one: proto::DueRenewal| format!("{} {}", one.account, one.due_time.expect("a time").seconds);
        Ok((page.renewals.into_iter().map(key).collect(), page.next_page_token))
    };
    let keys: Vec<String> = shown.iter().map(|(account, due, _, _)| format!("{account} {due}")).collect();
    pagination::assert_pages_cover(
        async |size, token| fetch(size, token, false).await,
        async |size, token| fetch(size, token, true).await,
        &keys,
    )
    .await;
    let days = proto::ListRenewalsRequest {
        start_day: "2026-04-01".to_owned(),
        end_day: "2026-05-02".to_owned(),
        ..Default::default()
    };
    assert_eq!(list(&harness, days).await.len(), 2);
    let reversed = proto::ListRenewalsRequest {
        start_day: "2026-04-01".to_owned(),
        end_day: "2026-04-01".to_owned(),
        ..Default::default()
    };
    let status = client(&harness).list_renewals(reversed).await.expect_err("a refusal");
    assert_eq!(violated_fields(&status), ["end_day"]);
}

#[tokio::test]
async fn r51_the_renewal_rate_counts_what_is_decided_against_the_target() {
    let harness = spring().await;
    let spring = report(&harness, "2026-03-01", "2026-06-01").await.expect("a report");
    assert_eq!((spring.renewed_count, spring.churned_count, spring.undecided_count), (2, 1, 1));
    assert!(spring.renewal_rate.is_some_and(|rate| (rate - 2.0 / 3.0).abs() < 1e-12));
    // R's `binom::binom.wilson(2, 3)`.
    assert!(spring.rate_low.is_some_and(|low| (low - 0.207_659_6).abs() < 1e-6), "{spring:?}");
    assert_eq!((spring.target_rate, spring.as_of_time), (0.85, Some(time(&harness.clock_time()))));
    let revenue = &spring.revenues[0];
    assert_eq!((revenue.renewed_arr.clone(), revenue.churned_arr.clone()), (euros(103_000), euros(20_000)));
    assert!(revenue.renewal_rate.is_some_and(|rate| (rate - 103.0 / 123.0).abs() < 1e-12));
    assert!(spring.accuracy.is_none(), "nobody said anything");
    let year = report(&harness, "", "").await.expect("a report");
    assert_eq!((year.start_day.as_str(), year.end_day.as_str()), ("2025-06-01", "2026-06-01"));
    assert_eq!(year.renewed_count, 2);
    let none = report(&harness, "2026-01-01", "2026-02-01").await.expect("a report");
    assert_eq!((none.renewal_rate, none.revenues), (None, Vec::new()));
    let status = report(&harness, "2026-06-02", "2026-06-02").await.expect_err("a refusal");
    assert_eq!(violated_fields(&status), ["end_day", "end_day"]);
}

#[tokio::test]
async fn a_customer_that_is_back_has_its_renewal_before_it_again() {
    let mut harness = Harness::start("2026-01-10T12:00:00Z").await;
    upsert(&harness, vec![due("a", "2026-06-01", 100)]).await;
    harness.turn_to("2026-02-01").await;
    harness.record(vec![churn("a", "2026-02-01")]).await;
    assert_eq!(list(&harness, proto::ListRenewalsRequest::default()).await[0].outcome(), RenewalOutcome::Churned);
    harness.turn_to("2026-02-02").await;
    harness.record(vec![lifecycle("a", "2026-02-02", Change::Activation(proto::Activation {}))]).await;
    let renewals = list(&harness, proto::ListRenewalsRequest::default()).await;
    assert_eq!(renewals.iter().map(proto::DueRenewal::outcome).collect::<Vec<_>>(), [RenewalOutcome::Unspecified]);
}

/// Each renewal's due time and outcome.
async fn outcomes(harness: &Harness) -> Vec<(String, i64, RenewalOutcome)> {
    let all = list(harness, proto::ListRenewalsRequest::default()).await;
    all.iter().map(|one| (one.account.clone(), one.due_time.expect("a time").seconds, one.outcome())).collect()
}

fn outcome(id: &str, day: &str, outcome: RenewalOutcome) -> (String, i64, RenewalOutcome) {
    (format!("accounts/{id}"), time(day).seconds, outcome)
}

#[tokio::test]
async fn a_renewal_date_that_is_corrected_backwards_takes_the_outcome_back() {
    let harness = Harness::start("2026-01-10T12:00:00Z").await;
    let due_in_spring = ["a", "b", "c"].map(|id| due(id, "2026-03-01", 100));
    upsert(&harness, due_in_spring.to_vec()).await;
    upsert(&harness, ["a", "b", "c"].map(|id| due(id, "2027-03-01", 100)).to_vec()).await;
    let renewed = ["a", "b", "c"].map(|id| outcome(id, "2026-03-01", RenewalOutcome::Renewed));
    assert_eq!(outcomes(&harness).await[..3], renewed);
    upsert(
        &harness,
        vec![
            due("a", "2026-03-01", 100),
            // Less than 28 days on: not renewed, but corrected.
            due("b", "2026-03-28", 100),
            // Renewed, but not for so long.
            due("c", "2026-03-29", 100),
        ],
    )
    .await;
    assert_eq!(
        outcomes(&harness).await,
        [
            outcome("a", "2026-03-01", RenewalOutcome::Unspecified),
            outcome("c", "2026-03-01", RenewalOutcome::Renewed),
            outcome("b", "2026-03-28", RenewalOutcome::Unspecified),
            outcome("c", "2026-03-29", RenewalOutcome::Unspecified),
        ]
    );
}

#[tokio::test]
async fn who_leaves_as_the_date_is_corrected_leaves_the_contract_of_the_right_date() {
    let harness = Harness::start("2026-01-10T12:00:00Z").await;
    upsert(&harness, vec![due("a", "2026-03-01", 100)]).await;
    upsert(&harness, vec![due("a", "2027-03-01", 100)]).await;
    let gone = proto::Account { lifecycle_stage: LifecycleStage::Churned.into(), ..due("a", "2026-03-01", 100) };
    upsert(&harness, vec![gone]).await;
    assert_eq!(outcomes(&harness).await, [outcome("a", "2026-03-01", RenewalOutcome::Churned)]);
    // It is back, under another date of the same contract.
    upsert(&harness, vec![due("a", "2026-03-10", 100)]).await;
    assert_eq!(outcomes(&harness).await, [outcome("a", "2026-03-10", RenewalOutcome::Unspecified)]);
}

#[tokio::test]
async fn r88_what_people_say_stands_beside_what_the_model_says() {
    let harness = company().await;
    crate::forecasts::train(&harness, proto::TrainForecastRequest::default()).await.expect("a model");
    let sql = "WITH due AS (SELECT account_id, row_number() OVER (ORDER BY account_id) AS place
                 FROM scoring.accounts WHERE lifecycle_stage = 3)
        UPDATE scoring.accounts SET renewal_at = timestamptz '2026-06-20Z' + make_interval(days => 10 * place::integer)
          FROM due WHERE due.account_id = accounts.account_id AND place <= 20";
    sqlx::raw_sql(sql).execute(harness.database.pool()).await.expect("renewals");
    let renewals = list(&harness, proto::ListRenewalsRequest::default()).await;
    assert_eq!(renewals.len(), 20);
    for one in &renewals {
        let likelihood = one.likelihood.expect("a likelihood");
        let arr = one.arr.as_ref().expect("revenue").minor_units as f64;
        let expected = one.expected_arr.as_ref().expect("revenue").minor_units as f64;
        assert!(likelihood > 0.0 && likelihood < 1.0 && (expected - arr * likelihood).abs() <= 0.5, "{one:?}");
    }
    let first = renewals[0].account.trim_start_matches("accounts/").to_owned();
    assert_eq!((renewals[0].quarter.as_str(), renewals[0].forecast_model.as_str()), ("2026-Q2", "forecastModels/1"));
    set_call(&harness, &first, RenewalExpectation::AtRisk).await.expect("a call");
    let call = set_call(&harness, &first, RenewalExpectation::Commit).await.expect("a call");
    assert_eq!(call.likelihood, renewals[0].likelihood);
    assert_ne!(call.creator, "", "who called is kept");
    let called = list(&harness, proto::ListRenewalsRequest::default()).await.remove(0).call;
    assert_eq!(called.as_ref(), Some(&call), "the last one counts");

    let request = proto::GetRenewalForecastRequest { quarter_count: 2 };
    let forecast = client(&harness).get_renewal_forecast(request).await.expect("a forecast").into_inner();
    let counts: Vec<(&str, i64, i64)> = forecast
        .quarters
        .iter()
        .map(|quarter| (quarter.quarter.as_str(), quarter.renewal_count, quarter.forecast_count))
        .collect();
    // Due from 2026-06-30 on, every ten days: that one is overdue and in the running quarter.
    assert_eq!(counts, [("2026-Q3", 10, 10), ("2026-Q4", 9, 9)]);
    let quarter = &forecast.quarters[0];
    let likelihoods: f64 = renewals[..10].iter().filter_map(|one| one.likelihood).sum();
    assert!((quarter.expected_count - likelihoods).abs() < 1e-9);
    assert!((quarter.count_low as f64) <= likelihoods && likelihoods <= quarter.count_high as f64);
    assert_eq!(
        quarter.calls.iter().map(|called| (called.expectation(), called.count)).collect::<Vec<_>>(),
        [(RenewalExpectation::Commit, 1)]
    );
    let revenue = &quarter.revenues[0];
    assert_eq!(revenue.arr, revenue.forecast_arr);

    // It leaves: the person was more certain that it would not, and more wrong.
    let mut harness = harness;
    harness.clock.set(crate::harness::at("2026-07-02"));
    harness.record(vec![churn(&first, "2026-07-02")]).await;
    let accuracy = report(&harness, "2026-06-01", "2026-07-02").await.expect("a report").accuracy.expect("figures");
    assert_eq!(accuracy.count, 1);
    assert!((accuracy.people_brier - 0.95 * 0.95).abs() < 1e-12);
    let likelihood = call.likelihood.expect("a likelihood");
    assert!((accuracy.model_brier - likelihood * likelihood).abs() < 1e-12);
}

#[tokio::test]
async fn r184_a_likelihood_has_the_interval_of_those_of_whom_as_much_was_forecast_and_the_owners_beside_it() {
    let harness = company().await;
    let sql = r#"UPDATE scoring.accounts SET renewal_at = timestamptz '2026-08-30Z', owner_emails = '{mia@example.com}',
            owners = '[{"role": "csm", "email": "mia@example.com", "display_name": "Mia"}]'
        WHERE lifecycle_stage = 3"#;
    sqlx::raw_sql(sql).execute(harness.database.pool()).await.expect("renewals");
    let early = list(&harness, proto::ListRenewalsRequest::default()).await.remove(0);
    assert_eq!((early.likelihood_low, early.likelihood_high, early.forecast_model.as_str()), (None, None, ""));
    let model = crate::forecasts::train(&harness, proto::TrainForecastRequest::default()).await.expect("a model");
    let parts = model.accuracy.expect("figures").reliability;
    let renewals = list(&harness, proto::ListRenewalsRequest { page_size: 1_000, ..Default::default() }).await;
    for one in &renewals {
        // Due in 60 days and awaited for 30: that is the horizon, of which the parts are.
        let likelihood = one.likelihood.expect("a likelihood");
        let off = |part: &proto::ReliabilityPart| (part.mean_probability - (1.0 - likelihood)).abs();
        let nearest = parts.iter().min_by(|part, other| off(part).total_cmp(&off(other))).expect("a part");
        let (low, high) = (one.likelihood_low.expect("low"), one.likelihood_high.expect("high"));
        assert!((low - (1.0 - nearest.high)).abs() < 1e-9 && (high - (1.0 - nearest.low)).abs() < 1e-9, "{one:?}");
        assert_eq!(one.owners[0].email, "mia@example.com");
    }
    let inside =
        renewals.iter().filter(|one| one.likelihood >= one.likelihood_low && one.likelihood <= one.likelihood_high);
    assert!(inside.count() * 2 > renewals.len(), "the model is right of most");
}

#[tokio::test]
async fn r184_renewals_of_some_accounts_are_listed_alone_with_those_that_are_decided() {
    let harness = spring().await;
    let of = async |ids: &[&str]| {
        let accounts = ids.iter().map(|id| (*id).to_owned()).collect();
        client(&harness).list_renewals(proto::ListRenewalsRequest { accounts, ..Default::default() }).await
    };
    let found = of(&["accounts/a", "accounts/c", "accounts/nobody"]).await.expect("renewals").into_inner().renewals;
    let found: Vec<(&str, RenewalOutcome)> = found.iter().map(|one| (one.account.as_str(), one.outcome())).collect();
    let expected = [
        ("accounts/a", RenewalOutcome::Renewed),
        ("accounts/c", RenewalOutcome::Unspecified),
        ("accounts/a", RenewalOutcome::Unspecified),
    ];
    assert_eq!(found, expected);
    let refused = of(&["accounts/a", "a", "b c"]).await.expect_err("a refusal");
    assert_eq!(violated_fields(&refused), ["accounts[1]", "accounts[2]"]);
    let refused = of(&vec!["accounts/a"; 1_001]).await.expect_err("a refusal");
    assert_eq!(violated_fields(&refused), ["accounts"]);
}

#[tokio::test]
async fn r201_gross_and_net_retention_are_of_those_who_were_customers_at_the_beginning() {
    let mut harness = Harness::start("2026-01-10T12:00:00Z").await;
    let with_arr = |id: &str, arr: i64| proto::Account { arr: euros(arr), ..account(id) };
    let dollars = |id: &str| proto::Account {
        arr: Some(Money { currency_code: "USD".to_owned(), minor_units: 500 }),
        ..account(id)
    };
    upsert(
        &harness,
        vec![
            with_arr("grows", 1_000),
            with_arr("shrinks", 1_000),
            with_arr("leaves", 2_000),
            with_arr("stays", 6_000),
            with_arr("archived", 9_000),
            with_arr("moves", 9_000),
            dollars("dollars"),
            proto::Account { arr: None, mrr: euros(100), ..account("monthly") },
        ],
    )
    .await;
    harness.turn_to("2026-02-01").await;
    upsert(
        &harness,
        vec![with_arr("grows", 1_500), with_arr("shrinks", 400), with_arr("new", 7_000), dollars("moves")],
    )
    .await;
    harness.record(vec![churn("leaves", "2026-02-01")]).await;
    archive(&harness, "archived", "").await.expect("archived");
    harness.turn_to("2026-03-01").await;

    let answer = retention(&harness, "2026-01-15", "2026-03-01").await.expect("an answer");
    assert_eq!(answer.currency_changed_account_count, 1);
    assert_eq!(answer.known_since_time, Some(time("2026-01-10T12:00:00Z")));
    assert_eq!(answer.as_of_time, Some(time(&harness.clock_time())));
    let [euro, dollar] = answer.currencies.as_slice() else { panic!("two currencies: {answer:?}") };
    assert_eq!((euro.account_count, euro.start_arr.clone()), (5, euros(11_200)));
    assert_eq!((euro.churned_arr.clone(), euro.contraction_arr.clone()), (euros(2_000), euros(600)));
    assert_eq!(euro.expansion_arr, euros(500));
    assert!((euro.gross_retention - 8_600.0 / 11_200.0).abs() < 1e-12);
    assert!((euro.net_retention - 9_100.0 / 11_200.0).abs() < 1e-12);
    assert_eq!((dollar.account_count, dollar.gross_retention, dollar.net_retention), (1, 1.0, 1.0));
    let before = retention(&harness, "2025-01-01", "2026-01-01").await.expect("an answer");
    assert_eq!(before.currencies, [], "nothing is known of that time");
    let later = retention(&harness, "2026-02-15", "2026-03-01").await.expect("an answer");
    assert_eq!(later.currencies[0].churned_arr, euros(0), "who left before is no part of it");
    let status = retention(&harness, "", "2026-03-02").await.expect_err("a refusal");
    assert_eq!(violated_fields(&status), ["end_day"]);
}

#[tokio::test]
async fn trials_and_archived_accounts_have_no_renewals() {
    let harness = Harness::start("2026-01-10T12:00:00Z").await;
    let trial = proto::Account { lifecycle_stage: LifecycleStage::Trial.into(), ..due("trial", "2026-03-01", 1) };
    upsert(&harness, vec![trial, due("archived", "2026-03-01", 1)]).await;
    archive(&harness, "archived", "").await.expect("archived");
    assert_eq!(list(&harness, proto::ListRenewalsRequest::default()).await, []);
}
