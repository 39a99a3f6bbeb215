//! Messages that leave.

use chrono::TimeDelta;
use mainstay_api::mainstay::interventions::v1 as proto;

use crate::harness::{CSM, Harness};

const START: &str = "2026-03-01T00:00:00Z";

#[tokio::test]
async fn r97_an_alert_is_told_with_the_accounts_context() {
    let mut harness = Harness::with_acme(START).await;
    harness.tell_score(61.0).await;
    harness.settle().await;
    harness.raise(harness.silence()).await;
    harness.settle().await;
    let mail = harness.mail_to(CSM).remove(0);
    let id = harness.open_alert().await.name.trim_start_matches("alerts/").to_owned();
    for told in [
        "No activity for 14 days",
        "Account: Acme Ltd (acme)",
        "ARR: 180,000.00 EUR",
        "Health: 61.0",
        "acknowledge by 2026-03-01 02:00 UTC",
        "follow up by 2026-03-04 00:00 UTC",
        &format!("mainstay alerts acknowledge {id}"),
    ] {
        assert!(mail.text.contains(told), "`{told}` is missing in:\n{}", mail.text);
    }
}

#[tokio::test]
async fn whoever_gets_an_alert_is_told_and_the_same_again_changes_nothing() {
    let mut harness = Harness::with_acme(START).await;
    harness.raise(harness.silence()).await;
    harness.settle().await;
    let name = harness.open_alert().await.name;
    let request = proto::ReassignAlertRequest {
        name: name.clone(),
        owner_email: "bo@example.com".to_owned(),
        ..Default::default()
    };
    for _ in 0..2 {
        harness.alerts.reassign_alert(request.clone()).await.expect("reassigned");
    }
    harness.settle().await;
    assert_eq!(harness.mail_to("bo@example.com").len(), 1);
    harness.pass(TimeDelta::hours(2)).await;
    assert_eq!(harness.mail_to("bo@example.com").len(), 2, "the breach is theirs");
}

#[tokio::test]
async fn a_relay_that_is_away_loses_no_notice() {
    let mut harness = Harness::with_acme(START).await;
    harness.mail.refuse_next(mainstay_testkit::smtp::SmtpStep::Recipient, ["451 away", "451 away", "451 away"]);
    harness.raise(harness.silence()).await;
    harness.settle().await;
    for _ in 0..5 {
        harness.pass(TimeDelta::minutes(20)).await;
    }
    assert_eq!(harness.mail_to(CSM).iter().filter(|email| email.subject.contains("No activity")).count(), 1);
    harness.open_alert().await;
}
