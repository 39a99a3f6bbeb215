//! What surveys and interventions tell by their feeds counts as if it had come by RPC.

use mainstay_api::mainstay::interventions::v1 as interventions;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::surveys::v1 as surveys;
use prost_types::Timestamp;

use crate::harness::{Harness, activity, at};

const START: &str = "2026-03-01T12:00:00Z";

#[expect(clippy::unnecessary_wraps, reason = "it is compared with and put into fields that may be absent")]
fn time(text: &str) -> Option<Timestamp> {
    Some(Timestamp { seconds: at(text).timestamp(), nanos: 0 })
}

fn answer(id: &str, account: &str, day: &str, score: i32) -> surveys::ResponseReceived {
    let response = surveys::Response {
        name: format!("accounts/{account}/responses/{id}"),
        account: format!("accounts/{account}"),
        contact_id: "eve".to_owned(),
        program: "programs/quarterly".to_owned(),
        kind: surveys::SurveyKind::Nps.into(),
        score: Some(score),
        comment: "The export is slow.".to_owned(),
        response_time: time(day),
        ..Default::default()
    };
    surveys::ResponseReceived { response: Some(response) }
}

fn touch(id: &str, account: &str, day: &str, answered: bool) -> interventions::TouchRecorded {
    let touch = interventions::Touch {
        name: format!("touches/{id}"),
        account: format!("accounts/{account}"),
        direction: interventions::TouchDirection::Outbound.into(),
        answered,
        summary: "Called about the export.".to_owned(),
        touch_time: time(day),
        ..Default::default()
    };
    interventions::TouchRecorded { touch: Some(touch) }
}

async fn signals_of(harness: &mut Harness, account: &str) -> Vec<proto::Signal> {
    let request = proto::ListSignalsRequest { parent: format!("accounts/{account}"), ..Default::default() };
    harness.signals.list_signals(request).await.expect("a list").into_inner().signals
}

#[tokio::test]
async fn r39_answers_and_contacts_come_from_the_feeds_of_surveys_and_interventions() {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["acme"]).await;
    harness.turn_to("2026-03-04").await;
    harness.surveys.tell("acme", &answer("r-1", "acme", "2026-03-02", 9)).await;
    harness.interventions.tell("acme", &touch("t-1", "acme", "2026-03-03", true)).await;
    harness.settle().await;

    let signals = signals_of(&mut harness, "acme").await;
    let told: Vec<(&str, &str)> =
        signals.iter().map(|signal| (signal.source.as_str(), signal.source_id.as_str())).collect();
    assert_eq!(told, [("mainstay.interventions", "t-1"), ("mainstay.surveys", "r-1")]);
    assert_eq!(signals[0].payload, Some(Payload::Touch(proto::TouchSignal { inbound: false, answered: true })));
    let expected = proto::SurveyAnswerSignal {
        question: proto::SurveyQuestion::Nps.into(),
        score: 9,
        contact_id: "eve".to_owned(),
        comment: "The export is slow.".to_owned(),
    };
    assert_eq!(signals[1].payload, Some(Payload::SurveyAnswer(expected)));
    assert_eq!(signals[1].event_time, time("2026-03-02"));
    let health = harness.health_of("acme", "").await;
    let of =
        |id: &str| health.components.iter().find(|component| component.component == id).expect("a component").score;
    assert_eq!((of("satisfaction"), of("relationship").is_some()), (Some(95.0), true), "{health:?}");
}

#[tokio::test]
async fn what_is_told_again_counts_once() {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["acme"]).await;
    for _ in 0..2 {
        harness.surveys.tell("acme", &answer("r-1", "acme", "2026-03-01", 3)).await;
        harness.settle().await;
    }
    assert_eq!(signals_of(&mut harness, "acme").await.len(), 1);
}

#[tokio::test]
async fn what_cannot_count_is_passed_over_and_holds_up_nothing() {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["acme"]).await;
    harness.surveys.tell("nobody", &answer("r-1", "nobody", "2026-03-01", 3)).await;
    harness.surveys.tell("acme", &answer("r-2", "acme", "2026-03-01", 11)).await;
    let mut unscored = answer("r-3", "acme", "2026-03-01", 0);
    unscored.response.as_mut().expect("a response").score = None;
    harness.surveys.tell("acme", &unscored).await;
    let mut of_a_long_contact = answer("r-4", "acme", "2026-03-01", 0);
    of_a_long_contact.response.as_mut().expect("a response").contact_id = "x".repeat(200);
    harness.surveys.tell("acme", &of_a_long_contact).await;
    harness.settle().await;
    let signals = signals_of(&mut harness, "acme").await;
    assert_eq!(signals.len(), 1, "{signals:?}");
    let Some(Payload::SurveyAnswer(told)) = &signals[0].payload else { panic!("{signals:?}") };
    assert_eq!((told.score, told.contact_id.as_str()), (0, ""));
}

#[tokio::test]
async fn how_a_case_ended_is_kept_and_moves_no_score() {
    let mut harness = Harness::start(START).await;
    harness.create_accounts(&["acme"]).await;
    harness.record((1..=28).map(|day| activity("acme", &format!("2026-02-{day:02}"), "u-1")).collect()).await;
    harness.settle().await;
    let before = harness.health_of("acme", "").await.score;
    assert!(before.is_some());
    let case = interventions::Case {
        name: "cases/0190".to_owned(),
        account: "accounts/acme".to_owned(),
        outcome: interventions::CaseOutcome::Saved.into(),
        open_time: time("2026-02-01"),
        close_time: time("2026-02-28"),
        score_at_open: Some(41.0),
        ..Default::default()
    };
    harness.interventions.tell("acme", &interventions::CaseClosed { case: Some(case) }).await;
    harness.settle().await;
    let expected = proto::CaseOutcomeSignal {
        case_id: "cases/0190".to_owned(),
        outcome: proto::CaseOutcome::Saved.into(),
        open_time: time("2026-02-01"),
        score_at_open: Some(41.0),
    };
    let signals = signals_of(&mut harness, "acme").await;
    assert_eq!(signals[0].payload, Some(Payload::CaseOutcome(expected)));
    assert_eq!((signals[0].source_id.as_str(), signals[0].event_time), ("0190", time("2026-02-28")));
    assert_eq!(harness.health_of("acme", "").await.score, before);
}
