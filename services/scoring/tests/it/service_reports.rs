//! The report of service: tickets, what was resolved at first contact, and how easy customers found it.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::report_service_client::ReportServiceClient;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use proto::TicketAction::{self, Escalated, Opened, Reopened, Resolved, Updated};
use proto::{ReportPeriod, Segment, SurveyQuestion};
use tonic::Code;

use crate::account_fixtures::{archive, owner, time};
use crate::harness::{Harness, account, at, signal};
use crate::refusals::violated_fields;
use crate::risk_fixtures::{churn, ticket};

async fn report(harness: &Harness, request: proto::GetServiceReportRequest) -> proto::ServiceReport {
    let mut client = ReportServiceClient::new(harness.channel.clone());
    client.get_service_report(request).await.expect("a report").into_inner()
}

async fn monthly(harness: &Harness) -> proto::ServiceReport {
    report(harness, proto::GetServiceReportRequest::default()).await
}

async fn over(harness: &Harness, period: ReportPeriod) -> proto::ServiceReport {
    report(harness, proto::GetServiceReportRequest { period: period.into(), ..Default::default() }).await
}

/// Noon on 2026-03-31, with three customers. The month began on 2026-03-01 at noon; it has the tickets that were resolved from
/// 2026-02-22 at noon to 2026-03-24 at noon.
pub(crate) async fn customers() -> Harness {
    let harness = Harness::start("2026-03-31T12:00:00Z").await;
    let of = |id: &str, segment: Segment| proto::Account { segment: segment.into(), ..account(id) };
    let mut acme = of("acme", Segment::Enterprise);
    acme.owners = vec![owner(1, "mia@example.com")];
    let accounts = vec![acme, of("beta", Segment::Smb), of("gamma", Segment::MidMarket)];
    let request = proto::BatchUpsertAccountsRequest { accounts, ..Default::default() };
    harness.accounts.clone().batch_upsert_accounts(request).await.expect("accounts");
    harness
}

fn happened(id: &str, at: &str, ticket_id: &str, action: TicketAction) -> proto::Signal {
    ticket(id, at, ticket_id, action, proto::TicketPriority::Unspecified)
}

/// The customer wrote.
fn wrote(id: &str, at: &str, ticket_id: &str, text: &str) -> proto::Signal {
    let mut one = happened(id, at, ticket_id, Updated);
    if let Some(Payload::Ticket(told)) = &mut one.payload {
        text.clone_into(&mut told.text);
    }
    one
}

/// The customer was answered.
fn answered(id: &str, at: &str, ticket_id: &str) -> proto::Signal {
    let mut one = happened(id, at, ticket_id, Updated);
    if let Some(Payload::Ticket(told)) = &mut one.payload {
        told.first_response_time = Some(time(at));
    }
    one
}

fn effort(id: &str, at: &str, score: i32) -> proto::Signal {
    let question = SurveyQuestion::Ces.into();
    signal(id, at, Payload::SurveyAnswer(proto::SurveyAnswerSignal { question, score, ..Default::default() }))
}

/// What was told, in the order in which it happened.
pub(crate) fn told() -> Vec<proto::Signal> {
    let csat = proto::SurveyAnswerSignal { question: SurveyQuestion::Csat.into(), score: 1, ..Default::default() };
    vec![
        happened("acme", "2026-02-10T00:00:00Z", "t-8", Opened),
        happened("acme", "2026-02-10T08:00:00Z", "t-8", Resolved),
        effort("acme", "2026-02-11", 2),
        happened("beta", "2026-02-12", "t-9", Opened),
        happened("beta", "2026-02-13", "t-9", Resolved),
        happened("beta", "2026-02-14", "t-9", Reopened),
        // Opened and answered in the month before, resolved in it.
        happened("beta", "2026-02-26T00:00:00Z", "t-0", Opened),
        answered("beta", "2026-02-26T05:00:00Z", "t-0"),
        happened("acme", "2026-03-02T00:00:00Z", "t-1", Opened),
        answered("acme", "2026-03-02T01:00:00Z", "t-1"),
        happened("acme", "2026-03-02T04:00:00Z", "t-1", Resolved),
        wrote("acme", "2026-03-02T05:00:00Z", "t-1", "Thank you!"),
        happened("acme", "2026-03-03T00:00:00Z", "t-2", Opened),
        happened("acme", "2026-03-03T00:00:00Z", "t-3", Opened),
        answered("acme", "2026-03-03T02:00:00Z", "t-3"),
        happened("acme", "2026-03-03T02:00:00Z", "t-3", Resolved),
        happened("acme", "2026-03-03T10:00:00Z", "t-2", Resolved),
        effort("acme", "2026-03-04", 7),
        effort("beta", "2026-03-04", 4),
        signal("beta", "2026-03-04", Payload::SurveyAnswer(csat)),
        happened("beta", "2026-03-05", "t-4", Opened),
        happened("beta", "2026-03-06", "t-4", Escalated),
        happened("beta", "2026-03-07", "t-4", Resolved),
        happened("beta", "2026-03-07", "t-0", Resolved),
        happened("beta", "2026-03-08T00:00:00Z", "t-5", Opened),
        wrote("beta", "2026-03-09T00:00:00Z", "t-5", "Hello?"),
        happened("beta", "2026-03-10T00:00:00Z", "t-5", Resolved),
        // Seven days after the resolution, and a second more.
        happened("acme", "2026-03-10T02:00:01Z", "t-3", Reopened),
        happened("acme", "2026-03-10T10:00:00Z", "t-2", Reopened),
        happened("beta", "2026-03-28", "t-6", Opened),
        happened("beta", "2026-03-29", "t-6", Resolved),
        happened("beta", "2026-03-30", "t-7", Opened),
    ]
}

