//! The report of payments and revenue.

use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::report_service_client::ReportServiceClient;
use proto::{BillingFlowKind, GoalState, InvoiceAction, RetentionMetric, Segment, TargetOrigin};
use tonic::Code;

use crate::account_fixtures::archive;
use crate::billing_fixtures::{billed, customers, disputed, money, told};
use crate::forecasts::{self, company};
use crate::harness::{Harness, model_of, sum_of, usage};
use crate::refusals::violated_fields;
use crate::renewals::{self, spring};
use crate::risk_fixtures::churn;

async fn report(harness: &Harness, request: proto::GetRevenueReportRequest) -> proto::RevenueReport {
    let mut client = ReportServiceClient::new(harness.channel.clone());
    client.get_revenue_report(request).await.expect("a report").into_inner()
}

async fn weekly(harness: &Harness) -> proto::RevenueReport {
    report(harness, proto::GetRevenueReportRequest::default()).await
}

fn over(period: proto::ReportPeriod) -> proto::GetRevenueReportRequest {
    proto::GetRevenueReportRequest { period: period.into(), ..Default::default() }
}

/// How many, with how many customers, about how much.
fn flow(report: &proto::RevenueReport, kind: BillingFlowKind) -> (i64, i64, Vec<Money>) {
    let found = report.flows.iter().find(|one| one.kind() == kind).expect("every kind");
    (found.count, found.account_count, found.amounts.clone())
}

fn ages(status: &proto::PaymentStatus) -> Vec<(i32, Option<i32>, i64, i64)> {
    status.ages.iter().map(|one| (one.days_min, one.days_max, one.invoice_count, one.account_count)).collect()
}

#[tokio::test]
async fn r186_unpaid_invoices_are_counted_by_age_and_each_customer_at_risk_once_now_and_a_week_ago() {
    let mut harness = customers().await;
    harness.record(told()).await;
    let report = weekly(&harness).await;
    assert_eq!(report.account_count, 4);
    let now = report.payment_status.as_ref().expect("a status");
    // in-2 and in-5 are 2 days and 1 day old, in-1 is counted from when it was due, in-3 failed on 2026-01-01.
    let expected = [(0, Some(7), 2, 2), (8, Some(30), 1, 1), (31, Some(60), 0, 0), (61, None, 1, 1)];
    assert_eq!(ages(now), expected);
    assert_eq!((now.unpaid_invoice_count, now.unpaid_account_count, now.unpriced_invoice_count), (4, 3, 1));
    assert_eq!(now.unpaid_amounts, [money("EUR", 5_000), money("USD", 1_000)]);
    assert_eq!(now.ages[0].amounts, [money("USD", 300)]);
    assert_eq!((now.open_dispute_count, now.disputed_amounts.len()), (1, 0));
    // acme and beta; of delta no revenue is known.
    assert_eq!(now.at_risk_account_count, 3);
    assert_eq!(now.at_risk_arr, [money("EUR", 100_000), money("USD", 12_000)]);

    let before = report.payment_status_before.as_ref().expect("a status");
    assert_eq!(ages(before), [(0, Some(7), 1, 1), (8, Some(30), 1, 1), (31, Some(60), 0, 0), (61, None, 1, 1)]);
    assert_eq!(before.unpaid_amounts, [money("EUR", 5_900), money("USD", 700)]);
    assert_eq!((before.open_dispute_count, before.disputed_amounts.clone()), (1, vec![money("EUR", 50)]));
    assert_eq!(before.at_risk_account_count, 3);
    assert_eq!(before.at_risk_arr, [money("EUR", 150_000), money("USD", 12_000)]);
}

