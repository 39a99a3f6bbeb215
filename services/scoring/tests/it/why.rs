//! What is behind a fall of a score, what to do about it, and what would lift it.

use mainstay_api::mainstay::scoring::v1 as proto;
use proto::decline_trigger::Source;
use proto::{InvoiceAction, RiskTriggerKind, StepRole};

use crate::harness::{Harness, model_of, sum_of, usage};
use crate::risk_fixtures::{invoice, lasting};

async fn explain(harness: &Harness, day: &str, compare_day: &str) -> proto::HealthExplanation {
    let request = proto::ExplainHealthRequest {
        account: "accounts/acme".to_owned(),
        day: day.to_owned(),
        compare_day: compare_day.to_owned(),
    };
    harness.health.clone().explain_health(request).await.expect("an explanation").into_inner()
}

/// Acme fell from 90 to 20 points within the week before the ninth of March, and does not pay.
async fn fallen() -> Harness {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.activate("sum", model_of(sum_of("emails", 7))).await;
    harness.record(vec![usage("acme", "2026-03-01", "emails", 90)]).await;
    harness.settle().await;
    harness.pass_days(8).await;
    harness.record(vec![usage("acme", "2026-03-09", "emails", 20)]).await;
    harness.record(vec![invoice("acme", "2026-03-09", "in_1", InvoiceAction::Overdue)]).await;
    harness.settle().await;
    harness
}

#[tokio::test]
async fn r61_r80_a_fall_is_explained_by_its_causes_with_what_to_do_about_them() {
    let harness = fallen().await;
    let explanation = explain(&harness, "", "2026-03-01").await;
    assert_eq!(explanation.decline_since_day, "2026-03-01");
    let unpaid = lasting(&harness, "acme").await;
    let unpaid = unpaid.iter().find(|trigger| trigger.kind() == RiskTriggerKind::PaymentFailed).expect("unpaid");
    let expected = [
        proto::DeclineTrigger {
            points: 70.0,
            sentence: "Sum of emails: emails fell from 90 to 20 in 7 days".to_owned(),
            source: Some(Source::Measure("emails_sum".to_owned())),
        },
        proto::DeclineTrigger {
            points: 0.0,
            sentence: "Invoice in_1 is unpaid since 2026-03-09: overdue".to_owned(),
            source: Some(Source::RiskTrigger(unpaid.name.clone())),
        },
    ];
    assert_eq!(explanation.decline_triggers, expected);
    let first = &explanation.recommended_steps[0];
    assert_eq!((first.role(), &first.risk_triggers), (StepRole::FinanceContact, &vec![unpaid.name.clone()]));
    let last = explanation.recommended_steps.last().expect("steps");
    assert_eq!((last.role(), last.measures.as_slice()), (StepRole::Csm, &["emails_sum".to_owned()][..]));
    let lift = explanation.lift.expect("below 70");
    assert_eq!((lift.above, lift.attainable, lift.score), (70.0, true, 71.0));
    assert_eq!(lift.steps[0].sentence, "Sum of emails: 71 emails in 7 days instead of 20, which adds 51.0");
}

#[tokio::test]
async fn r61_a_past_day_is_explained_by_what_lasted_then() {
    let mut harness = fallen().await;
    harness.pass_days(1).await;
    harness.record(vec![invoice("acme", "2026-03-10", "in_1", InvoiceAction::Paid)]).await;
    harness.settle().await;
    let conditions = async |day: &str| {
        let triggers = explain(&harness, day, "").await.decline_triggers;
        triggers.into_iter().filter(|trigger| trigger.points == 0.0).count()
    };
    assert_eq!((conditions("2026-03-08").await, conditions("2026-03-09").await, conditions("").await), (0, 1, 0));
}

#[tokio::test]
async fn r61_without_a_day_to_compare_with_the_fall_is_that_of_a_month() {
    let mut harness = fallen().await;
    let young = explain(&harness, "", "").await;
    assert_eq!(young.decline_since_day, "", "it was not scored a month before");
    assert!(young.comparison.is_none() && young.decline_triggers.iter().all(|trigger| trigger.points == 0.0));
    harness.turn_to("2026-04-02").await;
    let silent = explain(&harness, "", "").await;
    assert_eq!(silent.decline_since_day, "2026-03-03");
    assert_eq!(silent.decline_triggers[0].points, 90.0);
    let healthy = explain(&harness, "2026-03-01", "").await;
    assert_eq!((healthy.lift, healthy.decline_triggers.len(), healthy.recommended_steps.len()), (None, 0, 0));
    harness.record(vec![usage("acme", "2026-04-02", "emails", 70)]).await;
    harness.settle().await;
    assert!(explain(&harness, "", "").await.lift.is_some(), "exactly 70 has not recovered");
}
