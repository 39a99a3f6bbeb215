//! Customers who can be named as references.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::report_service_client::ReportServiceClient;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use proto::{InvoiceAction, SurveyQuestion};

use crate::harness::{Harness, account, model_of, signal, sum_of, usage};
use crate::risk_fixtures::{churn, invoice, lasting};

fn answer(id: &str, at: &str, contact: &str, question: SurveyQuestion, score: i32) -> proto::Signal {
    let contact_id = contact.to_owned();
    let answer = proto::SurveyAnswerSignal { question: question.into(), score, contact_id, ..Default::default() };
    signal(id, at, Payload::SurveyAnswer(answer))
}

fn nps(id: &str, at: &str, contact: &str, score: i32) -> proto::Signal {
    answer(id, at, contact, SurveyQuestion::Nps, score)
}

pub(crate) async fn report(harness: &Harness, segments: Vec<i32>) -> proto::HealthReport {
    let request = proto::GetHealthReportRequest { segments, ..Default::default() };
    let mut client = ReportServiceClient::new(harness.channel.clone());
    client.get_health_report(request).await.expect("a report").into_inner()
}

async fn count(harness: &Harness) -> i64 {
    report(harness, Vec::new()).await.referenceable_account_count
}

/// Noon of 2026-07-01, with two healthy customers and one that is not.
async fn customers() -> Harness {
    let mut harness = Harness::start("2026-07-01T12:00:00Z").await;
    let of = |id: &str, segment: proto::Segment| proto::Account { segment: segment.into(), ..account(id) };
    let accounts = vec![
        of("acme", proto::Segment::Enterprise),
        of("beta", proto::Segment::Smb),
        of("gamma", proto::Segment::Smb),
        of("delta", proto::Segment::Smb),
    ];
    let request = proto::BatchUpsertAccountsRequest { accounts, ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("accounts");
    harness.activate("sum", model_of(sum_of("emails", 7))).await;
    let used = [("acme", 90), ("beta", 100), ("gamma", 85)];
    harness.record(used.map(|(id, emails)| usage(id, "2026-07-01", "emails", emails)).to_vec()).await;
    harness.settle().await;
    harness
}

#[tokio::test]
async fn r201_healthy_promoters_without_a_risk_are_counted_with_their_share() {
    let mut harness = customers().await;
    let none = report(&harness, Vec::new()).await;
    assert_eq!((none.referenceable_account_count, none.referenceable_share), (0, Some(0.0)), "nobody was asked");
    harness
        .record(vec![
            nps("acme", "2026-06-01", "eve", 9),
            nps("beta", "2026-06-01", "bob", 10),
            // Stable, not healthy.
            nps("gamma", "2026-06-01", "kim", 10),
            // Without a score.
            nps("delta", "2026-06-01", "ann", 10),
        ])
        .await;
    let found = report(&harness, Vec::new()).await;
    assert_eq!((found.referenceable_account_count, found.referenceable_share), (2, Some(0.5)));
    let smb = report(&harness, vec![proto::Segment::Smb.into()]).await;
    assert_eq!((smb.referenceable_account_count, smb.referenceable_share), (1, Some(1.0 / 3.0)));

    harness.record(vec![invoice("acme", "2026-07-01", "in-1", InvoiceAction::PaymentFailed)]).await;
    assert_eq!(lasting(&harness, "acme").await.len(), 1);
    assert_eq!(count(&harness).await, 1);
    harness.record(vec![invoice("acme", "2026-07-01T01:00:00Z", "in-1", InvoiceAction::Paid)]).await;
    assert_eq!(count(&harness).await, 2, "it was a risk, and is none any more");
    harness.record(vec![churn("beta", "2026-07-01")]).await;
    assert_eq!(count(&harness).await, 1);
    let nobody = report(&harness, vec![proto::Segment::MidMarket.into()]).await;
    assert_eq!((nobody.referenceable_account_count, nobody.referenceable_share), (0, None));
}

#[tokio::test]
async fn r201_the_newest_answer_of_any_contact_decides_whenever_it_is_told() {
    let mut harness = customers().await;
    harness.record(vec![nps("acme", "2026-05-01", "eve", 10)]).await;
    assert_eq!(count(&harness).await, 1);
    harness.record(vec![nps("acme", "2026-04-01", "bob", 0)]).await;
    assert_eq!(count(&harness).await, 1, "told later, given earlier");
    harness.record(vec![answer("acme", "2026-06-02", "bob", SurveyQuestion::Csat, 1)]).await;
    assert_eq!(count(&harness).await, 1, "another question");
    harness.record(vec![nps("acme", "2026-06-01", "bob", 6)]).await;
    assert_eq!(count(&harness).await, 0, "a detractor among its contacts");
    harness.record(vec![nps("acme", "2026-06-02", "eve", 9)]).await;
    assert_eq!(count(&harness).await, 1);
    harness.record(vec![nps("acme", "2026-06-02", "bob", 8)]).await;
    assert_eq!(count(&harness).await, 0, "of one time the lowest");
}

#[tokio::test]
async fn r201_an_answer_counts_for_180_days() {
    let mut harness = customers().await;
    // 180 days before noon of 2026-07-01.
    harness.record(vec![nps("acme", "2026-01-02T12:00:00Z", "eve", 10)]).await;
    assert_eq!(count(&harness).await, 0);
    harness.record(vec![nps("acme", "2026-01-02T12:00:01Z", "bob", 9)]).await;
    assert_eq!(count(&harness).await, 1);
}
