//! Conditions of a score: raised at its cuts, once, and cleared above them.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::RiskTriggerKind::{HealthAtRisk, HealthCritical, HealthDrop};

use crate::harness::{Harness, at, gauge, model_of};
use crate::risk_fixtures::{Told, churn, lasting, risk_events, told_of_account};

/// A model whose score is the newest level of `points`, in hundredths.
pub(crate) fn points_model() -> proto::Model {
    model_of(proto::Measure {
        id: "points".to_owned(),
        display_name: "Points".to_owned(),
        weight: 1.0,
        input: Some(proto::Input { series: Some(proto::input::Series::Metric("points".to_owned())) }),
        window_days: 90,
        aggregation: proto::Aggregation::Last.into(),
        curve: vec![proto::CurvePoint { x: 0.0, points: 0.0 }, proto::CurvePoint { x: 100.0, points: 100.0 }],
        freshness_limit_days: 365,
        ..Default::default()
    })
}

async fn acme() -> Harness {
    acme_by(points_model()).await
}

/// Acme, scored by a model.
async fn acme_by(model: proto::Model) -> Harness {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.activate("points", model).await;
    harness
}

/// Has acme scored with so many points now.
async fn score(harness: &mut Harness, points: f64) {
    harness.clock.advance(chrono::TimeDelta::minutes(1));
    let time = harness.clock_time();
    harness.record(vec![gauge("acme", &time, "points", points)]).await;
    harness.settle().await;
}

/// What was told of a kind after each of these scores of one day.
async fn told_after(kind: proto::RiskTriggerKind, scores: &[f64]) -> Vec<Vec<Told>> {
    let mut harness = acme().await;
    let mut told = Vec::new();
    let mut seen = 0;
    for &points in scores {
        score(&mut harness, points).await;
        let all = told_of_account(&harness, "acme", kind).await;
        told.push(all[seen..].to_vec());
        seen = all.len();
    }
    told
}

#[tokio::test]
async fn r56_r94_a_critical_score_is_told_once_below_50_and_ends_at_52() {
    use Told::{Cleared, Raised, Updated};
    let told = told_after(HealthCritical, &[50.0, 49.99, 50.0, 51.99, 49.0, 44.0, 51.99, 52.0, 50.0, 49.99]).await;
    let none: Vec<Told> = Vec::new();
    assert_eq!(
        told,
        [
            none.clone(),
            vec![Raised],
            none.clone(),
            none.clone(),
            none.clone(),
            vec![Updated],
            vec![Updated],
            vec![Cleared],
            none,
            vec![Raised]
        ]
    );
}

#[tokio::test]
async fn r56_a_score_at_risk_is_told_once_below_70_and_ends_above_72() {
    use Told::{Cleared, Raised};
    let told = told_after(HealthAtRisk, &[70.0, 69.99, 70.0, 72.0, 72.01, 70.0, 69.99]).await;
    let none: Vec<Told> = Vec::new();
    assert_eq!(told, [none.clone(), vec![Raised], none.clone(), none.clone(), vec![Cleared], none, vec![Raised]]);
}

#[tokio::test]
async fn r56_conditions_begin_and_end_at_the_cuts_of_the_model_and_not_at_the_usual_ones() {
    use Told::{Cleared, Raised, Updated};
    let cuts = proto::BandCuts { critical_below: 30.0, at_risk_below: 60.0, healthy_above: 80.0 };
    let mut harness = acme_by(proto::Model { band_cuts: Some(cuts), ..points_model() }).await;
    let (mut at_risk, mut critical) = (Vec::new(), Vec::new());
    for (points, told_at_risk, told_critical) in [
        (65.0, None, None),
        (60.0, None, None),
        (55.0, Some(Raised), None),
        (45.0, Some(Updated), None),
        (30.0, Some(Updated), None),
        (29.99, None, Some(Raised)),
        (32.0, None, Some(Cleared)),
        (62.0, Some(Updated), None),
        (62.01, Some(Cleared), None),
    ] {
        score(&mut harness, points).await;
        at_risk.extend(told_at_risk);
        critical.extend(told_critical);
        assert_eq!(told_of_account(&harness, "acme", HealthAtRisk).await, at_risk, "at {points}");
        assert_eq!(told_of_account(&harness, "acme", HealthCritical).await, critical, "at {points}");
    }
    score(&mut harness, 20.0).await;
    let mut thresholds: Vec<_> = lasting(&harness, "acme")
        .await
        .into_iter()
        .map(|trigger| match &trigger.cause {
            Some(proto::risk_trigger::Cause::Health(cause)) => (trigger.kind(), cause.threshold),
            other => panic!("a score, not {other:?}"),
        })
        .collect();
    thresholds.sort_by_key(|(kind, _)| *kind);
    assert_eq!(thresholds, [(HealthCritical, 30.0), (HealthAtRisk, 60.0)]);
}

