//! Requests: sent twice, wrong, listed in pages.

use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_api::mainstay::status::v1::GetStatusRequest as StatusRequest;
use tonic::Code;
use tonic_types::StatusExt;

use crate::harness::{Harness, acme};

const START: &str = "2026-03-01T00:00:00Z";

#[tokio::test]
async fn the_same_request_again_is_answered_as_the_first_time() {
    let mut harness = Harness::with_acme(START).await;
    let request = proto::CreateAlertRequest {
        account: "accounts/acme".to_owned(),
        headline: "Look".to_owned(),
        request_id: "r-1".to_owned(),
        ..Default::default()
    };
    let first = harness.alerts.create_alert(request.clone()).await.expect("an alert").into_inner();
    let again = harness.alerts.create_alert(request.clone()).await.expect("the same answer").into_inner();
    assert_eq!(again, first);
    let other = proto::CreateAlertRequest { headline: "Another".to_owned(), ..request };
    let refused = harness.alerts.create_alert(other).await.expect_err("another content");
    assert_eq!(refused.get_details_error_info().expect("info").reason, "REQUEST_ID_REUSED");

    let open = proto::OpenCaseRequest {
        account: "accounts/acme".to_owned(),
        request_id: "r-2".to_owned(),
        ..Default::default()
    };
    let case = harness.cases.open_case(open.clone()).await.expect("a case").into_inner();
    assert_eq!(harness.cases.open_case(open.clone()).await.expect("the same answer").into_inner(), case);
    let refused = harness
        .cases
        .open_case(proto::OpenCaseRequest { request_id: String::new(), ..open })
        .await
        .expect_err("one is open");
    assert_eq!(
        (refused.code(), refused.get_details_error_info().expect("info").reason.as_str()),
        (Code::AlreadyExists, "CASE_OPEN")
    );
}

#[tokio::test]
async fn all_faults_of_a_request_are_named_at_once() {
    let mut harness = Harness::with_acme(START).await;
    let request = proto::CreateAlertRequest {
        account: "acme".to_owned(),
        headline: " ".to_owned(),
        severity: 99,
        owner_email: "nobody".to_owned(),
        details: vec!["x".repeat(501)],
        ..Default::default()
    };
    let refused = harness.alerts.create_alert(request).await.expect_err("refused");
    let fields: Vec<String> = refused
        .get_details_bad_request()
        .expect("fields")
        .field_violations
        .into_iter()
        .map(|fault| fault.field)
        .collect();
    assert_eq!(fields, ["account", "headline", "details[0]", "owner_email", "severity"]);
    let unknown = proto::CreateAlertRequest {
        account: "accounts/other".to_owned(),
        headline: "x".to_owned(),
        ..Default::default()
    };
    let refused = harness.alerts.create_alert(unknown).await.expect_err("unknown");
    assert_eq!(refused.get_details_error_info().expect("info").reason, "ACCOUNT_NOT_FOUND");
    let touch = harness.cases.record_touch(proto::RecordTouchRequest::default()).await.expect_err("refused");
    let fields: Vec<String> = touch
        .get_details_bad_request()
        .expect("fields")
        .field_violations
        .into_iter()
        .map(|fault| fault.field)
        .collect();
    assert_eq!(fields, ["account", "channel", "direction", "summary"]);
}

#[tokio::test]
async fn a_stale_etag_is_refused_and_a_preview_raises_nothing() {
    let mut harness = Harness::with_acme(START).await;
    let preview = proto::CreateAlertRequest {
        account: "accounts/acme".to_owned(),
        headline: "Look".to_owned(),
        validate_only: true,
        ..Default::default()
    };
    harness.alerts.create_alert(preview.clone()).await.expect("a preview");
    assert_eq!(harness.open_alerts().await, []);
    let alert = harness
        .alerts
        .create_alert(proto::CreateAlertRequest { validate_only: false, ..preview })
        .await
        .expect("an alert")
        .into_inner();
    let acknowledge =
        proto::AcknowledgeAlertRequest { name: alert.name.clone(), etag: alert.etag.clone(), ..Default::default() };
    harness.alerts.acknowledge_alert(acknowledge).await.expect("acknowledged");
    let assess = proto::AssessAlertRequest {
        name: alert.name,
        assessment: "x".to_owned(),
        etag: alert.etag,
        ..Default::default()
    };
    let refused = harness.alerts.assess_alert(assess).await.expect_err("stale");
    assert_eq!(refused.code(), Code::Aborted);
}

