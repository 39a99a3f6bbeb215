//! Renewals that come near while health is poor.

use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::RiskTriggerKind::RenewalAtRisk;
use proto::lifecycle_signal::Change;
use proto::risk_trigger::Cause;

use crate::account_fixtures::time;
use crate::harness::{Harness, account, gauge};
use crate::health_risks::points_model;
use crate::risk_fixtures::{Told, lasting, lifecycle, told_of_account};

/// Acme, to be renewed on the 10th of June, with a score of 60.
async fn acme() -> Harness {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    let mrr = Money { currency_code: "EUR".to_owned(), minor_units: 100_000 };
    let acme = proto::Account { renewal_time: Some(time("2026-06-10T18:00:00Z")), mrr: Some(mrr), ..account("acme") };
    let request = proto::BatchUpsertAccountsRequest { accounts: vec![acme], ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("acme");
    harness.activate("points", points_model()).await;
    score(&mut harness, 60.0).await;
    harness
}

/// Has acme scored with so many points now.
async fn score(harness: &mut Harness, points: f64) {
    harness.clock.advance(chrono::TimeDelta::minutes(1));
    let time = harness.clock_time();
    harness.record(vec![gauge("acme", &time, "points", points)]).await;
    harness.settle().await;
}

async fn told(harness: &Harness) -> Vec<Told> {
    told_of_account(harness, "acme", RenewalAtRisk).await
}

#[tokio::test]
async fn r66_r71_a_renewal_at_risk_is_told_90_days_before_with_the_revenue_at_risk() {
    let mut harness = acme().await;
    harness.turn_to("2026-03-11").await;
    assert_eq!(told(&harness).await, []);
    harness.turn_to("2026-03-12").await;
    assert_eq!(told(&harness).await, [Told::Raised]);
    let all = lasting(&harness, "acme").await;
    let trigger = all.iter().find(|trigger| trigger.kind() == RenewalAtRisk).expect("a renewal");
    let Some(Cause::RenewalAtRisk(cause)) = &trigger.cause else { panic!("a renewal") };
    assert_eq!((cause.renewal_day.as_str(), cause.days_left), ("2026-06-10", 90));
    assert_eq!((cause.score, cause.threshold), (60.0, 70.0));
    assert_eq!(cause.arr_at_risk.as_ref().map(|arr| arr.minor_units), Some(1_200_000), "twelve times MRR");
    for (points, expected) in [(69.0, 2), (72.0, 2), (69.99, 2)] {
        score(&mut harness, points).await;
        assert_eq!(told(&harness).await.len(), expected, "swinging at {points}");
    }
    score(&mut harness, 72.01).await;
    assert_eq!(told(&harness).await, [Told::Raised, Told::Updated, Told::Cleared]);
    score(&mut harness, 71.0).await;
    assert_eq!(told(&harness).await.len(), 3);
    score(&mut harness, 69.0).await;
    assert_eq!(told(&harness).await[3..], [Told::Raised]);
}

#[tokio::test]
async fn a_renewal_that_is_signed_or_moved_away_ends_it() {
    let mut harness = acme().await;
    harness.turn_to("2026-04-01").await;
    assert_eq!(told(&harness).await, [Told::Raised]);
    let renewal = proto::Renewal { renewal_time: Some(time("2027-06-10")) };
    harness.record(vec![lifecycle("acme", "2026-04-01", Change::Renewal(renewal))]).await;
    harness.settle().await;
    assert_eq!(told(&harness).await, [Told::Raised, Told::Cleared]);
    score(&mut harness, 50.0).await;
    harness.pass_days(3).await;
    assert_eq!(told(&harness).await.len(), 2, "a year away");
}

#[tokio::test]
async fn a_renewal_day_that_passes_without_a_word_ends_nothing() {
    let mut harness = acme().await;
    harness.turn_to("2026-05-20").await;
    score(&mut harness, 60.0).await;
    assert_eq!(told(&harness).await, [Told::Raised]);
    harness.turn_to("2026-06-20").await;
    assert_eq!(told(&harness).await, [Told::Raised]);
}