#[tokio::test]
async fn r186_the_periods_flow_has_what_failed_was_recovered_voided_given_back_and_disputed() {
    let mut harness = customers().await;
    harness.record(told()).await;
    let week = weekly(&harness).await;
    let kinds: Vec<BillingFlowKind> = week.flows.iter().map(proto::BillingFlow::kind).collect();
    assert_eq!(kinds.len(), 8);
    assert_eq!(flow(&week, BillingFlowKind::InvoiceFailed), (2, 2, vec![money("USD", 300)]));
    assert_eq!(flow(&week, BillingFlowKind::InvoiceOverdue), (0, 0, vec![]));
    assert_eq!(flow(&week, BillingFlowKind::InvoiceRecovered), (1, 1, vec![money("EUR", 900)]));
    assert_eq!(flow(&week, BillingFlowKind::InvoiceVoided), (1, 1, vec![money("EUR", 100)]));
    assert_eq!(flow(&week, BillingFlowKind::Refund), (1, 1, vec![money("EUR", 20)]));
    assert_eq!(flow(&week, BillingFlowKind::CreditNote), (0, 0, vec![]));
    assert_eq!(flow(&week, BillingFlowKind::DisputeOpened), (1, 1, vec![]));
    assert_eq!(flow(&week, BillingFlowKind::DisputeClosed), (1, 1, vec![money("EUR", 50)]));

    let month = report(&harness, over(proto::ReportPeriod::Month)).await;
    assert_eq!(flow(&month, BillingFlowKind::InvoiceFailed), (3, 3, vec![money("EUR", 900), money("USD", 300)]));
    assert_eq!(flow(&month, BillingFlowKind::InvoiceOverdue), (1, 1, vec![money("EUR", 5_000)]));
    assert_eq!(flow(&month, BillingFlowKind::DisputeOpened), (2, 2, vec![money("EUR", 50)]));
    assert_eq!(flow(&month, BillingFlowKind::CreditNote), (0, 0, vec![]), "37 days ago");
}

#[tokio::test]
async fn r185_the_digest_of_a_day_has_a_payment_at_once_and_only_for_a_day() {
    let mut harness = customers().await;
    harness.record(told()).await;
    let day = over(proto::ReportPeriod::Day);
    let digest = report(&harness, day.clone()).await;
    assert_eq!(flow(&digest, BillingFlowKind::InvoiceFailed), (0, 0, vec![]));
    assert_eq!(flow(&digest, BillingFlowKind::DisputeOpened), (1, 1, vec![]));
    let failed = billed("beta", "2026-03-10T11:59:00Z", "in-8", InvoiceAction::PaymentFailed, Some(money("USD", 40)));
    harness.record(vec![failed]).await;
    // Nothing was settled: what a report counts is there with the signal.
    let digest = report(&harness, day.clone()).await;
    assert_eq!(flow(&digest, BillingFlowKind::InvoiceFailed), (1, 1, vec![money("USD", 40)]));
    harness.clock.set(crate::harness::at("2026-03-11T12:00:00Z"));
    let digest = report(&harness, day).await;
    assert_eq!(flow(&digest, BillingFlowKind::InvoiceFailed), (0, 0, vec![]));
    let status = digest.payment_status.expect("a status");
    assert!(status.unpaid_amounts.contains(&money("USD", 1_040)), "it is unpaid still: {status:?}");
}