/// Opened, resolved, reopened, escalated, pending.
fn counts(figures: Option<proto::ServiceFigures>) -> [i64; 5] {
    let one = figures.expect("figures");
    [one.opened_count, one.resolved_count, one.reopened_count, one.escalated_count, one.pending_count]
}

/// At first contact, of how many.
fn first_contact(figures: Option<proto::ServiceFigures>) -> (i64, i64) {
    let one = figures.expect("figures");
    (one.first_contact_count, one.decided_count)
}

fn of_segment(report: &proto::ServiceReport, segment: Segment) -> proto::SegmentServiceReport {
    *report.segments.iter().find(|one| one.segment() == segment).expect("the segment")
}

#[tokio::test]
async fn r52_the_share_resolved_at_first_contact_stands_beside_effort_by_segment_and_the_month_before() {
    let mut harness = customers().await;
    harness.record(told()).await;
    let report = monthly(&harness).await;
    assert_eq!(
        (report.as_of_time, report.start_time),
        (Some(time("2026-03-31T12:00:00Z")), Some(time("2026-03-01T12:00:00Z")))
    );
    assert_eq!(report.compare_start_time, Some(time("2026-01-30T12:00:00Z")));
    let now = report.figures.expect("figures");
    assert_eq!(counts(report.figures), [7, 7, 2, 1, 1]);
    // t-1, t-3 and t-0, of those and t-2, t-4 and t-5.
    assert_eq!(first_contact(report.figures), (3, 6));
    assert_eq!(now.first_contact_rate, Some(0.5));
    // R's `binom::binom.wilson(3, 6)`.
    let interval = [now.first_contact_rate_low, now.first_contact_rate_high].map(|end| end.expect("an end"));
    assert!((interval[0] - 0.187_616).abs() < 1e-6 && (interval[1] - 0.812_384).abs() < 1e-6, "{interval:?}");
    assert_eq!((now.effort_answer_count, now.effort_score_mean), (2, Some(5.5)), "CSAT is another scale");
    // 1 and 2 hours; 2, 4, 10, 24, 48, 48 and 216 hours.
    assert_eq!((now.answered_count, now.first_response_hours_median), (2, Some(1.5)));
    assert_eq!(now.resolution_hours_median, Some(24.0));

    let before = report.figures_before.expect("figures");
    assert_eq!(counts(report.figures_before), [3, 2, 1, 0, 0]);
    assert_eq!((first_contact(report.figures_before), before.first_contact_rate), ((1, 2), Some(0.5)));
    assert_eq!((before.effort_answer_count, before.effort_score_mean), (1, Some(2.0)));
    assert_eq!((before.answered_count, before.first_response_hours_median), (1, Some(5.0)));
    assert_eq!(before.resolution_hours_median, Some(16.0));
    assert_eq!(report.first_contact_rate_change, Some(0.0));
    let change = report.first_contact_rate_change_low.zip(report.first_contact_rate_change_high);
    let (low, high) = change.expect("an interval");
    assert!(-1.0 < low && low < -0.4 && high == -low, "eight tickets say little: {low} to {high}");

    assert_eq!(report.segments.len(), 2, "of gamma nothing is counted");
    let enterprise = of_segment(&report, Segment::Enterprise);
    assert_eq!((counts(enterprise.figures), first_contact(enterprise.figures)), ([3, 3, 2, 0, 0], (2, 3)));
    assert_eq!(enterprise.figures.expect("figures").effort_score_mean, Some(7.0));
    let smb = of_segment(&report, Segment::Smb);
    assert_eq!((counts(smb.figures), first_contact(smb.figures)), ([4, 4, 0, 1, 1], (1, 3)));
    assert_eq!((counts(smb.figures_before), first_contact(smb.figures_before)), ([2, 1, 1, 0, 0], (0, 1)));
}

