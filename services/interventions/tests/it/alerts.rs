//! Alerts from risk triggers, and the steps that people take.

use chrono::TimeDelta;
use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_domain::Clock;
use tonic::Code;
use tonic_types::StatusExt;

use crate::harness::{ACCOUNT_MANAGER, CSM, DIRECTOR, FINANCE, Harness, acme, clock_state};

const START: &str = "2026-03-01T00:00:00Z";

#[tokio::test]
async fn r93_fourteen_silent_days_are_told_to_the_csm_at_once() {
    let mut harness = Harness::with_acme(START).await;
    harness.raise(harness.silence()).await;
    harness.settle().await;
    let alert = harness.open_alert().await;
    assert_eq!((alert.kind(), alert.state()), (proto::AlertKind::Inactivity, proto::AlertState::New));
    assert_eq!(alert.headline, "No activity for 14 days");
    assert_eq!(alert.owner_email, CSM);
    let mail = harness.mail_to(CSM);
    assert_eq!(mail.len(), 1);
    assert_eq!(mail[0].subject, "Acme Ltd: No activity for 14 days");
    assert!(mail[0].text.contains("Last activity on 2026-02-15."), "{}", mail[0].text);
}

#[tokio::test]
async fn r59_what_begins_on_a_day_is_an_alert_and_a_mail_on_that_day_and_nothing_new_on_the_others() {
    let mut harness = Harness::with_acme(START).await;
    let (mut alerted, mut mailed) = (Vec::new(), Vec::new());
    for day in 1..=5 {
        match day {
            2 => harness.raise(harness.silence()).await,
            4 => harness.raise(harness.failed_payment("in_1", 2)).await,
            _ => {}
        }
        let mails_before = harness.mail_to(CSM).len();
        harness.settle().await;
        let now = harness.clock.now().timestamp();
        let begun = harness.open_alerts().await.into_iter().filter(|alert| {
            let time = alert.alert_time.expect("a time").seconds;
            assert!(time <= now, "{alert:?}");
            time == now
        });
        alerted
            .push(begun.map(|alert| format!("{}: {}", alert.account_display_name, alert.headline)).collect::<Vec<_>>());
        mailed.push(harness.mail_to(CSM).into_iter().skip(mails_before).map(|mail| mail.subject).collect::<Vec<_>>());
        harness.pass(TimeDelta::days(1)).await;
    }
    let of = |subject: &str| vec![format!("Acme Ltd: {subject}")];
    let silence = of("No activity for 14 days");
    let payment = of("The payment of invoice in_1 failed 2 times");
    let expected = [Vec::new(), silence, Vec::new(), payment, Vec::new()];
    assert_eq!((alerted.as_slice(), mailed.as_slice()), (&expected[..], &expected[..]));
}

#[tokio::test]
async fn r94_a_score_below_50_involves_the_director_within_24_hours() {
    let mut harness = Harness::with_acme(START).await;
    harness.raise(harness.critical(42.0)).await;
    harness.settle().await;
    let alert = harness.open_alert().await;
    harness.pass(TimeDelta::hours(17)).await;
    assert_eq!(
        clock_state(&harness.alert(&alert.name).await.clocks, proto::ClockStep::EscalateToDirector),
        proto::ClockState::Running
    );
    let before = harness.mail_to(DIRECTOR).len();
    harness.pass(TimeDelta::hours(2)).await;
    let alert = harness.alert(&alert.name).await;
    assert_eq!(clock_state(&alert.clocks, proto::ClockStep::EscalateToDirector), proto::ClockState::Met);
    let mail = harness.mail_to(DIRECTOR);
    assert_eq!(mail.len(), before + 1, "told once");
    harness.pass(TimeDelta::hours(6)).await;
    let met: Vec<proto::ClockMet> = harness.events().await;
    let steps: Vec<_> = met
        .iter()
        .map(|met| met.notice.as_ref().and_then(|notice| notice.clock.as_ref()).map(proto::Clock::step))
        .collect();
    assert_eq!(steps, [Some(proto::ClockStep::EscalateToDirector)]);
}

