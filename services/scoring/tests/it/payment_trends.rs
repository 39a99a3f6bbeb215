//! How late invoices are paid: in scores, and as a warning before any of them is overdue for good.

use chrono::{Days, NaiveDate};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use proto::RiskTriggerKind::PaymentSlowing;
use proto::risk_trigger::Cause;
use proto::{Aggregation, InvoiceAction, StorySeries};

use crate::account_fixtures::time;
use crate::harness::{Harness, activity, model_of, shuffled};
use crate::risk_fixtures::{Told, invoice, lasting, told_of_account};
use crate::story_scores::measure_of;

/// An invoice due on the first of a month of 2026, and that it was paid so many days later.
fn paid_late(id: &str, month: u32, days_late: u64) -> [proto::Signal; 2] {
    let due = NaiveDate::from_ymd_opt(2026, month, 1).expect("a day");
    let invoice_id = format!("in-{month}");
    let mut issued = invoice(id, "2026-01-01", &invoice_id, InvoiceAction::Issued);
    if let Some(Payload::Invoice(told)) = &mut issued.payload {
        told.due_time = Some(time(&due.to_string()));
    }
    [issued, invoice(id, &(due + Days::new(days_late)).to_string(), &invoice_id, InvoiceAction::Paid)]
}

/// Invoices of the months from January on, each paid so many days late.
fn monthly(id: &str, days_late: &[u64]) -> Vec<proto::Signal> {
    (1..).zip(days_late).flat_map(|(month, late)| paid_late(id, month, *late)).collect()
}

#[tokio::test]
async fn r65_who_pays_later_and_later_is_told_of_before_an_invoice_is_lost_and_the_warning_ends_when_they_pay_as_before()
 {
    let mut harness = Harness::start("2026-06-20T09:00:00Z").await;
    let ids = ["acme", "late-as-ever", "once"];
    harness.create_accounts(&ids).await;
    let paid = [("acme", [0, 0, 0, 4, 9, 14]), ("late-as-ever", [14; 6]), ("once", [0, 0, 0, 0, 0, 14])];
    let mut signals: Vec<proto::Signal> = paid.iter().flat_map(|(id, days_late)| monthly(id, days_late)).collect();
    signals.extend(ids.map(|id| activity(id, "2026-06-19", "ann")));
    harness.record(shuffled(signals, 3)).await;
    harness.settle().await;
    assert_eq!(told_of_account(&harness, "acme", PaymentSlowing).await, [Told::Raised]);
    let all = lasting(&harness, "acme").await;
    let trigger = all.iter().find(|trigger| trigger.kind() == PaymentSlowing).expect("slowing");
    let expected = proto::PaymentSlowingCause {
        newest_payment_day: "2026-06-15".to_owned(),
        invoice_count: 3,
        days_late: 9.0,
        earlier_invoice_count: 3,
        earlier_days_late: 0.0,
    };
    assert_eq!(trigger.cause, Some(Cause::PaymentSlowing(expected)));
    assert!(!trigger.recommended_steps.is_empty(), "and what to do about it");
    for id in ["late-as-ever", "once"] {
        assert_eq!(told_of_account(&harness, id, PaymentSlowing).await, [], "{id}");
    }

    harness.turn_to("2026-09-20").await;
    let in_time = [7, 8, 9].into_iter().flat_map(|month| paid_late("acme", month, 0));
    harness.record(in_time.collect()).await;
    harness.settle().await;
    assert_eq!(told_of_account(&harness, "acme", PaymentSlowing).await, [Told::Raised, Told::Cleared]);
}

#[tokio::test]
async fn r65_how_late_invoices_were_paid_is_a_measure_of_models_in_whole_days_from_the_day_they_were_due() {
    let mut harness = Harness::start("2026-02-01T09:00:00Z").await;
    harness.create_accounts(&["acme", "unsaid"]).await;
    let measure = measure_of(StorySeries::PaymentDaysLate, Aggregation::Mean, 60, 40.0);
    harness.activate("billing", model_of(measure)).await;
    harness.turn_to("2026-03-31").await;
    let mut told = monthly("acme", &[0, 10, 30]);
    let voided = invoice("acme", "2026-03-15", "in-void", InvoiceAction::Voided);
    let unsaid = ["in-1", "in-2"].map(|id| invoice("unsaid", "2026-03-15", id, InvoiceAction::Paid));
    told.push(voided);
    told.extend(unsaid);
    harness.record(shuffled(told, 7)).await;
    harness.settle().await;
    let mut score = async |id: &str, day: &str| harness.health_of(id, day).await.score;
    assert_eq!(score("acme", "2026-02-11").await, Some(87.5), "0 and 10 of 40");
    assert_eq!(score("acme", "2026-03-31").await, Some(50.0), "10 and 30, the first is older than the window");
    assert_eq!(score("unsaid", "2026-03-31").await, None, "nobody says when they were due");
    // The due time turns out to be a later one, told late.
    let mut corrected = invoice("acme", "2026-03-02", "in-3", InvoiceAction::Issued);
    if let Some(Payload::Invoice(told)) = &mut corrected.payload {
        told.due_time = Some(time("2026-03-21"));
    }
    harness.record(vec![corrected]).await;
    harness.settle().await;
    assert_eq!(harness.health_of("acme", "2026-03-31").await.score, Some(75.0), "10 and 10");
}