#[tokio::test]
async fn r186_who_owes_most_is_listed_for_each_currency_with_what_is_known_of_it() {
    let mut harness = customers().await;
    harness.activate("sum", model_of(sum_of("emails", 7))).await;
    harness.record(told()).await;
    harness.record(vec![usage("acme", "2026-03-10", "emails", 40)]).await;
    harness.settle().await;
    let listed = weekly(&harness).await.unpaid_customers;
    let shown: Vec<_> = listed
        .iter()
        .map(|one| {
            let unpaid = one.unpaid_amount.clone();
            (one.account.as_str(), unpaid, one.invoice_count, one.oldest_days, one.failed_attempt_count)
        })
        .collect();
    let expected = [
        ("accounts/acme", Some(money("EUR", 5_000)), 1, 28, 0),
        ("accounts/beta", Some(money("USD", 700)), 1, 68, 1),
        ("accounts/acme", Some(money("USD", 300)), 1, 2, 2),
        ("accounts/delta", None, 1, 1, 1),
    ];
    assert_eq!(shown, expected);
    let acme = &listed[0];
    assert_eq!(
        (acme.csm_email.as_str(), acme.score, acme.band()),
        ("mia@example.com", Some(40.0), proto::Band::Critical)
    );
    assert_eq!((acme.arr.clone(), acme.segment()), (Some(money("EUR", 100_000)), Segment::Enterprise));
    assert!(acme.renewal_time.is_some());
    assert_eq!((listed[3].open_dispute_count, listed[3].score), (1, Some(0.0)), "others use it, delta does not");

    let request = proto::GetRevenueReportRequest { list_size: Some(1), ..Default::default() };
    let accounts: Vec<String> =
        report(&harness, request).await.unpaid_customers.into_iter().map(|one| one.account).collect();
    assert_eq!(accounts, ["accounts/acme", "accounts/beta", "accounts/delta"]);
}

#[tokio::test]
async fn r186_late_repeated_and_reordered_signals_give_the_same_report_and_corrections_take_back() {
    let mut in_order = customers().await;
    in_order.record(told()).await;
    let mut reordered = customers().await;
    let mut backwards = told();
    backwards.reverse();
    for signal in backwards {
        reordered.record(vec![signal.clone()]).await;
        reordered.record(vec![signal]).await;
    }
    let expected = weekly(&in_order).await;
    assert_eq!(weekly(&reordered).await, expected);

    // It turns out that in-2 was paid before it was tried again, and that in-6 was paid before it was voided.
    let late = vec![
        billed("acme", "2026-03-07", "in-2", InvoiceAction::Paid, None),
        billed("gamma", "2026-03-08", "in-6", InvoiceAction::Paid, None),
        disputed("gamma", "2026-03-05", "d-1", proto::DisputeAction::Closed, None),
    ];
    reordered.record(late).await;
    let corrected = weekly(&reordered).await;
    assert_eq!(flow(&corrected, BillingFlowKind::InvoiceFailed), (1, 1, vec![]), "in-5 is left");
    assert_eq!(flow(&corrected, BillingFlowKind::InvoiceVoided), (0, 0, vec![]));
    assert_eq!(flow(&corrected, BillingFlowKind::InvoiceRecovered), (1, 1, vec![money("EUR", 900)]));
    assert_eq!(flow(&corrected, BillingFlowKind::DisputeClosed), (1, 1, vec![money("EUR", 50)]), "once, as before");
    assert_eq!(corrected.payment_status.expect("a status").unpaid_amounts, [money("EUR", 5_000), money("USD", 700)]);
}

#[tokio::test]
async fn r186_a_report_can_be_of_a_segment_or_of_a_persons_customers_and_who_left_or_was_archived_is_none() {
    let mut harness = customers().await;
    harness.record(told()).await;
    let smb = proto::GetRevenueReportRequest { segments: vec![Segment::Smb.into()], ..Default::default() };
    let found = report(&harness, smb.clone()).await;
    let status = found.payment_status.clone().expect("a status");
    assert_eq!((found.account_count, status.unpaid_amounts), (2, vec![money("USD", 700)]));
    assert_eq!(flow(&found, BillingFlowKind::DisputeClosed).0, 1);
    assert_eq!(found.unpaid_customers.len(), 1);
    let owner_email = "mia@example.com".to_owned();
    let hers = report(&harness, proto::GetRevenueReportRequest { owner_email, ..Default::default() }).await;
    let status = hers.payment_status.clone().expect("a status");
    assert_eq!((hers.account_count, status.at_risk_arr), (1, vec![money("EUR", 100_000)]));
    assert_eq!((flow(&hers, BillingFlowKind::Refund).0, flow(&hers, BillingFlowKind::InvoiceRecovered).0), (1, 0));

    harness.record(vec![churn("beta", "2026-03-10")]).await;
    archive(&harness, "acme", "").await.expect("archived");
    let left = weekly(&harness).await;
    let status = left.payment_status.clone().expect("a status");
    assert_eq!((left.account_count, status.unpaid_invoice_count, status.unpaid_amounts.len()), (2, 1, 0));
    assert_eq!(flow(&left, BillingFlowKind::Refund), (0, 0, vec![]));
}

