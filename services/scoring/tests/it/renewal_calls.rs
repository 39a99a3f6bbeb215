//! What people call of renewals: kept once, with its contract when the date is corrected, and refused where nothing is due.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::lifecycle_signal::Change;
use proto::{LifecycleStage, RenewalExpectation};
use tonic::Code;

use crate::account_fixtures::{archive, time};
use crate::harness::{Harness, account};
use crate::refusals::{reason, violated_fields};
use crate::renewals::{client, due, list, report, set_call, upsert};
use crate::risk_fixtures::{churn, lifecycle};

/// What was last called of each renewal.
async fn calls(harness: &Harness) -> Vec<(String, i64, Option<RenewalExpectation>)> {
    let all = list(harness, proto::ListRenewalsRequest::default()).await;
    let called = |one: proto::DueRenewal| {
        let due = one.due_time.expect("a time");
        if let Some(call) = &one.call {
            assert_eq!((&call.account, call.due_time), (&one.account, Some(due)), "a call says of which renewal it is");
        }
        (one.account, due.seconds, one.call.map(|call| call.expectation()))
    };
    all.into_iter().map(called).collect()
}

fn called(id: &str, day: &str, call: Option<RenewalExpectation>) -> (String, i64, Option<RenewalExpectation>) {
    (format!("accounts/{id}"), time(day).seconds, call)
}

#[tokio::test]
async fn r88_a_call_stays_with_its_renewal_when_the_date_is_corrected() {
    let mut harness = Harness::start("2026-01-10T12:00:00Z").await;
    upsert(&harness, ["a", "b", "c"].map(|id| due(id, "2026-05-01", 100)).to_vec()).await;
    set_call(&harness, "a", RenewalExpectation::AtRisk).await.expect("a call");
    set_call(&harness, "b", RenewalExpectation::Commit).await.expect("a call");
    set_call(&harness, "c", RenewalExpectation::Likely).await.expect("a call");
    // Two in one batch, in both directions; the third by an update, and a fourth that nobody called.
    upsert(&harness, vec![due("a", "2026-05-02", 100), due("b", "2026-04-04", 100), due("d", "2026-05-01", 100)]).await;
    let update = proto::UpdateAccountRequest {
        account: Some(proto::Account { name: "accounts/c".to_owned(), ..due("c", "2026-05-28", 100) }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["renewal_time".to_owned()] }),
        ..Default::default()
    };
    harness.accounts.clone().update_account(update).await.expect("an update");
    let expected = [
        called("b", "2026-04-04", Some(RenewalExpectation::Commit)),
        called("d", "2026-05-01", None),
        called("a", "2026-05-02", Some(RenewalExpectation::AtRisk)),
        called("c", "2026-05-28", Some(RenewalExpectation::Likely)),
    ];
    assert_eq!(calls(&harness).await, expected);

    // Once more, further than 28 days from where it began, by a signal of its contract.
    let moved = Change::Renewal(proto::Renewal { renewal_time: Some(time("2026-06-20")) });
    harness.turn_to("2026-01-12").await;
    harness.record(vec![lifecycle("c", "2026-01-12", moved)]).await;
    assert_eq!(calls(&harness).await[3], called("c", "2026-06-20", Some(RenewalExpectation::Likely)));
    set_call(&harness, "c", RenewalExpectation::Churn).await.expect("a call");
    assert_eq!(calls(&harness).await[3], called("c", "2026-06-20", Some(RenewalExpectation::Churn)), "the last counts");
    let forecast = client(&harness).get_renewal_forecast(proto::GetRenewalForecastRequest::default()).await;
    let forecast = forecast.expect("a forecast").into_inner();
    let expected: Vec<_> = forecast.quarters[1].calls.iter().map(|one| (one.expectation(), one.count)).collect();
    let once = [RenewalExpectation::Commit, RenewalExpectation::AtRisk, RenewalExpectation::Churn].map(|one| (one, 1));
    assert_eq!(expected, once);
}