#[tokio::test]
async fn r52_late_repeated_and_reordered_signals_give_the_same_report_and_late_ones_correct_it() {
    let mut in_order = customers().await;
    in_order.record(told()).await;
    let mut reordered = customers().await;
    let mut backwards = told();
    backwards.reverse();
    for one in backwards {
        reordered.record(vec![one.clone()]).await;
        reordered.record(vec![one]).await;
    }
    assert_eq!(monthly(&reordered).await, monthly(&in_order).await);

    let mut first_contacts = Vec::new();
    for late in [
        // t-1: the customer wrote before the resolution; t-3: it was reopened a second earlier, too.
        wrote("acme", "2026-03-02T02:00:00Z", "t-1", "And now?"),
        happened("acme", "2026-03-10T02:00:00Z", "t-3", Reopened),
        // t-5 had been resolved before the customer wrote.
        happened("beta", "2026-03-08T09:00:00Z", "t-5", Resolved),
        // t-0 was escalated while it was open.
        happened("beta", "2026-02-27", "t-0", Escalated),
    ] {
        reordered.record(vec![late]).await;
        first_contacts.push(first_contact(monthly(&reordered).await.figures));
    }
    assert_eq!(first_contacts, [(2, 6), (1, 6), (2, 6), (1, 6)]);
}

#[tokio::test]
async fn r52_a_ticket_is_pending_for_seven_days_whatever_is_known_of_it_and_then_decided_for_good() {
    let mut harness = customers().await;
    harness.record(told()).await;
    let week = over(&harness, ReportPeriod::Week).await;
    assert_eq!((counts(week.figures), first_contact(week.figures)), ([2, 1, 0, 0, 1], (0, 0)));
    assert_eq!(week.figures.expect("figures").first_contact_rate, None);
    harness.record(vec![happened("beta", "2026-03-31", "t-6", Escalated)]).await;
    let week = over(&harness, ReportPeriod::Week).await;
    assert_eq!((counts(week.figures), first_contact(week.figures)), ([2, 1, 0, 1, 1], (0, 0)));

    harness.clock.set(at("2026-04-04T23:59:59Z"));
    assert_eq!(first_contact(over(&harness, ReportPeriod::Day).await.figures), (0, 0));
    harness.clock.set(at("2026-04-05T00:00:00Z"));
    let day = over(&harness, ReportPeriod::Day).await;
    assert_eq!((first_contact(day.figures), counts(day.figures)), ((0, 1), [0; 5]));
    // In the next day it is in the day before, and three weeks later another escalation changes nothing of t-1.
    harness.clock.set(at("2026-04-06T00:00:00Z"));
    let next = over(&harness, ReportPeriod::Day).await;
    assert_eq!(
        (first_contact(next.figures_before), next.figures),
        (first_contact(day.figures), Some(Default::default()))
    );
    harness.clock.set(at("2026-04-08T00:00:00Z"));
    let before = first_contact(monthly(&harness).await.figures);
    harness.record(vec![happened("acme", "2026-04-07", "t-1", Escalated)]).await;
    let after = monthly(&harness).await;
    assert_eq!((first_contact(after.figures), counts(after.figures)[3]), (before, 2), "t-6 and t-1 were escalated");
}

#[tokio::test]
async fn r52_a_report_of_service_can_be_of_a_segment_or_of_a_persons_customers_and_who_left_is_none() {
    let mut harness = customers().await;
    harness.record(told()).await;
    let segments = vec![Segment::Smb.into(), Segment::MidMarket.into()];
    let found = report(&harness, proto::GetServiceReportRequest { segments, ..Default::default() }).await;
    assert_eq!((counts(found.figures), found.segments.len()), ([4, 4, 0, 1, 1], 1));
    let owner_email = "mia@example.com".to_owned();
    let hers = report(&harness, proto::GetServiceReportRequest { owner_email, ..Default::default() }).await;
    assert_eq!((counts(hers.figures), first_contact(hers.figures)), ([3, 3, 2, 0, 0], (2, 3)));
    assert_eq!(hers.figures.expect("figures").effort_answer_count, 1);

    harness.record(vec![churn("beta", "2026-03-31")]).await;
    archive(&harness, "acme", "").await.expect("archived");
    let left = monthly(&harness).await;
    assert_eq!((left.figures, left.segments.len()), (Some(proto::ServiceFigures::default()), 0));
    assert_eq!(left.first_contact_rate_change, None);
}

#[tokio::test]
async fn every_fault_of_a_request_for_a_report_of_service_is_named() {
    let harness = Harness::start("2026-03-01T00:00:00Z").await;
    let request = proto::GetServiceReportRequest { period: 9, segments: vec![77], owner_email: "x".repeat(255) };
    let mut client = ReportServiceClient::new(harness.channel.clone());
    let status = client.get_service_report(request).await.expect_err("a refusal");
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(violated_fields(&status), ["period", "segments[0]", "owner_email"]);
}
