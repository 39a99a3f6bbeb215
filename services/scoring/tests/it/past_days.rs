//! A day of the past that is scored again is scored with what held on that day.

use mainstay_api::mainstay::scoring::v1 as proto;

use crate::harness::{Harness, account, gauge, model_of, sum_of};

/// Points by the share of a plan's seats in use: all seats are 100 points.
fn seats_of_limit() -> proto::Measure {
    proto::Measure {
        aggregation: proto::Aggregation::LastOfLimit.into(),
        curve: vec![proto::CurvePoint { x: 0.0, points: 0.0 }, proto::CurvePoint { x: 1.0, points: 100.0 }],
        ..sum_of("seats", 7)
    }
}

async fn set_seat_limit(harness: &mut Harness, limit: f64) {
    let mut acme = account("acme");
    acme.plan_limits.insert("seats".to_owned(), limit);
    let request = proto::BatchUpsertAccountsRequest { accounts: vec![acme], ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("an account");
}

#[tokio::test]
async fn a_day_scored_again_has_the_plan_limits_of_that_day() {
    let mut harness = Harness::start("2026-03-01T12:00:00Z").await;
    set_seat_limit(&mut harness, 20.0).await;
    harness.activate("seats", model_of(seats_of_limit())).await;
    harness.record(vec![gauge("acme", "2026-03-01T08:00:00Z", "seats", 5.0)]).await;
    harness.settle().await;
    harness.pass_days(2).await;
    set_seat_limit(&mut harness, 100.0).await;
    harness.settle().await;

    harness.record(vec![gauge("acme", "2026-03-01T09:00:00Z", "seats", 10.0)]).await;
    harness.settle().await;
    let mut scores = Vec::new();
    for day in ["2026-03-01", "2026-03-02", "2026-03-03"] {
        scores.push(harness.health_of("acme", day).await.score.expect("a score"));
    }
    assert_eq!(scores, [50.0, 50.0, 10.0]);
}
