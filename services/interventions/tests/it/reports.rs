//! How well the work goes.

use chrono::TimeDelta;
use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_domain::Clock;

use crate::at_risk::{open, work_through};
use crate::harness::{Harness, timestamp};

const START: &str = "2026-03-01T00:00:00Z";

#[tokio::test]
async fn r148_r149_r150_success_recovery_and_gain_are_counted_with_their_intervals() {
    let mut harness = Harness::with_acme(START).await;
    let start = harness.clock.now();
    for (days, score) in [(60, 75.0), (80, 81.0)] {
        harness.tell_score(45.0).await;
        harness.settle().await;
        let name = open(&mut harness).await.name;
        // What goes before the intervention is no part of the recovery.
        harness.pass(TimeDelta::days(5)).await;
        work_through(&mut harness, &name).await;
        harness.tell_score(score).await;
        harness.pass(TimeDelta::days(days)).await;
        let request = proto::CloseCaseRequest { name, outcome: proto::CaseOutcome::Saved.into(), ..Default::default() };
        harness.cases.close_case(request).await.expect("saved");
    }
    let name = open(&mut harness).await.name;
    let request = proto::CloseCaseRequest {
        name,
        outcome: proto::CaseOutcome::Churned.into(),
        notes: "left".to_owned(),
        ..Default::default()
    };
    harness.cases.close_case(request).await.expect("churned");
    harness.clock.advance(TimeDelta::hours(1));
    let request = proto::GetInterventionReportRequest { start_time: Some(timestamp(start)), ..Default::default() };
    let report = harness.reports.get_intervention_report(request).await.expect("a report").into_inner();
    let success = report.success.expect("a share");
    assert_eq!((success.count, success.total), (2, 3));
    // Wilson's interval of 2 in 3.
    assert!(
        (success.low.expect("low") - 0.2077).abs() < 1e-4 && (success.high.expect("high") - 0.9385).abs() < 1e-4,
        "{success:?}"
    );
    let recovery = report.recovery_days.expect("days");
    assert_eq!((recovery.count, recovery.mean, recovery.median), (2, Some(70.0), Some(70.0)));
    assert_eq!(report.points_gained.expect("points").mean, Some(33.0));
}

#[tokio::test]
async fn r103_response_times_stand_beside_their_targets() {
    let mut harness = Harness::with_acme(START).await;
    let start = harness.clock.now();
    for (invoice, minutes) in [("in_1", 60), ("in_2", 90), ("in_3", 180)] {
        harness.raise(harness.failed_payment(invoice, 1)).await;
        harness.settle().await;
        let name =
            harness.open_alerts().await.into_iter().find(|alert| alert.subject == invoice).expect("an alert").name;
        harness.pass(TimeDelta::minutes(minutes)).await;
        let request = proto::AcknowledgeAlertRequest { name, ..Default::default() };
        harness.alerts.acknowledge_alert(request).await.expect("acknowledged");
    }
    harness.pass(TimeDelta::hours(1)).await;
    let request = proto::GetInterventionReportRequest { start_time: Some(timestamp(start)), ..Default::default() };
    let report = harness.reports.get_intervention_report(request).await.expect("a report").into_inner();
    let times = report
        .response_times
        .iter()
        .find(|times| {
            times.alert_kind() == proto::AlertKind::PaymentFailed && times.step() == proto::ClockStep::Acknowledge
        })
        .expect("times");
    let in_time = times.in_time.expect("a share");
    assert_eq!((in_time.count, in_time.total, times.never_met_count), (2, 3, 0));
    assert_eq!(times.hours.expect("hours").median, Some(1.5));
    assert_eq!(times.target.map(|target| target.seconds), Some(2 * 3600));
}

#[tokio::test]
async fn r103_critical_alerts_are_answered_within_four_hours_or_counted() {
    let mut harness = Harness::with_acme(START).await;
    let start = harness.clock.now();
    let ticket = |harness: &Harness, ticket: &str| {
        let cause = scoring::TicketCause {
            ticket_id: ticket.to_owned(),
            priority: scoring::TicketPriority::Critical.into(),
            ..Default::default()
        };
        harness.trigger(scoring::RiskTriggerKind::TicketUrgent, ticket, scoring::risk_trigger::Cause::Ticket(cause))
    };
    // A payment is of high severity: it does not count.
    harness.raise(harness.failed_payment("in_1", 1)).await;
    for (name, minutes) in [("T-1", 180), ("T-2", 240), ("T-3", 300)] {
        harness.raise(ticket(&harness, name)).await;
        harness.settle().await;
        let alerts = harness.open_alerts().await;
        let alert = alerts.into_iter().find(|alert| alert.subject == name).expect("an alert");
        assert_eq!(alert.severity(), proto::AlertSeverity::Critical);
        harness.pass(TimeDelta::minutes(minutes)).await;
        let request = proto::AcknowledgeAlertRequest { name: alert.name, ..Default::default() };
        harness.alerts.acknowledge_alert(request).await.expect("acknowledged");
    }
    harness.raise(ticket(&harness, "T-4")).await;
    harness.settle().await;
    harness.pass(TimeDelta::hours(9)).await;
    let request = proto::GetInterventionReportRequest { start_time: Some(timestamp(start)), ..Default::default() };
    let report = harness.reports.get_intervention_report(request).await.expect("a report").into_inner();
    let response = report.critical_response.expect("a figure");
    let in_time = response.in_time.expect("a share");
    assert_eq!((in_time.count, in_time.total, response.never_answered_count), (1, 4, 1), "4 hours are too long");
    assert!(in_time.low.is_some_and(|low| low < 0.25) && in_time.high.is_some_and(|high| high > 0.25));
    let hours = response.hours.expect("hours");
    assert_eq!((hours.count, hours.median), (3, Some(4.0)));
}

#[tokio::test]
async fn a_report_of_nothing_says_so() {
    let mut harness = Harness::start(START).await;
    let start = timestamp(harness.clock.now() - TimeDelta::days(30));
    let request = proto::GetInterventionReportRequest { start_time: Some(start), ..Default::default() };
    let report = harness.reports.get_intervention_report(request).await.expect("a report").into_inner();
    let success = report.success.expect("a share");
    assert_eq!((success.total, success.share, success.low), (0, None, None));
    let wrong = proto::GetInterventionReportRequest {
        start_time: Some(timestamp(harness.clock.now() + TimeDelta::days(1))),
        ..Default::default()
    };
    assert_eq!(
        harness.reports.get_intervention_report(wrong).await.expect_err("refused").code(),
        tonic::Code::InvalidArgument
    );
}