#[tokio::test]
async fn r51_r201_the_renewal_rate_and_retention_are_those_of_their_own_reports() {
    let harness = spring().await;
    let found = weekly(&harness).await;
    let health = found.revenue_health.clone().expect("revenue");
    let renewed = renewals::report(&harness, "2025-06-01", "2026-06-01").await.expect("a report");
    let rate = health.renewal_rate.expect("a rate");
    assert_eq!((rate.renewed_count, rate.churned_count, rate.undecided_count), (2, 1, 1));
    assert_eq!(
        (rate.renewed_count, rate.churned_count, rate.undecided_count, rate.rate, rate.rate_low, rate.rate_high),
        (
            renewed.renewed_count,
            renewed.churned_count,
            renewed.undecided_count,
            renewed.renewal_rate,
            renewed.rate_low,
            renewed.rate_high
        )
    );
    let retention = renewals::retention(&harness, "2025-06-01", "2026-06-01").await.expect("a retention");
    assert_eq!(health.retention, Some(retention));
    assert_eq!(health.expected_churn, None, "nobody trained a model");
    let goal = |metric: RetentionMetric| {
        let goal = found.goals.iter().find(|one| one.metric() == metric).expect("every metric");
        (goal.value, goal.target, goal.state(), goal.counted)
    };
    assert_eq!(goal(RetentionMetric::RenewalRate), (Some(2.0 / 3.0), Some(0.85), GoalState::Missed, 3));
    assert_eq!(
        goal(RetentionMetric::GrossRetention),
        (None, Some(0.85), GoalState::NoData, 0),
        "of a year ago nothing is known: not missed"
    );
    harness.turn_to("2027-02-01").await;
    let found = weekly(&harness).await;
    let retention = found.revenue_health.expect("revenue").retention.expect("a retention");
    let currency = &retention.currencies[0];
    let goal = found.goals.iter().find(|one| one.metric() == RetentionMetric::NetRetention).expect("every metric");
    assert_eq!((goal.value, goal.currency_code.as_str()), (Some(currency.net_retention), "EUR"));
    assert!((currency.net_retention - 109.0 / 128.0).abs() < 1e-12, "20 of 128 left, d pays 1 more: {currency:?}");
}

#[tokio::test]
async fn r186_what_can_be_expected_to_be_lost_is_what_the_newest_model_says_of_the_next_quarter_or_month() {
    let harness = company().await;
    forecasts::train(&harness, proto::TrainForecastRequest::default()).await.expect("a model");
    let expected = forecasts::portfolio(&harness, 90).await;
    let found = weekly(&harness).await.revenue_health.expect("revenue");
    assert_eq!(found.expected_churn, Some(expected.clone()));
    let monthly = report(&harness, over(proto::ReportPeriod::Month)).await.revenue_health.expect("revenue");
    let month = forecasts::portfolio(&harness, 30).await;
    assert_eq!(monthly.expected_churn, Some(month.clone()));
    let lost = |forecast: &proto::PortfolioForecast| forecast.total.as_ref().map(|all| all.expected_churned_count);
    assert!(lost(&month) > Some(0.0) && lost(&month) < lost(&expected), "{month:?}");
    let request = proto::GetRevenueReportRequest { segments: vec![Segment::Smb.into()], ..Default::default() };
    let of_segment = report(&harness, request).await.revenue_health.expect("revenue").expected_churn.expect("churn");
    let smb = expected.segments.iter().find(|one| one.segment() == Segment::Smb).expect("the segment");
    let total = of_segment.total.expect("all");
    assert_eq!((total.account_count, total.churned_count_high), (smb.account_count, smb.churned_count_high));
}