#[tokio::test]
async fn r95_a_failed_payment_is_one_alert_to_csm_and_finance_however_often_it_is_retried() {
    let mut harness = Harness::with_acme(START).await;
    let trigger = harness.failed_payment("in_1", 1);
    harness.raise(trigger.clone()).await;
    harness.settle().await;
    for attempts in 2..=3 {
        harness.clock.advance(TimeDelta::minutes(10));
        harness
            .repeat(scoring::RiskTrigger { raise_time: trigger.raise_time, ..harness.failed_payment("in_1", attempts) })
            .await;
        harness.settle().await;
    }
    let alert = harness.open_alert().await;
    assert_eq!(
        (alert.kind(), alert.subject.as_str(), alert.occurrence_count),
        (proto::AlertKind::PaymentFailed, "in_1", 3)
    );
    assert_eq!(alert.headline, "The payment of invoice in_1 failed 3 times");
    assert_eq!((harness.mail_to(CSM).len(), harness.mail_to(FINANCE).len()), (1, 1), "told once, at once");

    harness.clear(trigger).await;
    harness.settle().await;
    assert_eq!(harness.open_alerts().await, []);
    let closed = harness.alert(&alert.name).await;
    assert_eq!(closed.resolution(), proto::AlertResolution::ConditionEnded);
    harness.pass(TimeDelta::days(10)).await;
    assert_eq!(harness.events::<proto::ClockBreached>().await, []);
    assert_eq!(harness.events::<proto::AlertClosed>().await.len(), 1);
}

#[tokio::test]
async fn r95_a_dispute_is_told_to_csm_and_finance_at_once() {
    let mut harness = Harness::with_acme(START).await;
    let cause = scoring::DisputeCause { dispute_id: "dp_1".to_owned(), ..Default::default() };
    let cause = scoring::risk_trigger::Cause::Dispute(cause);
    harness.raise(harness.trigger(scoring::RiskTriggerKind::BillingDispute, "dp_1", cause)).await;
    harness.settle().await;
    assert_eq!(harness.open_alert().await.kind(), proto::AlertKind::BillingDispute);
    assert_eq!((harness.mail_to(CSM).len(), harness.mail_to(FINANCE).len()), (1, 1));
}

#[tokio::test]
async fn r94_the_director_hears_of_a_score_below_50_also_when_the_alert_is_ended_before() {
    for (resolution, is_told) in [
        (Some(proto::AlertResolution::FalseAlarm), true),
        (Some(proto::AlertResolution::NoAction), true),
        (None, false),
    ] {
        let mut harness = Harness::with_acme(START).await;
        let trigger = harness.critical(44.0);
        harness.raise(trigger.clone()).await;
        harness.settle().await;
        let name = harness.open_alert().await.name;
        harness.clock.advance(TimeDelta::hours(1));
        match resolution {
            Some(resolution) => {
                let notes = "Known already".to_owned();
                let request = proto::CloseAlertRequest {
                    name: name.clone(),
                    resolution: resolution.into(),
                    notes,
                    ..Default::default()
                };
                harness.alerts.close_alert(request).await.expect("closed");
            }
            None => harness.clear(trigger).await,
        }
        harness.settle().await;
        assert!(harness.alert(&name).await.close_time.is_some());
        let told = harness.mail_to(DIRECTOR);
        assert_eq!(told.len(), usize::from(is_told), "{resolution:?}");
        let met: Vec<proto::ClockMet> = harness.events().await;
        let met = met.into_iter().filter_map(|event| event.notice?.clock).map(|clock| clock.step());
        assert_eq!(met.filter(|step| *step == proto::ClockStep::EscalateToDirector).count(), usize::from(is_told));
    }
}

#[tokio::test]
async fn an_end_other_than_the_one_an_alert_has_is_refused_and_changes_nothing() {
    let mut harness = Harness::with_acme(START).await;
    harness.raise(harness.silence()).await;
    harness.settle().await;
    let name = harness.open_alert().await.name;
    let request = |resolution: proto::AlertResolution| proto::CloseAlertRequest {
        name: name.clone(),
        resolution: resolution.into(),
        notes: "A holiday".to_owned(),
        ..Default::default()
    };
    let ended = harness.alerts.close_alert(request(proto::AlertResolution::NoAction)).await.expect("closed");
    let again = harness.alerts.close_alert(request(proto::AlertResolution::NoAction)).await.expect("as it is");
    assert_eq!(again.get_ref(), ended.get_ref());
    let refused = harness.alerts.close_alert(request(proto::AlertResolution::FalseAlarm)).await.expect_err("ended");
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(refused.get_details_error_info().expect("a reason").reason, "ALERT_CLOSED");
    assert_eq!(harness.alert(&name).await, ended.into_inner());
    assert_eq!(harness.events::<proto::AlertClosed>().await.len(), 1);
}

