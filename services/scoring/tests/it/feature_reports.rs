//! The report of requested features.

use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::report_service_client::ReportServiceClient;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use proto::Segment;
use tonic::Code;

use crate::account_fixtures::archive;
use crate::billing_fixtures::money;
use crate::harness::{Harness, account, model_of, signal, sum_of, usage};
use crate::refusals::violated_fields;
use crate::risk_fixtures::churn;

async fn report(harness: &Harness, request: proto::GetFeatureRequestReportRequest) -> proto::FeatureRequestReport {
    let mut client = ReportServiceClient::new(harness.channel.clone());
    client.get_feature_request_report(request).await.expect("a report").into_inner()
}

fn asks(id: &str, at: &str, feature: &str) -> proto::Signal {
    let request = proto::FeatureRequestSignal { feature: feature.to_owned(), title: String::new() };
    signal(id, at, Payload::FeatureRequest(request))
}

fn gets(id: &str, at: &str, feature: &str) -> proto::Signal {
    signal(id, at, Payload::FeatureRelease(proto::FeatureReleaseSignal { feature: feature.to_owned() }))
}

fn names(report: &proto::FeatureRequestReport) -> Vec<&str> {
    report.features.iter().map(|one| one.feature.as_str()).collect()
}

fn of<'a>(report: &'a proto::FeatureRequestReport, feature: &str) -> &'a proto::RequestedFeature {
    report.features.iter().find(|one| one.feature == feature).expect("the feature")
}

