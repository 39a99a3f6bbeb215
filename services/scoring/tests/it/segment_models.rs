//! Segments whose accounts are scored by a model of their own.

use mainstay_api::mainstay::scoring::v1 as proto;
use tonic::{Code, Status};

use crate::backtest_fixtures::{backtest, customers, misleads, request, sees};
use crate::harness::{Harness, account, model_of, sum_of, usage};
use crate::refusals::{reason, violated_fields};
use crate::risk_fixtures::events_of;

const START: &str = "2026-03-02T08:00:00Z";

/// Scores enterprises by logins, up to 100 of them.
fn by_logins() -> proto::Model {
    model_of(sum_of("logins", 7))
}

async fn upsert(harness: &mut Harness, id: &str, segment: proto::Segment) {
    let accounts = vec![proto::Account { segment: segment.into(), ..account(id) }];
    let request = proto::BatchUpsertAccountsRequest { accounts, ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("upserted");
}

async fn create(harness: &Harness, model_id: &str, model: proto::Model) {
    let request = proto::CreateModelRequest { model_id: model_id.to_owned(), model: Some(model), ..Default::default() };
    harness.models.clone().create_model(request).await.expect("created");
}

/// Activates a model for a segment, or as the general model.
async fn activate(
    harness: &Harness,
    model_id: &str,
    segment: proto::Segment,
    start_day: &str,
) -> Result<proto::Model, Status> {
    let request = proto::ActivateModelRequest {
        name: format!("models/{model_id}"),
        segment: segment.into(),
        start_day: start_day.to_owned(),
        ..Default::default()
    };
    Ok(harness.models.clone().activate_model(request).await?.into_inner())
}

async fn release(harness: &Harness, segment: proto::Segment, start_day: &str) -> proto::Model {
    let start_day = start_day.to_owned();
    let request = proto::ReleaseSegmentRequest { segment: segment.into(), start_day, ..Default::default() };
    harness.models.clone().release_segment(request).await.expect("released").into_inner()
}

/// Whose accounts a model scores today: whether it is the general one, and the segments whose own it is.
async fn scored_by(harness: &Harness, model_id: &str) -> (bool, Vec<proto::Segment>) {
    let request = proto::GetModelRequest { name: format!("models/{model_id}") };
    let model = harness.models.clone().get_model(request).await.expect("a model").into_inner();
    (model.active, model.segments().collect())
}

/// The model of an account's health on a day, and its score.
async fn health(harness: &mut Harness, id: &str, day: &str) -> (String, Option<f64>) {
    let health = harness.health_of(id, day).await;
    (health.model.trim_start_matches("models/").to_owned(), health.score)
}

/// An enterprise and a small business, each with 40 emails and 90 logins, scored by emails.
async fn two_customers() -> Harness {
    let mut harness = Harness::start(START).await;
    harness.activate("general", sees()).await;
    create(&harness, "large", by_logins()).await;
    for (id, segment) in [("big", proto::Segment::Enterprise), ("small", proto::Segment::Smb)] {
        upsert(&mut harness, id, segment).await;
        harness.record(vec![usage(id, "2026-03-02", "emails", 40), usage(id, "2026-03-02", "logins", 90)]).await;
    }
    harness.settle().await;
    harness
}

fn scored(model: &str, score: f64) -> (String, Option<f64>) {
    (model.to_owned(), Some(score))
}

#[tokio::test]
async fn r68_accounts_of_a_segment_are_scored_by_the_model_of_the_segment() {
    let mut harness = two_customers().await;
    let large = activate(&harness, "large", proto::Segment::Enterprise, "").await.expect("activated");
    assert_eq!((large.active, large.segments().collect::<Vec<_>>()), (false, vec![proto::Segment::Enterprise]));
    harness.settle().await;
    assert_eq!(health(&mut harness, "big", "").await, scored("large", 90.0));
    assert_eq!(health(&mut harness, "small", "").await, scored("general", 40.0));
    let explained = proto::ExplainHealthRequest { account: "accounts/big".to_owned(), ..Default::default() };
    let explained = harness.health.explain_health(explained).await.expect("explained").into_inner();
    assert_eq!(explained.components[0].measures[0].measure, "logins_sum");

    // Who comes into the segment is scored by its model, and days before keep theirs.
    harness.turn_to("2026-03-03").await;
    upsert(&mut harness, "small", proto::Segment::Enterprise).await;
    harness.settle().await;
    assert_eq!(health(&mut harness, "small", "2026-03-03").await, scored("large", 90.0));
    assert_eq!(health(&mut harness, "small", "2026-03-02").await, scored("general", 40.0));

    // A signal for the day before: each day by the model that scores the segment of that day.
    harness.record(vec![usage("small", "2026-03-02T12:00:00Z", "emails", 10)]).await;
    harness.settle().await;
    assert_eq!(health(&mut harness, "small", "2026-03-02").await, scored("general", 50.0));
    assert_eq!(health(&mut harness, "small", "2026-03-03").await, scored("large", 90.0));

    // Another general model leaves the segment its own.
    create(&harness, "halved", model_of(proto::Measure { id: "halved".to_owned(), ..sum_of("emails", 28) })).await;
    activate(&harness, "halved", proto::Segment::Unspecified, "").await.expect("activated");
    harness.settle().await;
    assert_eq!(health(&mut harness, "big", "").await.0, "large");
    assert_eq!(scored_by(&harness, "active").await, (true, vec![]));

    let general = release(&harness, proto::Segment::Enterprise, "").await;
    assert_eq!((general.name.as_str(), general.active), ("models/halved", true));
    harness.settle().await;
    assert_eq!(health(&mut harness, "big", "").await, scored("halved", 40.0));
    assert_eq!(scored_by(&harness, "large").await, (false, vec![]));
}

#[tokio::test]
async fn what_a_segment_is_scored_by_is_told_with_the_model_before() {
    let harness = two_customers().await;
    activate(&harness, "large", proto::Segment::Enterprise, "").await.expect("activated");
    activate(&harness, "large", proto::Segment::Enterprise, "").await.expect("again");
    release(&harness, proto::Segment::Enterprise, "").await;
    release(&harness, proto::Segment::Enterprise, "").await;
    let told: Vec<(String, String, proto::Segment)> = events_of::<proto::ModelActivated>(&harness)
        .await
        .into_iter()
        .skip(2)
        .map(|(_, told)| (told.model.clone().unwrap_or_default().name, told.previous_model.clone(), told.segment()))
        .collect();
    let (large, general) = ("models/large".to_owned(), "models/general".to_owned());
    let enterprise = proto::Segment::Enterprise;
    assert_eq!(told, [(large.clone(), general.clone(), enterprise), (general, large, enterprise)]);
}

#[tokio::test]
async fn a_segments_model_begins_on_its_day_and_a_general_one_does_not_call_it_off() {
    let mut harness = two_customers().await;
    create(&harness, "emails-7", model_of(sum_of("emails", 7))).await;
    activate(&harness, "large", proto::Segment::Enterprise, "2026-03-05").await.expect("for a later day");
    activate(&harness, "large", proto::Segment::Smb, "2026-03-05").await.expect("for a later day");
    activate(&harness, "emails-7", proto::Segment::Unspecified, "").await.expect("the general one");
    // What was to come for small businesses is called off, and only that.
    release(&harness, proto::Segment::Smb, "").await;
    harness.turn_to("2026-03-04").await;
    assert_eq!(scored_by(&harness, "large").await, (false, vec![]));
    assert_eq!(health(&mut harness, "big", "").await, scored("emails-7", 40.0));
    harness.turn_to("2026-03-05").await;
    assert_eq!(scored_by(&harness, "large").await, (false, vec![proto::Segment::Enterprise]));
    assert_eq!(health(&mut harness, "big", "").await, scored("large", 90.0));
    assert_eq!(health(&mut harness, "small", "").await, scored("emails-7", 40.0));
    let told = events_of::<proto::ModelActivated>(&harness).await;
    let (_, last) = told.last().expect("told");
    assert_eq!((last.previous_model.as_str(), last.segment()), ("models/emails-7", proto::Segment::Enterprise));
}

#[tokio::test]
async fn r83_models_that_score_on_one_day_have_the_same_cuts() {
    let harness = two_customers().await;
    let cuts = proto::BandCuts { critical_below: 50.0, at_risk_below: 60.0, healthy_above: 85.0 };
    create(&harness, "lenient", proto::Model { band_cuts: Some(cuts), ..by_logins() }).await;
    let refused = |refusal: Status| {
        assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::FailedPrecondition, "MODEL_CUTS_DIFFER"));
    };
    refused(activate(&harness, "lenient", proto::Segment::Enterprise, "").await.expect_err("other cuts"));
    refused(activate(&harness, "lenient", proto::Segment::Enterprise, "2026-04-01").await.expect_err("later, too"));
    assert_eq!(scored_by(&harness, "lenient").await, (false, vec![]));

    // As the general model it may have them, as long as no segment has a model of its own then.
    activate(&harness, "large", proto::Segment::Enterprise, "2026-03-10").await.expect("activated");
    refused(activate(&harness, "lenient", proto::Segment::Unspecified, "").await.expect_err("from the 10th on"));
    release(&harness, proto::Segment::Enterprise, "").await;
    activate(&harness, "lenient", proto::Segment::Unspecified, "").await.expect("alone");
}