#[tokio::test]
async fn two_invoices_are_two_alerts() {
    let mut harness = Harness::with_acme(START).await;
    harness.raise(harness.failed_payment("in_1", 1)).await;
    harness.raise(harness.failed_payment("in_2", 1)).await;
    harness.settle().await;
    assert_eq!(harness.open_alerts().await.len(), 2);
}

#[tokio::test]
async fn r96_an_urgent_ticket_is_to_be_reviewed_within_4_hours() {
    let mut harness = Harness::with_acme(START).await;
    let cause = scoring::TicketCause {
        ticket_id: "T-1".to_owned(),
        priority: scoring::TicketPriority::Urgent.into(),
        subject: "Exports fail".to_owned(),
        ..Default::default()
    };
    let cause = scoring::risk_trigger::Cause::Ticket(cause);
    harness.raise(harness.trigger(scoring::RiskTriggerKind::TicketUrgent, "T-1", cause)).await;
    harness.settle().await;
    let alert = harness.open_alert().await;
    let review = alert.clocks.iter().find(|clock| clock.step() == proto::ClockStep::Review).expect("a clock");
    let seconds = |time: &Option<prost_types::Timestamp>| time.as_ref().expect("a time").seconds;
    assert_eq!(seconds(&review.due_time) - seconds(&alert.alert_time), 4 * 3600);
    let request =
        proto::AssessAlertRequest { name: alert.name.clone(), assessment: "seen".to_owned(), ..Default::default() };
    harness.alerts.assess_alert(request).await.expect("assessed");
    let alert = harness.alert(&alert.name).await;
    assert_eq!(clock_state(&alert.clocks, proto::ClockStep::Review), proto::ClockState::Met);
}

#[tokio::test]
async fn r64_a_frustrated_ticket_is_the_csms_within_the_five_deadlines() {
    let mut harness = Harness::with_acme(START).await;
    let cause = scoring::TicketFrustratedCause {
        ticket_id: "T-1".to_owned(),
        sentiment: -0.8,
        message_count: 2,
        subject: "Exports fail".to_owned(),
        ..Default::default()
    };
    let cause = scoring::risk_trigger::Cause::TicketFrustrated(cause);
    harness.raise(harness.trigger(scoring::RiskTriggerKind::TicketFrustrated, "T-1", cause)).await;
    harness.settle().await;
    let alert = harness.open_alert().await;
    assert_eq!((alert.kind(), alert.owner_email.as_str()), (proto::AlertKind::TicketFrustrated, CSM));
    assert_eq!((alert.headline.as_str(), alert.clocks.len()), ("The customer is frustrated in ticket T-1", 5));
    assert_eq!(alert.details, ["Subject: Exports fail", "2 messages were frustrated."]);
}