#[tokio::test]
async fn r210_goals_are_judged_by_the_targets_given_and_without_data_by_none() {
    let mut harness = customers().await;
    harness.activate("sum", model_of(sum_of("emails", 7))).await;
    let used = [("acme", 40), ("beta", 60), ("gamma", 90)];
    harness.record(used.map(|(id, emails)| usage(id, "2026-03-10", "emails", emails)).to_vec()).await;
    harness.settle().await;
    let states = |report: &proto::RevenueReport| -> Vec<(RetentionMetric, String, Option<f64>, GoalState)> {
        let goals = report.goals.iter();
        goals.map(|one| (one.metric(), one.currency_code.clone(), one.value, one.state())).collect()
    };
    let usual = states(&weekly(&harness).await);
    let at_risk =
        |code: &str, share| (RetentionMetric::ArrAtRiskShare, code.to_owned(), Some(share), GoalState::Missed);
    let expected = [
        (RetentionMetric::RenewalRate, String::new(), None, GoalState::NoData),
        (RetentionMetric::GrossRetention, String::new(), None, GoalState::NoData),
        (RetentionMetric::NetRetention, String::new(), None, GoalState::NoData),
        at_risk("EUR", 100.0 / 150.0),
        at_risk("USD", 1.0),
        (RetentionMetric::CriticalShare, String::new(), Some(1.0 / 3.0), GoalState::NoTarget),
        (RetentionMetric::TimeToValueDays, String::new(), None, GoalState::NoData),
    ];
    assert_eq!(usual, expected);
    let target = |metric: RetentionMetric, target| proto::GoalTarget { metric: metric.into(), target };
    let targets = vec![target(RetentionMetric::ArrAtRiskShare, 0.7), target(RetentionMetric::CriticalShare, 0.5)];
    let given = report(&harness, proto::GetRevenueReportRequest { targets, ..Default::default() }).await;
    let by_given: Vec<GoalState> = states(&given).into_iter().map(|(.., state)| state).collect();
    let expected = [
        GoalState::NoData,
        GoalState::NoData,
        GoalState::NoData,
        GoalState::Met,
        GoalState::Missed,
        GoalState::Met,
        GoalState::NoData,
    ];
    assert_eq!(by_given, expected);
}

#[tokio::test]
async fn r210_a_target_that_was_set_holds_in_every_report_for_the_teams_that_share_it() {
    let harness = Harness::start("2026-03-10T12:00:00Z").await;
    let mut client = ReportServiceClient::new(harness.channel.clone());
    let metric: i32 = RetentionMetric::NetRetention.into();
    let set = |target: Option<f64>, teams: &[&str], request_id: &str| proto::SetSharedTargetRequest {
        metric,
        target,
        teams: teams.iter().map(ToString::to_string).collect(),
        request_id: request_id.to_owned(),
        validate_only: false,
    };
    let listed = async || {
        let request = proto::ListSharedTargetsRequest {};
        let all = ReportServiceClient::new(harness.channel.clone()).list_shared_targets(request).await;
        all.expect("targets").into_inner().shared_targets
    };
    let usual = listed().await;
    let metrics: Vec<i32> = usual.iter().map(|one| one.metric).collect();
    assert_eq!(metrics, [1, 2, 3, 4, 5, 6]);
    assert_eq!((usual[2].target, usual[2].origin()), (Some(1.0), TargetOrigin::Usual));
    assert_eq!((usual[4].target, usual[4].origin()), (None, TargetOrigin::Unspecified));

    let mut only_checked = set(Some(1.2), &[], "");
    only_checked.validate_only = true;
    let answered = client.set_shared_target(only_checked).await.expect("a target").into_inner();
    assert_eq!((answered.target, answered.origin()), (Some(1.2), TargetOrigin::Shared));
    assert_eq!(listed().await, usual, "nothing was kept");

    let request = set(Some(1.1), &["sales", "support"], "first");
    let answered = client.set_shared_target(request.clone()).await.expect("a target").into_inner();
    assert_eq!(answered, listed().await[2]);
    assert_eq!(answered.teams, ["sales", "support"]);
    assert!(!answered.setter.is_empty() && answered.set_time.is_some(), "{answered:?}");
    let goal = |report: &proto::RevenueReport| {
        let goal = report.goals.iter().find(|one| one.metric == metric).expect("the goal");
        (goal.target, goal.target_origin(), goal.teams.len())
    };
    assert_eq!(goal(&weekly(&harness).await), (Some(1.1), TargetOrigin::Shared, 2));
    let targets = vec![proto::GoalTarget { metric, target: 0.9 }];
    let asked = report(&harness, proto::GetRevenueReportRequest { targets, ..Default::default() }).await;
    assert_eq!(goal(&asked), (Some(0.9), TargetOrigin::Request, 0));

    let back = client.set_shared_target(set(None, &[], "")).await.expect("the usual target").into_inner();
    assert_eq!((back.target, back.origin()), (Some(1.0), TargetOrigin::Usual));
    let again = client.set_shared_target(request).await.expect("the answer of before").into_inner();
    assert_eq!(again, answered);
    assert_eq!(listed().await, usual, "sent again, it changes nothing");
}

