//! Judgements of those who look after accounts, money given back, features, incidents and closed cases.

use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use proto::{Aggregation, CaseOutcome, CreditKind, IncidentSeverity, StorySeries};
use tonic::Code;

use crate::adoption_fixtures::milestone;
use crate::harness::{Harness, at, model_of, signal, sum_of, usage};
use crate::refusals::violated_fields;

const START: &str = "2026-03-01T12:00:00Z";

#[expect(clippy::unnecessary_wraps, reason = "it is compared with and put into fields that may be absent")]
fn time(text: &str) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: at(text).timestamp(), nanos: 0 })
}

fn pulse(day: &str, rating: i32) -> proto::Signal {
    let told =
        proto::PulseSignal { rating, note: "Sponsor left.".to_owned(), author_email: "mia@example.com".to_owned() };
    signal("acme", day, Payload::Pulse(told))
}

#[expect(clippy::unnecessary_wraps, reason = "it is compared with and put into fields that may be absent")]
fn money(minor_units: i64) -> Option<Money> {
    Some(Money { currency_code: "EUR".to_owned(), minor_units })
}

fn credit(kind: CreditKind, minor_units: i64) -> Payload {
    let (invoice_id, reason) = ("in-1".to_owned(), "outage".to_owned());
    Payload::Credit(proto::CreditSignal { kind: kind.into(), amount: money(minor_units), invoice_id, reason })
}

fn incident(minutes: i32) -> Payload {
    let severity = IncidentSeverity::Major.into();
    Payload::Incident(proto::IncidentSignal { incident_id: "inc-7".to_owned(), severity, minutes })
}

/// A model of one measure of a series of stories, worth its value times 20, up to 100.
fn by(series: StorySeries, aggregation: Aggregation, window_days: i32) -> proto::Model {
    let mut measure = sum_of("emails", window_days);
    measure.input = Some(proto::Input { series: Some(proto::input::Series::Story(series.into())) });
    measure.aggregation = aggregation.into();
    measure.curve = vec![proto::CurvePoint { x: 0.0, points: 0.0 }, proto::CurvePoint { x: 5.0, points: 100.0 }];
    measure.freshness_limit_days = window_days;
    model_of(measure)
}

#[tokio::test]
async fn a_judgement_of_the_csm_fades_to_the_middle_of_its_scale_and_is_none_after_90_days() {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["acme"]).await;
    harness.activate("pulse", by(StorySeries::CsmPulse, Aggregation::FadedLast, 90)).await;
    harness.record(vec![pulse("2026-03-01", 5)]).await;
    harness.settle().await;
    // 3 + 2 × 45 / 90 = 4 after 45 days, 3 + 2 × 1 / 90 after 89, and nothing after 90.
    for (day, score) in [("2026-03-01", Some(100.0)), ("2026-04-15", Some(80.0)), ("2026-05-29", Some(60.4))] {
        harness.turn_to(day).await;
        let given = harness.health_of("acme", day).await.score;
        assert_eq!(given.map(|given| (given * 10.0).round() / 10.0), score, "{day}");
    }
    harness.turn_to("2026-05-30").await;
    let health = harness.health_of("acme", "2026-05-30").await;
    assert_eq!(health.score, None, "{health:?}");

    harness.record(vec![pulse("2026-05-30", 1)]).await;
    harness.settle().await;
    assert_eq!(harness.health_of("acme", "").await.score, Some(20.0), "the newest counts");
}

#[tokio::test]
async fn what_happens_around_the_product_counts_on_its_days_once_and_is_listed_as_told() {
    let told = [
        credit(CreditKind::Refund, 4_900),
        credit(CreditKind::CreditNote, 100),
        Payload::FeatureRequest(proto::FeatureRequestSignal { feature: "sso".to_owned(), title: "SAML".to_owned() }),
        Payload::FeatureRelease(proto::FeatureReleaseSignal { feature: "sso".to_owned() }),
        incident(4),
        Payload::CaseOutcome(proto::CaseOutcomeSignal {
            case_id: "cases/1".to_owned(),
            outcome: CaseOutcome::Saved.into(),
            open_time: time("2026-02-01"),
            score_at_open: Some(42.5),
        }),
    ];
    for (series, score) in [
        (StorySeries::Refunds, 20.0),
        (StorySeries::CreditNotes, 20.0),
        (StorySeries::FeatureRequests, 20.0),
        (StorySeries::FeatureReleases, 20.0),
        (StorySeries::Incidents, 20.0),
        (StorySeries::IncidentMinutes, 80.0),
    ] {
        let mut harness = Harness::start(START).await;
        harness.create_accounts(&["acme"]).await;
        harness.activate("one", by(series, Aggregation::Sum, 30)).await;
        let signals: Vec<_> = told.iter().map(|payload| signal("acme", "2026-03-01", payload.clone())).collect();
        assert_eq!(harness.record(signals.clone()).await.recorded_count, 6);
        assert_eq!(harness.record(signals).await.duplicate_count, 6, "each counts once");
        harness.settle().await;
        assert_eq!(harness.health_of("acme", "").await.score, Some(score), "{series:?}");

        let request = proto::ListSignalsRequest { parent: "accounts/acme".to_owned(), ..Default::default() };
        let listed = harness.signals.list_signals(request).await.expect("a list").into_inner().signals;
        assert_eq!(listed.len(), told.len());
        for payload in &told {
            assert!(listed.iter().any(|signal| signal.payload.as_ref() == Some(payload)), "{payload:?}");
        }
    }
}