#[tokio::test]
async fn r83_calling_off_does_not_leave_models_with_other_cuts() {
    let harness = two_customers().await;
    let cuts = proto::BandCuts { critical_below: 50.0, at_risk_below: 60.0, healthy_above: 85.0 };
    create(&harness, "lenient", proto::Model { band_cuts: Some(cuts), ..by_logins() }).await;
    create(&harness, "lenient-large", proto::Model { band_cuts: Some(cuts), ..by_logins() }).await;
    let (general, enterprise) = (proto::Segment::Unspecified, proto::Segment::Enterprise);
    activate(&harness, "lenient", general, "2026-04-01").await.expect("alone on its day");
    activate(&harness, "lenient-large", enterprise, "2026-04-01").await.expect("the same cuts");
    // The model that scores already: this would only call off the one to come, beside which the other was allowed.
    let refusal = activate(&harness, "general", general, "").await.expect_err("leaves other cuts on 2026-04-01");
    assert_eq!(reason(&refusal), "MODEL_CUTS_DIFFER");
    harness.turn_to("2026-04-01").await;
    assert!(scored_by(&harness, "lenient").await.0, "nothing was called off");
}

#[tokio::test]
async fn medians_of_a_segment_are_made_of_the_accounts_its_own_model_scored() {
    let mut harness = Harness::start(START).await;
    harness.activate("general", sees()).await;
    let against_the_segment = proto::Measure {
        comparison: proto::Comparison::SegmentMedian.into(),
        curve: vec![proto::CurvePoint { x: 0.0, points: 0.0 }, proto::CurvePoint { x: 2.0, points: 100.0 }],
        ..sum_of("emails", 7)
    };
    create(&harness, "large", model_of(against_the_segment)).await;
    activate(&harness, "large", proto::Segment::Enterprise, "").await.expect("activated");
    // Most accounts are of another segment, which the model does not score.
    for number in 1..=12 {
        let segment = if number <= 5 { proto::Segment::Enterprise } else { proto::Segment::Smb };
        upsert(&mut harness, &format!("c{number}"), segment).await;
        harness.record(vec![usage(&format!("c{number}"), "2026-03-02", "emails", number * 10)]).await;
    }
    harness.settle().await;
    harness.turn_to("2026-03-03").await;
    assert_eq!(health(&mut harness, "c3", "").await, scored("large", 50.0), "its median is 30");
    assert_eq!(health(&mut harness, "c12", "").await, scored("general", 100.0));
}