#[tokio::test]
async fn every_fault_of_a_shared_target_is_named() {
    let harness = Harness::start("2026-03-10T12:00:00Z").await;
    let mut client = ReportServiceClient::new(harness.channel.clone());
    let teams = ["sales", "Our team", "sales"].map(str::to_owned).to_vec();
    let request = proto::SetSharedTargetRequest { metric: 3, target: Some(-1.0), teams, ..Default::default() };
    let status = client.set_shared_target(request).await.expect_err("a refusal");
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(violated_fields(&status), ["target", "teams[1]", "teams[2]"]);
    let teams = vec!["sales".to_owned()];
    let request = proto::SetSharedTargetRequest { teams, ..Default::default() };
    let status = client.set_shared_target(request).await.expect_err("a refusal");
    assert_eq!(violated_fields(&status), ["metric", "teams"]);
}

#[tokio::test]
async fn a_report_of_nobody_has_every_row_and_no_figure() {
    let harness = Harness::start("2026-03-10T12:00:00Z").await;
    let found = weekly(&harness).await;
    let status = found.payment_status.clone().expect("a status");
    assert_eq!((found.account_count, status.unpaid_invoice_count, status.at_risk_account_count), (0, 0, 0));
    assert_eq!((status.ages.len(), found.flows.len(), found.goals.len()), (4, 8, 6));
    assert!(found.goals.iter().all(|one| one.state() == GoalState::NoData && one.value.is_none()), "{:?}", found.goals);
    assert_eq!(found.revenue_health.expect("revenue").bands.len(), 5);
}

#[tokio::test]
async fn every_fault_of_a_request_for_a_report_of_revenue_is_named() {
    let harness = Harness::start("2026-03-01T00:00:00Z").await;
    let target = |metric: i32, target| proto::GoalTarget { metric, target };
    let request = proto::GetRevenueReportRequest {
        period: 9,
        segments: vec![77],
        owner_email: "x".repeat(255),
        list_size: Some(0),
        targets: vec![target(0, 0.5), target(1, 1.5), target(6, 90.0), target(6, f64::NAN)],
    };
    let mut client = ReportServiceClient::new(harness.channel.clone());
    let status = client.get_revenue_report(request).await.expect_err("a refusal");
    assert_eq!(status.code(), Code::InvalidArgument);
    let expected = [
        "period",
        "segments[0]",
        "owner_email",
        "list_size",
        "targets[0].metric",
        "targets[1].target",
        "targets[3].target",
        "targets[3].metric",
    ];
    assert_eq!(violated_fields(&status), expected);
}