#[tokio::test]
async fn r65_r69_r71_use_payments_champions_and_renewals_are_the_csms_within_the_five_deadlines() {
    use scoring::RiskTriggerKind as Kind;
    use scoring::risk_trigger::Cause;
    let week = |total: i64| scoring::WeekOfUse { total, ..Default::default() };
    let decline = scoring::UsageDeclineCause {
        input: Some(scoring::Input { series: Some(scoring::input::Series::Metric("emails".to_owned())) }),
        base: 1_000.0,
        weeks: [900, 800, 640].map(week).to_vec(),
        ..Default::default()
    };
    let days = scoring::LoginDropCause { active_days: 9, earlier_active_days: 20, ..Default::default() };
    let exports = scoring::PeerFeature { feature: "exports".to_owned(), user_count: 9 };
    let unadopted = scoring::FeatureNotAdoptedCause { features: vec![exports], peer_count: 10, ..Default::default() };
    let silence = scoring::ChampionSilentCause { contact_id: "c-1".to_owned(), silent_days: 21, ..Default::default() };
    let delay = scoring::PaymentSlowingCause {
        invoice_count: 3,
        days_late: 12.0,
        earlier_invoice_count: 12,
        earlier_days_late: 1.0,
        ..Default::default()
    };
    let renewal = scoring::RenewalAtRiskCause { days_left: 90, score: 60.0, ..Default::default() };
    let told = [
        (Kind::UsageDecline, Cause::UsageDecline(decline), "Use of emails is 36 % below what it was"),
        (Kind::LoginDrop, Cause::LoginDrop(days), "Active on 9 of 28 days, 20 before"),
        (Kind::FeatureNotAdopted, Cause::FeatureNotAdopted(unadopted), "exports was never used"),
        (Kind::ChampionSilent, Cause::ChampionSilent(silence), "The champion c-1 is silent for 21 days"),
        (Kind::PaymentSlowing, Cause::PaymentSlowing(delay), "The last 3 invoices were paid 12 days late, 1 before"),
        (Kind::RenewalAtRisk, Cause::RenewalAtRisk(renewal), "The renewal is in 90 days, and health is at 60.0"),
    ];
    for (kind, cause, headline) in told {
        let mut harness = Harness::with_acme(START).await;
        harness.raise(harness.trigger(kind, "", cause)).await;
        harness.settle().await;
        let alert = harness.open_alert().await;
        assert_eq!((alert.headline.as_str(), alert.owner_email.as_str()), (headline, CSM));
        assert_eq!(alert.kind().as_str_name().replace("ALERT_KIND", "RISK_TRIGGER_KIND"), kind.as_str_name());
        assert_eq!(alert.clocks.len(), 5, "{headline}");
        let is_renewal = kind == Kind::RenewalAtRisk;
        assert_eq!(harness.mail_to(ACCOUNT_MANAGER).len(), usize::from(is_renewal), "who renews it hears of it");
    }
}

#[tokio::test]
async fn r102_account_managers_hear_of_accounts_at_risk() {
    let harness = Harness::with_acme(START).await;
    let cause =
        scoring::HealthCause { day: "2026-03-01".to_owned(), score: 69.5, threshold: 70.0, ..Default::default() };
    let cause = scoring::risk_trigger::Cause::Health(cause);
    harness.raise(harness.trigger(scoring::RiskTriggerKind::HealthAtRisk, "", cause)).await;
    harness.settle().await;
    assert_eq!(harness.mail_to(ACCOUNT_MANAGER).len(), 1);
    harness.raise(harness.critical(44.0)).await;
    harness.settle().await;
    assert_eq!(harness.mail_to(ACCOUNT_MANAGER).len(), 2, "and of critical ones");
}

/// Hours from the alert to what is due for a step.
fn hours_to(alert: &proto::Alert, step: proto::ClockStep) -> i64 {
    let clock = alert.clocks.iter().find(|clock| clock.step() == step).expect("a clock");
    (clock.due_time.expect("a time").seconds - alert.alert_time.expect("a time").seconds) / 3600
}