#[tokio::test]
async fn r88_a_call_is_judged_by_what_became_of_its_contract_and_not_told_of_the_next_one() {
    let harness = Harness::start("2026-01-10T12:00:00Z").await;
    upsert(&harness, ["renews", "leaves", "back", "undone"].map(|id| due(id, "2026-02-01", 100)).to_vec()).await;
    for id in ["renews", "leaves", "back", "undone"] {
        set_call(&harness, id, RenewalExpectation::Commit).await.expect("a call");
    }
    sqlx::raw_sql("UPDATE scoring.renewal_calls SET likelihood = 0.5")
        .execute(harness.database.pool())
        .await
        .expect("a likelihood");
    upsert(&harness, vec![due("renews", "2026-02-11", 100), due("undone", "2027-02-01", 100)]).await;
    upsert(&harness, vec![due("renews", "2027-02-11", 100), due("undone", "2026-02-21", 100)]).await;
    let churned =
        |id: &str, day| proto::Account { lifecycle_stage: LifecycleStage::Churned.into(), ..due(id, day, 100) };
    upsert(&harness, vec![churned("leaves", "2026-02-12"), churned("back", "2026-02-01")]).await;
    upsert(&harness, vec![due("back", "2026-02-13", 100)]).await;
    let commit = Some(RenewalExpectation::Commit);
    assert_eq!(
        calls(&harness).await,
        [
            called("renews", "2026-02-11", commit),
            called("leaves", "2026-02-12", commit),
            called("back", "2026-02-13", commit),
            called("undone", "2026-02-21", commit),
            called("renews", "2027-02-11", None),
        ]
    );
    harness.turn_to("2026-03-01").await;
    let accuracy = report(&harness, "2026-02-01", "2026-03-01").await.expect("a report").accuracy.expect("figures");
    assert_eq!(accuracy.count, 2);
    assert!((accuracy.people_brier - f64::midpoint(0.05 * 0.05, 0.95 * 0.95)).abs() < 1e-12, "{accuracy:?}");
}

#[tokio::test]
async fn a_call_is_refused_where_nothing_is_due() {
    let mut harness = Harness::start("2026-01-10T12:00:00Z").await;
    upsert(&harness, vec![account("endless"), due("gone", "2026-03-01", 1), due("away", "2026-03-01", 1)]).await;
    harness.turn_to("2026-01-12").await;
    harness.record(vec![churn("gone", "2026-01-12")]).await;
    archive(&harness, "away", "").await.expect("archived");
    for (id, code, expected) in [
        ("endless", Code::FailedPrecondition, "RENEWAL_NOT_DUE"),
        ("gone", Code::FailedPrecondition, "RENEWAL_NOT_DUE"),
        ("away", Code::FailedPrecondition, "ACCOUNT_ARCHIVED"),
        ("nobody", Code::NotFound, "ACCOUNT_NOT_FOUND"),
    ] {
        let status = set_call(&harness, id, RenewalExpectation::Likely).await.expect_err(id);
        assert_eq!((status.code(), reason(&status).as_str()), (code, expected), "{id}");
    }
    let request = proto::SetRenewalCallRequest { note: "x".repeat(2_001), ..Default::default() };
    let status = client(&harness).set_renewal_call(request).await.expect_err("a refusal");
    assert_eq!(violated_fields(&status), ["account", "expectation", "note", "author_email"]);
    let request = proto::GetRenewalForecastRequest { quarter_count: 13 };
    let status = client(&harness).get_renewal_forecast(request).await.expect_err("a refusal");
    assert_eq!(violated_fields(&status), ["quarter_count"]);
    let forecast = client(&harness).get_renewal_forecast(proto::GetRenewalForecastRequest::default()).await;
    let forecast = forecast.expect("a forecast").into_inner();
    assert_eq!((forecast.quarters.len(), forecast.forecast_model.as_str()), (4, ""));
    assert_eq!(forecast.as_of_time, Some(time(&harness.clock_time())));
}

#[tokio::test]
async fn a_call_sent_again_is_kept_once() {
    let harness = Harness::start("2026-01-10T12:00:00Z").await;
    upsert(&harness, vec![due("a", "2026-03-01", 1)]).await;
    let request = proto::SetRenewalCallRequest {
        account: "accounts/a".to_owned(),
        expectation: RenewalExpectation::Likely.into(),
        author_email: "sam@example.com".to_owned(),
        request_id: "once".to_owned(),
        ..Default::default()
    };
    let first = client(&harness).set_renewal_call(request.clone()).await.expect("a call").into_inner();
    harness.clock.set(crate::harness::at("2026-01-11"));
    let second = client(&harness).set_renewal_call(request).await.expect("a call").into_inner();
    assert_eq!(first, second);
    let sql = "SELECT count(*) FROM scoring.renewal_calls";
    let kept: i64 = sqlx::query_scalar(sql).fetch_one(harness.database.pool()).await.expect("a count");
    assert_eq!(kept, 1);
}