#[tokio::test]
async fn r55_a_drop_of_exactly_15_points_in_30_days_is_none() {
    use Told::{Cleared, Raised, Updated};
    let mut harness = acme().await;
    score(&mut harness, 90.0).await;
    harness.turn_to("2026-03-31").await;
    let mut seen = 0;
    for (points, expected) in [
        (75.0, None),
        (74.99, Some(Raised)),
        (75.0, None),
        (79.98, None),
        (79.99, Some(Updated)),
        (80.0, Some(Cleared)),
        (74.0, Some(Raised)),
    ] {
        score(&mut harness, points).await;
        let told = told_of_account(&harness, "acme", HealthDrop).await;
        assert_eq!(told[seen..], expected.into_iter().collect::<Vec<_>>(), "at {points}");
        seen = told.len();
    }
    let drop = lasting(&harness, "acme").await.remove(0);
    let Some(proto::risk_trigger::Cause::Health(cause)) = &drop.cause else { panic!("a score") };
    assert_eq!((cause.score, cause.previous_score, cause.threshold), (74.0, Some(90.0), 15.0));
    assert_eq!((cause.day.as_str(), drop.score), ("2026-03-31", Some(74.0)));
}

#[tokio::test]
async fn a_critical_score_is_at_risk_too_and_says_what_it_was_before() {
    let mut harness = acme().await;
    score(&mut harness, 60.0).await;
    score(&mut harness, 40.0).await;
    let lasting = lasting(&harness, "acme").await;
    assert_eq!(lasting.iter().map(proto::RiskTrigger::kind).collect::<Vec<_>>(), [HealthCritical, HealthAtRisk]);
    let Some(proto::risk_trigger::Cause::Health(cause)) = &lasting[0].cause else { panic!("a score") };
    assert_eq!((cause.score, cause.previous_score, cause.threshold), (40.0, Some(60.0), 50.0));
    assert_eq!((cause.band(), lasting[0].occurrence_count), (proto::Band::Critical, 1));
    assert_eq!(lasting[0].raise_time.expect("a time").seconds, at("2026-03-01T00:02:00Z").timestamp());
}

#[tokio::test]
async fn days_of_the_past_raise_nothing() {
    let mut harness = acme().await;
    harness.turn_to("2026-03-20").await;
    let signals = vec![gauge("acme", "2026-03-02", "points", 10.0), gauge("acme", "2026-03-20", "points", 95.0)];
    harness.record(signals).await;
    harness.settle().await;
    assert_eq!(harness.health_of("acme", "2026-03-05").await.score, Some(10.0));
    assert_eq!(risk_events(&harness).await, []);
}

#[tokio::test]
async fn an_account_that_is_gone_is_not_at_risk() {
    let mut harness = acme().await;
    score(&mut harness, 40.0).await;
    let time = harness.clock_time();
    harness.record(vec![churn("acme", &time)]).await;
    score(&mut harness, 30.0).await;
    harness.pass_days(2).await;
    let told = risk_events(&harness).await;
    let seen: Vec<_> = told.iter().map(|(told, trigger)| (*told, trigger.kind(), trigger.clear_reason())).collect();
    let lasts = proto::RiskTriggerClearReason::Unspecified;
    let gone = proto::RiskTriggerClearReason::AccountGone;
    assert_eq!(
        seen,
        [
            (Told::Raised, HealthCritical, lasts),
            (Told::Raised, HealthAtRisk, lasts),
            (Told::Cleared, HealthCritical, gone),
            (Told::Cleared, HealthAtRisk, gone),
        ]
    );
}

#[tokio::test]
async fn replicas_raise_each_condition_once() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    let ids: Vec<String> = (0..600).map(|number| format!("account-{number}")).collect();
    harness.create_accounts(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    harness.activate("points", points_model()).await;
    harness.record(ids.iter().map(|id| gauge(id, "2026-03-01", "points", 60.0)).collect()).await;
    let (_service, other) = harness.replica().await;
    let (first, second) = tokio::join!(harness.try_settle(), other.settle());
    first.expect("due work");
    second.expect("due work");
    let told = risk_events(&harness).await;
    assert_eq!(told.len(), 600);
    let accounts: std::collections::BTreeSet<&str> = told.iter().map(|(_, trigger)| trigger.account.as_str()).collect();
    assert_eq!(accounts.len(), 600);
}