#[tokio::test]
async fn r97_r98_r99_r100_r101_the_five_steps_meet_their_clocks_and_are_in_the_story() {
    let mut harness = Harness::with_acme(START).await;
    harness.raise(harness.silence()).await;
    harness.settle().await;
    let name = harness.open_alert().await.name;
    let five = [
        proto::ClockStep::Acknowledge,
        proto::ClockStep::Assess,
        proto::ClockStep::Plan,
        proto::ClockStep::Execute,
        proto::ClockStep::FollowUp,
    ];
    let alert = harness.alert(&name).await;
    assert_eq!(five.map(|step| hours_to(&alert, step)), [2, 4, 24, 48, 72]);

    harness.clock.advance(TimeDelta::hours(1));
    harness
        .alerts
        .acknowledge_alert(proto::AcknowledgeAlertRequest { name: name.clone(), ..Default::default() })
        .await
        .expect("acknowledged");
    harness.clock.advance(TimeDelta::hours(1));
    let request = proto::AssessAlertRequest {
        name: name.clone(),
        assessment: "Champion left".to_owned(),
        immediate_action_needed: true,
        ..Default::default()
    };
    harness.alerts.assess_alert(request).await.expect("assessed");
    assert!(harness.alert(&name).await.immediate_action_needed);
    harness.clock.advance(TimeDelta::hours(10));
    harness
        .alerts
        .plan_alert(proto::PlanAlertRequest {
            name: name.clone(),
            plan: "Call the new admin".to_owned(),
            ..Default::default()
        })
        .await
        .expect("planned");
    harness.settle().await;
    let to_crm = harness.posted("/crm").pop().expect("the CRM has the plan");
    let body: serde_json::Value = serde_json::from_slice(&to_crm.body).expect("JSON");
    assert_eq!(
        (body["type"].as_str(), body["data"]["plan"].as_str()),
        (Some("interventions.alert_planned"), Some("Call the new admin"))
    );
    harness.clock.advance(TimeDelta::hours(20));
    let request = proto::RecordExecutionRequest {
        name: name.clone(),
        execution: "Called".to_owned(),
        channel: proto::TouchChannel::Call.into(),
        answered: true,
        ..Default::default()
    };
    harness.alerts.record_execution(request).await.expect("executed");
    harness.clock.advance(TimeDelta::hours(20));
    harness
        .alerts
        .follow_up_alert(proto::FollowUpAlertRequest {
            name: name.clone(),
            follow_up: "They are back".to_owned(),
            issue_resolved: true,
            ..Default::default()
        })
        .await
        .expect("followed up");
    let request = proto::CloseAlertRequest {
        name: name.clone(),
        resolution: proto::AlertResolution::Resolved.into(),
        ..Default::default()
    };
    let closed = harness.alerts.close_alert(request).await.expect("closed").into_inner();
    for step in five {
        assert_eq!(clock_state(&closed.clocks, step), proto::ClockState::Met, "{step:?}");
    }
    assert_eq!(closed.next_due_time, None);
    harness.pass(TimeDelta::days(30)).await;
    assert_eq!(harness.events::<proto::ClockBreached>().await, []);
    assert_eq!(harness.events::<proto::ClockMet>().await.len(), 5);
    assert_eq!(harness.events::<proto::TouchRecorded>().await.len(), 1);
    let story = harness.story().await;
    assert_eq!(
        story,
        [
            "alert_raised",
            "alert_moved",
            "alert_moved",
            "alert_moved",
            "alert_moved",
            "touch",
            "alert_moved",
            "alert_closed"
        ]
    );
}

#[tokio::test]
async fn a_step_too_early_is_refused_with_all_that_is_missing_and_changes_nothing() {
    let mut harness = Harness::with_acme(START).await;
    harness.raise(harness.silence()).await;
    harness.settle().await;
    let alert = harness.open_alert().await;
    let request = proto::CloseAlertRequest {
        name: alert.name.clone(),
        resolution: proto::AlertResolution::Resolved.into(),
        ..Default::default()
    };
    let status = harness.alerts.close_alert(request).await.expect_err("refused");
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(status.get_details_error_info().expect("info").reason, "ILLEGAL_MOVE");
    let missing: Vec<String> = status
        .get_details_precondition_failure()
        .expect("details")
        .violations
        .into_iter()
        .map(|violation| violation.description)
        .collect();
    assert_eq!(missing.len(), 4, "{missing:?}");
    assert_eq!(harness.alert(&alert.name).await, alert);
}

#[tokio::test]
async fn an_account_that_churns_ends_its_alerts() {
    let mut harness = Harness::with_acme(START).await;
    harness.raise(harness.silence()).await;
    harness.raise(harness.failed_payment("in_1", 1)).await;
    harness.settle().await;
    harness.tell_account(scoring::Account { lifecycle_stage: scoring::LifecycleStage::Churned.into(), ..acme() }).await;
    harness.settle().await;
    assert_eq!(harness.open_alerts().await, []);
    let request = proto::ListAlertsRequest { closed: true, ..Default::default() };
    let closed = harness.alerts.list_alerts(request).await.expect("alerts").into_inner().alerts;
    assert!(closed.iter().all(|alert| alert.resolution() == proto::AlertResolution::AccountGone), "{closed:#?}");
    assert_eq!(closed.len(), 2);
}

#[tokio::test]
async fn an_alert_by_hand_is_counted_on_the_one_that_is_open() {
    let mut harness = Harness::with_acme(START).await;
    let request = proto::CreateAlertRequest {
        account: "accounts/acme".to_owned(),
        subject: "meeting".to_owned(),
        headline: "The sponsor leaves".to_owned(),
        ..Default::default()
    };
    let first = harness.alerts.create_alert(request.clone()).await.expect("an alert").into_inner();
    let second = harness.alerts.create_alert(request).await.expect("the same").into_inner();
    assert_eq!((second.name, second.occurrence_count), (first.name, 2));
}