#[tokio::test]
async fn r202_a_model_is_tried_on_the_accounts_of_the_segment_it_is_for() {
    let mut harness = customers(sees()).await;
    // Of those who leave and those who stay, every other one is an enterprise.
    for number in (0..40).step_by(2) {
        upsert(&mut harness, &format!("c{number:02}"), proto::Segment::Enterprise).await;
    }
    create(&harness, "misled", misleads()).await;
    harness.settle().await;
    let enterprise = proto::Segment::Enterprise;
    let tried =
        backtest(&harness, proto::BacktestModelRequest { segment: enterprise.into(), ..request("misled") }).await;
    assert_eq!((tried.segment(), tried.account_count), (enterprise, 20));
    assert_eq!(tried.base_model, "models/current");

    // It is worse for enterprises, which says nothing of others.
    let refusal = activate(&harness, "misled", enterprise, "").await.expect_err("worse");
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::FailedPrecondition, "MODEL_WORSE"));
    let refusal = activate(&harness, "misled", proto::Segment::Smb, "").await.expect_err("nobody knows");
    assert_eq!(reason(&refusal), "MODEL_UNTRIED");
}

#[tokio::test]
async fn r202_a_segment_is_not_left_to_a_general_model_that_is_worse_for_it_by_mistake() {
    let mut harness = customers(misleads()).await;
    for number in 0..40 {
        upsert(&mut harness, &format!("c{number:02}"), proto::Segment::Enterprise).await;
    }
    create(&harness, "sees", sees()).await;
    let segment = proto::Segment::Enterprise.into();
    let untried = proto::ActivateModelRequest {
        name: "models/sees".to_owned(),
        segment,
        accept_untried: true,
        reason: "enterprises write emails".to_owned(),
        ..Default::default()
    };
    harness.models.clone().activate_model(untried).await.expect("activated");
    harness.settle().await;
    backtest(&harness, proto::BacktestModelRequest { segment, ..request("current") }).await;
    let release = async |accept_worse: bool, reason: &str| {
        let request =
            proto::ReleaseSegmentRequest { segment, accept_worse, reason: reason.to_owned(), ..Default::default() };
        harness.models.clone().release_segment(request).await
    };
    let refusal = release(false, "").await.expect_err("worse");
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::FailedPrecondition, "MODEL_WORSE"));
    assert_eq!(violated_fields(&release(true, " ").await.expect_err("why?")), ["reason"]);
    let general = release(true, "one model for all").await.expect("released").into_inner();
    assert_eq!(general.name, "models/current");
}

#[tokio::test]
async fn a_segment_that_is_none_is_refused() {
    let harness = two_customers().await;
    let request = proto::ActivateModelRequest {
        name: "large".to_owned(),
        segment: 99,
        start_day: "soon".to_owned(),
        ..Default::default()
    };
    let refusal = harness.models.clone().activate_model(request).await.expect_err("nothing fits");
    assert_eq!(violated_fields(&refusal), ["name", "segment", "start_day"]);
    let request = proto::ReleaseSegmentRequest { start_day: "2026-03-01".to_owned(), ..Default::default() };
    let refusal = harness.models.clone().release_segment(request).await.expect_err("no segment");
    assert_eq!(violated_fields(&refusal), ["segment"]);
    let request = proto::ReleaseSegmentRequest {
        segment: proto::Segment::Smb.into(),
        start_day: "2026-03-01".to_owned(),
        ..Default::default()
    };
    let refusal = harness.models.clone().release_segment(request).await.expect_err("in the past");
    assert_eq!(violated_fields(&refusal), ["start_day"]);
}
