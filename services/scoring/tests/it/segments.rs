//! Measures that compare an account with its segment.

use mainstay_api::mainstay::scoring::v1 as proto;

use crate::harness::{Harness, account, model_of, sum_of, usage};

/// Points by the share of the segment's median: the median itself is 50 points.
fn against_the_segment() -> proto::Measure {
    proto::Measure {
        comparison: proto::Comparison::SegmentMedian.into(),
        curve: vec![proto::CurvePoint { x: 0.0, points: 0.0 }, proto::CurvePoint { x: 2.0, points: 100.0 }],
        ..sum_of("emails", 7)
    }
}

/// A service with five small businesses and one enterprise.
async fn start(at: &str) -> Harness {
    let mut harness = Harness::start(at).await;
    let segments = [("smb", proto::Segment::Smb, 5), ("large", proto::Segment::Enterprise, 1)];
    let accounts = segments.iter().flat_map(|&(id, segment, count)| {
        (1..=count).map(move |number| proto::Account { segment: segment.into(), ..account(&format!("{id}-{number}")) })
    });
    let request = proto::BatchUpsertAccountsRequest { accounts: accounts.collect(), ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("accounts");
    harness.activate("segments", model_of(against_the_segment())).await;
    harness
}

async fn measure(harness: &mut Harness, id: &str) -> proto::MeasureExplanation {
    measure_on(harness, id, "").await
}

async fn measure_on(harness: &mut Harness, id: &str, day: &str) -> proto::MeasureExplanation {
    let request =
        proto::ExplainHealthRequest { account: format!("accounts/{id}"), day: day.to_owned(), ..Default::default() };
    let explained = harness.health.explain_health(request).await.expect("an explanation").into_inner();
    explained.components[0].measures[0].clone()
}

#[tokio::test]
async fn r68_an_account_is_compared_with_the_median_of_its_segment_on_the_day_before() {
    let mut harness = start("2026-03-01T12:00:00Z").await;
    let mut signals: Vec<_> =
        (1..=5).map(|number| usage(&format!("smb-{number}"), "2026-03-01", "emails", number * 10)).collect();
    signals.push(usage("large-1", "2026-03-01", "emails", 900));
    harness.record(signals).await;
    harness.settle().await;
    assert_eq!(
        measure(&mut harness, "smb-1").await.missing_reason(),
        proto::MissingReason::NoSegmentBase,
        "no day before"
    );

    harness.turn_to("2026-03-02").await;
    for (id, share_of_median) in [("smb-1", 1.0 / 3.0), ("smb-3", 1.0), ("smb-5", 5.0 / 3.0)] {
        let measure = measure(&mut harness, id).await;
        assert_eq!(measure.value, Some(share_of_median), "{id}");
        assert!((measure.points.expect("points") - 50.0 * share_of_median).abs() < 0.01, "{id}: {measure:?}");
    }
    let large = measure(&mut harness, "large-1").await;
    assert_eq!(large.missing_reason(), proto::MissingReason::NoSegmentBase, "one account is no segment");
}

/// As an import does it: the first accounts of a segment must not be taken for all of it.
#[tokio::test]
async fn medians_wait_until_most_accounts_have_been_scored() {
    let mut harness = start("2026-03-10T12:00:00Z").await;
    for number in 1..=5 {
        harness.record(vec![usage(&format!("smb-{number}"), "2026-03-08", "emails", number * 10)]).await;
        harness.settle().await;
    }
    harness.turn_to("2026-03-11").await;
    assert_eq!(measure(&mut harness, "smb-3").await.value, Some(1.0), "30 against the median of 10 to 50");
}

#[tokio::test]
async fn a_recomputation_makes_the_medians_of_the_past_anew() {
    let mut harness = start("2026-03-01T12:00:00Z").await;
    harness.settle().await;
    harness.pass_days(9).await;
    let late = (1..=5).map(|number| usage(&format!("smb-{number}"), "2026-03-08", "emails", number * 10));
    harness.record(late.collect()).await;
    harness.settle().await;
    let past = measure_on(&mut harness, "smb-1", "2026-03-10").await;
    assert_eq!(past.missing_reason(), proto::MissingReason::NoSegmentBase, "late signals move no median");

    let request = proto::RecomputeHealthRequest { start_day: "2026-03-08".to_owned(), ..Default::default() };
    harness.health.recompute_health(request).await.expect("an operation");
    harness.settle().await;
    for (id, share_of_median) in [("smb-1", 1.0 / 3.0), ("smb-5", 5.0 / 3.0)] {
        for day in ["2026-03-09", "2026-03-10"] {
            let past = measure_on(&mut harness, id, day).await;
            assert_eq!(past.value, Some(share_of_median), "{id} on {day}");
        }
    }
}