#[tokio::test]
async fn lists_come_in_pages_without_gap_or_repeat() {
    let mut harness = Harness::start(START).await;
    for number in 0..7 {
        harness.tell_account(scoring::Account { name: format!("accounts/a{number}"), ..acme() }).await;
    }
    harness.settle().await;
    for number in 0..7 {
        let account = format!("accounts/a{number}");
        harness
            .alerts
            .create_alert(proto::CreateAlertRequest {
                account: account.clone(),
                headline: "x".to_owned(),
                ..Default::default()
            })
            .await
            .expect("an alert");
        harness.cases.open_case(proto::OpenCaseRequest { account, ..Default::default() }).await.expect("a case");
    }
    let (mut alerts, mut token) = (Vec::new(), String::new());
    loop {
        let request = proto::ListAlertsRequest { page_size: 3, page_token: token.clone(), ..Default::default() };
        let page = harness.alerts.list_alerts(request).await.expect("a page").into_inner();
        alerts.extend(page.alerts.into_iter().map(|alert| alert.account));
        if page.next_page_token.is_empty() {
            break;
        }
        token = page.next_page_token;
    }
    alerts.sort();
    alerts.dedup();
    assert_eq!(alerts.len(), 7);
    let other = proto::ListAlertsRequest { page_token: token.clone(), breached: true, ..Default::default() };
    assert_eq!(harness.alerts.list_alerts(other).await.expect_err("of another filter").code(), Code::InvalidArgument);

    let (mut cases, mut token) = (Vec::new(), String::new());
    loop {
        let request = proto::ListCasesRequest { page_size: 2, page_token: token, ..Default::default() };
        let page = harness.cases.list_cases(request).await.expect("a page").into_inner();
        cases.extend(page.cases.into_iter().map(|case| case.account));
        if page.next_page_token.is_empty() {
            break;
        }
        token = page.next_page_token;
    }
    cases.sort();
    cases.dedup();
    assert_eq!(cases.len(), 7);
}

#[tokio::test]
async fn the_status_tells_of_feeds_due_work_and_messages() {
    let mut harness = Harness::with_acme(START).await;
    harness.raise(harness.silence()).await;
    harness.settle().await;
    harness.clock.advance(chrono::TimeDelta::hours(3));
    let status = harness.status.get_status(StatusRequest {}).await.expect("a status").into_inner();
    assert_eq!(status.service, "interventions");
    let lags: Vec<_> = status.consumers.iter().map(|consumer| (consumer.feed.as_str(), consumer.lag)).collect();
    assert_eq!(lags, [("scoring", Some(0)), ("surveys", Some(0))]);
    let clocks = status.queues.iter().find(|queue| queue.queue == "clocks").expect("a queue");
    // The breach of one, and the warning of the next.
    assert_eq!((clocks.due_count, clocks.scheduled_count, clocks.dead_count), (2, 3, 0));
    assert!(clocks.oldest_due_time.is_some());
    assert_eq!(status.messages.map(|messages| (messages.pending_count, messages.dead_count)), Some((0, 0)));
    assert!(status.feed_offset >= 1);
}

#[tokio::test]
async fn no_work_begins_by_hand_on_an_account_that_left() {
    let mut harness = Harness::with_acme("2026-03-01T00:00:00Z").await;
    let churned = scoring::LifecycleStage::Churned.into();
    harness.tell_account(scoring::Account { lifecycle_stage: churned, ..acme() }).await;
    harness.settle().await;
    let request = proto::OpenCaseRequest { account: "accounts/acme".to_owned(), ..Default::default() };
    let refused = harness.cases.open_case(request).await.expect_err("it left");
    assert_eq!(refused.get_details_error_info().expect("details").reason, "ACCOUNT_GONE");
    let request = proto::CreateAlertRequest {
        account: "accounts/acme".to_owned(),
        subject: "call".to_owned(),
        headline: "They called".to_owned(),
        ..Default::default()
    };
    let refused = harness.alerts.create_alert(request).await.expect_err("it left");
    assert_eq!(refused.get_details_error_info().expect("details").reason, "ACCOUNT_GONE");
}