#[tokio::test]
async fn every_field_of_them_that_is_wrong_is_named() {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["acme"]).await;
    let long = "x".repeat(4_001);
    let bad = vec![
        Payload::Pulse(proto::PulseSignal { rating: 6, note: long.clone(), author_email: long.clone() }),
        Payload::Credit(proto::CreditSignal::default()),
        Payload::Credit(proto::CreditSignal {
            kind: 3,
            amount: money(0),
            invoice_id: long.clone(),
            reason: long.clone(),
        }),
        Payload::FeatureRequest(proto::FeatureRequestSignal { feature: "A b".to_owned(), title: long.clone() }),
        Payload::FeatureRelease(proto::FeatureReleaseSignal { feature: String::new() }),
        Payload::Incident(proto::IncidentSignal { incident_id: String::new(), severity: 0, minutes: -1 }),
        Payload::CaseOutcome(proto::CaseOutcomeSignal {
            case_id: long,
            outcome: 9,
            open_time: time("2026-03-02"),
            score_at_open: Some(f64::NAN),
        }),
    ];
    let signals = (0..).zip(bad).map(|(number, payload)| proto::Signal {
        source_id: format!("bad-{number}"),
        ..signal("acme", "2026-03-01", payload)
    });
    let request = proto::BatchRecordSignalsRequest { signals: signals.collect(), ..Default::default() };
    let status = harness.signals.batch_record_signals(request).await.expect_err("a refusal");
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(
        violated_fields(&status),
        [
            "signals[0].pulse.rating",
            "signals[0].pulse.note",
            "signals[0].pulse.author_email",
            "signals[1].credit.kind",
            "signals[1].credit.amount",
            "signals[2].credit.kind",
            "signals[2].credit.amount.minor_units",
            "signals[2].credit.invoice_id",
            "signals[2].credit.reason",
            "signals[3].feature_request.feature",
            "signals[3].feature_request.title",
            "signals[4].feature_release.feature",
            "signals[5].incident.severity",
            "signals[5].incident.incident_id",
            "signals[5].incident.minutes",
            "signals[6].case_outcome.outcome",
            "signals[6].case_outcome.case_id",
            "signals[6].case_outcome.open_time",
            "signals[6].case_outcome.score_at_open",
        ]
    );
}

#[tokio::test]
async fn only_figures_with_a_scale_can_fade_and_only_within_a_window() {
    let mut harness = Harness::start(START).await;
    for (model, field) in [
        (by(StorySeries::ResolutionHours, Aggregation::FadedLast, 90), "aggregation"),
        (by(StorySeries::Incidents, Aggregation::FadedLast, 90), "aggregation"),
        (by(StorySeries::CsmPulse, Aggregation::FadedLast, 0), "window_days"),
    ] {
        let request =
            proto::CreateModelRequest { model_id: "faded".to_owned(), model: Some(model), ..Default::default() };
        let status = harness.models.create_model(request).await.expect_err("a refusal");
        assert_eq!(violated_fields(&status), [format!("model.components[0].measures[0].{field}")]);
    }
}

#[tokio::test]
async fn r67_milestones_are_a_measure_of_models_on_the_days_on_which_they_were_reached() {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["acme", "slow"]).await;
    harness.activate("value", by(StorySeries::Milestones, Aggregation::Sum, 60)).await;
    harness.turn_to("2026-03-20").await;
    let mut told = vec![
        milestone("acme", "2026-03-02", "first_campaign_sent"),
        milestone("acme", "2026-03-09", "team_invited"),
        usage("slow", "2026-03-02", "emails", 1),
    ];
    told.reverse();
    harness.record(told).await;
    harness.settle().await;
    let scores = async |harness: &mut Harness, id: &str| {
        let mut scores = Vec::new();
        for day in ["2026-03-02", "2026-03-08", "2026-03-09", "2026-03-20"] {
            scores.push(harness.health_of(id, day).await.score);
        }
        scores
    };
    assert_eq!(scores(&mut harness, "acme").await, [Some(20.0), Some(20.0), Some(40.0), Some(40.0)]);
    assert_eq!(scores(&mut harness, "slow").await, [Some(0.0); 4], "who reached none has none");

    harness.record(vec![milestone("acme", "2026-03-03", "data_imported")]).await;
    harness.settle().await;
    assert_eq!(scores(&mut harness, "acme").await, [Some(20.0), Some(40.0), Some(60.0), Some(60.0)], "told late");
}