/// On 2026-02-10: `euros` and `dollars` are critical, `healthy` is healthy, `left` churned on 2026-02-01, `archived` is archived.
async fn company() -> Harness {
    let mut harness = Harness::start("2026-01-01T00:00:00Z").await;
    let with_arr = |id: &str, segment: Segment, arr: Money| proto::Account {
        segment: segment.into(),
        arr: Some(arr),
        ..account(id)
    };
    let accounts = vec![
        with_arr("euros", Segment::Enterprise, money("EUR", 900)),
        with_arr("dollars", Segment::Smb, money("USD", 700)),
        with_arr("healthy", Segment::Smb, money("EUR", 50)),
        with_arr("left", Segment::Smb, money("EUR", 5_000)),
        with_arr("archived", Segment::Smb, money("EUR", 6_000)),
    ];
    let request = proto::BatchUpsertAccountsRequest { accounts, ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("accounts");
    harness.activate("sum", model_of(sum_of("emails", 7))).await;
    let ids = ["euros", "dollars", "healthy", "left", "archived"];
    let used = |day: &str, emails: [i64; 5]| -> Vec<proto::Signal> {
        ids.iter().zip(emails).map(|(id, emails)| usage(id, day, "emails", emails)).collect()
    };
    harness.turn_to("2026-01-09").await;
    harness.record(vec![asks("euros", "2026-01-02", "sso"), asks("left", "2026-01-02", "sso")]).await;
    harness.record(vec![asks("archived", "2026-01-02", "sso"), asks("healthy", "2026-01-05", "export")]).await;
    harness.record(vec![gets("dollars", "2026-01-03", "api"), asks("dollars", "2026-01-05", "api")]).await;
    harness.turn_to("2026-01-10").await;
    harness.record(used("2026-01-10", [20, 30, 90, 20, 20])).await;
    harness.turn_to("2026-01-11").await;
    harness.record(vec![gets("euros", "2026-01-11", "sso"), gets("healthy", "2026-01-11", "sso")]).await;
    harness.turn_to("2026-02-01").await;
    harness.record(vec![churn("left", "2026-02-01")]).await;
    harness.turn_to("2026-02-08").await;
    harness.record(used("2026-02-08", [45, 30, 90, 0, 0])).await;
    harness.settle().await;
    harness.turn_to("2026-02-09").await;
    harness.record(vec![asks("euros", "2026-02-09", "sso"), asks("dollars", "2026-02-09", "export")]).await;
    archive(&harness, "archived", "").await.expect("archived");
    harness.turn_to("2026-02-10").await;
    harness
}

#[tokio::test]
async fn r192_a_feature_has_who_asks_their_revenue_what_of_it_is_at_risk_and_who_left_since() {
    let harness = company().await;
    let found = report(&harness, proto::GetFeatureRequestReportRequest::default()).await;
    // `sso` has most at risk in euros, `api` and `export` have the same in dollars; fewer accounts asked for `api`.
    assert_eq!((found.feature_count, names(&found)), (3, vec!["export", "sso", "api"]));
    let sso = of(&found, "sso");
    assert_eq!((sso.request_count, sso.account_count, sso.left_account_count), (3, 2, 1));
    assert_eq!((sso.recent_request_count, sso.recent_account_count), (1, 1), "2026-02-09");
    assert_eq!((sso.arr.clone(), sso.at_risk_arr.clone()), (vec![money("EUR", 900)], vec![money("EUR", 900)]));
    assert_eq!(sso.at_risk_account_count, 1);
    let export = of(&found, "export");
    assert_eq!(export.arr, [money("EUR", 50), money("USD", 700)], "currencies are never added");
    assert_eq!((export.at_risk_arr.clone(), export.account_count), (vec![money("USD", 700)], 2));
}

#[tokio::test]
async fn r192_what_became_of_those_who_got_what_they_asked_for_is_a_mean_of_those_of_whom_it_is_known() {
    let mut harness = company().await;
    let found = report(&harness, proto::GetFeatureRequestReportRequest::default()).await;
    let sso = of(&found, "sso");
    // `healthy` got it, too, and did not ask. From 20 on 2026-01-10 to 45 on 2026-02-08.
    assert_eq!((sso.released_account_count, sso.given_account_count), (2, 1));
    assert_eq!((sso.mean_score_change, sso.score_change_account_count), (Some(25.0), 1));
    let api = of(&found, "api");
    assert_eq!((api.released_account_count, api.given_account_count), (1, 0), "it had it before it asked");
    assert_eq!((api.mean_score_change, api.score_change_account_count), (None, 0));

    harness.record(vec![gets("healthy", "2026-02-10", "export")]).await;
    let found = report(&harness, proto::GetFeatureRequestReportRequest::default()).await;
    let export = of(&found, "export");
    assert_eq!((export.given_account_count, export.score_change_account_count), (1, 0), "28 days are not over");
    assert_eq!(export.mean_score_change, None);
}

#[tokio::test]
async fn r192_requests_count_once_within_the_window_and_of_those_asked_for() {
    let mut harness = company().await;
    harness.record(vec![asks("euros", "2026-02-09", "sso"), asks("left", "2026-01-02", "sso")]).await;
    let found = report(&harness, proto::GetFeatureRequestReportRequest::default()).await;
    assert_eq!(of(&found, "sso").request_count, 3, "told again");
    let window = proto::GetFeatureRequestReportRequest { window_days: Some(28), ..Default::default() };
    let found = report(&harness, window).await;
    assert_eq!(names(&found), ["export", "sso"]);
    assert_eq!((of(&found, "sso").request_count, of(&found, "sso").given_account_count), (1, 0));
    let smb = proto::GetFeatureRequestReportRequest { segments: vec![Segment::Smb.into()], ..Default::default() };
    let found = report(&harness, smb).await;
    let sso = of(&found, "sso");
    assert_eq!((sso.account_count, sso.left_account_count, sso.arr.len()), (1, 1, 0));
    let first = proto::GetFeatureRequestReportRequest { list_size: Some(1), ..Default::default() };
    let found = report(&harness, first).await;
    assert_eq!((found.feature_count, names(&found)), (3, vec!["export"]));
    let late = vec![asks("dollars", "2026-01-20", "sso")];
    harness.record(late).await;
    let found = report(&harness, proto::GetFeatureRequestReportRequest::default()).await;
    assert_eq!(of(&found, "sso").at_risk_arr, [money("EUR", 900), money("USD", 700)]);
}

#[tokio::test]
async fn where_nobody_asked_there_are_no_features_and_every_fault_of_a_request_is_named() {
    let harness = Harness::start("2026-03-01T00:00:00Z").await;
    let found = report(&harness, proto::GetFeatureRequestReportRequest::default()).await;
    assert_eq!((found.feature_count, found.features.len()), (0, 0));
    let request = proto::GetFeatureRequestReportRequest {
        window_days: Some(27),
        segments: vec![77],
        owner_email: "x".repeat(255),
        list_size: Some(101),
    };
    let mut client = ReportServiceClient::new(harness.channel.clone());
    let status = client.get_feature_request_report(request).await.expect_err("a refusal");
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(violated_fields(&status), ["window_days", "segments[0]", "owner_email", "list_size"]);
}
