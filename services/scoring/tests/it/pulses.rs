//! Whether a source is silent or a customer: judged by what all accounts sent, whenever it came.

use mainstay_api::mainstay::scoring::v1 as proto;

use crate::harness::{Harness, model_of, sum_of, usage};

async fn missing_reason(harness: &mut Harness, id: &str, day: &str) -> proto::MissingReason {
    let request =
        proto::ExplainHealthRequest { account: format!("accounts/{id}"), day: day.to_owned(), ..Default::default() };
    let explained = harness.health.explain_health(request).await.expect("an explanation").into_inner();
    explained.components[0].measures[0].missing_reason()
}

/// As an import sorted by account does it: what is known of a day grows after accounts were scored on it.
#[tokio::test]
async fn r217_a_source_that_comes_to_life_late_rescores_accounts_that_were_silent() {
    let mut harness = Harness::start("2026-01-01T12:00:00Z").await;
    harness.create_accounts(&["quiet", "busy"]).await;
    harness.activate("sum", model_of(sum_of("emails", 7))).await;
    harness.record(vec![usage("quiet", "2026-01-01", "emails", 5)]).await;
    harness.turn_to("2026-03-20").await;
    assert_eq!(harness.health_of("quiet", "").await.score, None, "all sources are silent");

    let days = (1..=77).map(|number| {
        let day = harness.clock_day(-number);
        usage("busy", &day, "emails", 1)
    });
    let signals = days.collect();
    harness.record(signals).await;
    harness.settle().await;
    assert_eq!(harness.health_of("quiet", "").await.score, Some(0.0), "the source lives, the customer is silent");
    assert_eq!(harness.health_of("quiet", "2026-03-01").await.score, Some(0.0), "so it was on that day");
}

#[tokio::test]
async fn r217_a_source_silent_for_long_is_stale_and_not_without_data() {
    let mut harness = Harness::start("2026-01-01T12:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.activate("sum", model_of(sum_of("emails", 7))).await;
    harness.record(vec![usage("acme", "2026-01-01", "emails", 5)]).await;
    harness.settle().await;
    for day in ["2026-02-16", "2026-02-17", "2026-04-20"] {
        harness.turn_to(day).await;
        assert_eq!(missing_reason(&mut harness, "acme", "").await, proto::MissingReason::Stale, "{day}");
    }
}
