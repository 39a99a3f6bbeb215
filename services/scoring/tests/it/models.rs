//! Models: what they may say, which of them scores, and that they never change.

use mainstay_api::google::longrunning::ListOperationsRequest;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_scoring::domain::{DEFAULT_MODEL, parse_model_file};
use mainstay_testkit::{idempotency, pagination};
use tonic::{Code, Status};

use crate::harness::{Harness, model_of, sum_of, usage};
use crate::refusals::{reason, violated_fields};
use crate::risk_fixtures::events_of;

const START: &str = "2026-03-01T08:00:00Z";

async fn create(harness: &Harness, model_id: &str, model: proto::Model) -> Result<proto::Model, Status> {
    let request = proto::CreateModelRequest { model_id: model_id.to_owned(), model: Some(model), ..Default::default() };
    Ok(harness.models.clone().create_model(request).await?.into_inner())
}

async fn activate(harness: &Harness, model_id: &str, etag: &str) -> Result<proto::Model, Status> {
    let request =
        proto::ActivateModelRequest { name: format!("models/{model_id}"), etag: etag.to_owned(), ..Default::default() };
    Ok(harness.models.clone().activate_model(request).await?.into_inner())
}

async fn get(harness: &Harness, model_id: &str) -> Result<proto::Model, Status> {
    let request = proto::GetModelRequest { name: format!("models/{model_id}") };
    Ok(harness.models.clone().get_model(request).await?.into_inner())
}

fn model() -> proto::Model {
    model_of(sum_of("emails", 28))
}

/// How many rows a table has.
async fn count(harness: &Harness, table: &str) -> u64 {
    let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM scoring.{table}"));
    let count: i64 = sqlx::query_scalar(sql).fetch_one(harness.database.pool()).await.expect("a count");
    count.unsigned_abs()
}

#[tokio::test]
async fn a_new_service_scores_with_the_default_model() {
    let harness = Harness::start(START).await;
    let active = get(&harness, "active").await.expect("a model");
    assert!(active.active && active.activate_time.is_some());
    assert_eq!(get(&harness, active.name.trim_start_matches("models/")).await.expect("the same"), active);
    let default = parse_model_file(DEFAULT_MODEL).expect("parses");
    assert_eq!(active.name, default.name);
    assert_eq!(active.components.len(), default.components.len());
}

#[tokio::test]
async fn replicas_that_start_at_once_make_one_default_model() {
    let harness = Harness::start(START).await;
    sqlx::raw_sql("TRUNCATE scoring.models, scoring.model_activations")
        .execute(harness.database.pool())
        .await
        .expect("as new");
    let _replicas = tokio::join!(harness.replica(), harness.replica(), harness.replica(), harness.replica());
    assert_eq!((count(&harness, "models").await, count(&harness, "model_activations").await), (1, 1));
}

#[tokio::test]
async fn a_model_is_kept_as_it_was_given() {
    let harness = Harness::start(START).await;
    let mut given = model();
    given.description = "Why:\n  \"#1\" – früh & spät\u{1}, 100 %\n\n".to_owned();
    given.band_cuts = Some(proto::BandCuts { critical_below: 12.5, at_risk_below: 55.0, healthy_above: 99.0 });
    let component = &mut given.components[0];
    component.rationale = "- it: [counts]".to_owned();
    let inputs = [
        (proto::input::Series::Feature("export".to_owned()), proto::Aggregation::DaysSinceFirst),
        (proto::input::Series::AnyFeature(true), proto::Aggregation::Distinct),
        (proto::input::Series::AnyUser(true), proto::Aggregation::MeanPerDay),
        (proto::input::Series::Metric("seats".to_owned()), proto::Aggregation::LastOfLimit),
    ];
    for (number, (series, aggregation)) in inputs.into_iter().enumerate() {
        component.measures.push(proto::Measure {
            id: format!("measure_{number}"),
            weight: 1.0 / 3.0,
            input: Some(proto::Input { series: Some(series) }),
            aggregation: aggregation.into(),
            comparison: i32::try_from(number % 3 + 1).expect("small"),
            freshness_limit_days: 7,
            curve: vec![proto::CurvePoint { x: -1e-9, points: 0.1 }, proto::CurvePoint { x: 1e300, points: 99.999 }],
            ..sum_of("emails", 730)
        });
    }
    let created = create(&harness, "own", given.clone()).await.expect("created");
    assert!(!created.active && created.activate_time.is_none() && created.create_time.is_some());
    assert_eq!(get(&harness, "own").await.expect("kept"), created);
    given.name = "models/own".to_owned();
    given.create_time = created.create_time;
    given.etag = created.etag.clone();
    given.components[0].measures[0].freshness_limit_days = 45;
    given.components[0].measures[0].comparison = proto::Comparison::None.into();
    assert_eq!(created, given);
}

#[tokio::test]
async fn the_largest_model_is_kept_and_told() {
    let harness = Harness::start(START).await;
    let mut large = model();
    let curve = (0..50).map(|x| proto::CurvePoint { x: f64::from(x) + 0.123_456_789, points: f64::from(x) }).collect();
    let measure = proto::Measure { curve, rationale: "r".repeat(100), ..sum_of("emails", 28) };
    large.components = (0..20)
        .map(|component| proto::Component {
            id: format!("component_{component}"),
            measures: (0..20)
                .map(|number| proto::Measure { id: format!("measure_{component}_{number}"), ..measure.clone() })
                .collect(),
            ..large.components[0].clone()
        })
        .collect();
    let created = create(&harness, "large", large.clone()).await.expect("created");
    assert_eq!(created.components[19].measures[19].curve, large.components[19].measures[19].curve);
    activate(&harness, "large", "").await.expect("activated");
    large.components[0].rationale = "x".repeat(1_000);
    large.description = "x".repeat(600_000);
    let refusal = create(&harness, "larger", large).await.expect_err("too large");
    assert_eq!(violated_fields(&refusal), ["model"]);
}

#[tokio::test]
async fn bad_models_are_refused_with_all_their_faults() {
    type Change = fn(&mut proto::Model);
    let harness = Harness::start(START).await;
    let measure = "model.components[0].measures[0]";
    let cases: [(Change, Vec<String>); 11] = [
        (|model| model.name = "models/other".to_owned(), vec!["model.name".to_owned()]),
        (|model| model.components.clear(), vec!["model.components".to_owned()]),
        (|model| model.components[0].weight = -1.0, vec!["model.components[0].weight".to_owned()]),
        (|model| model.components[0].weight = f64::INFINITY, vec!["model.components[0].weight".to_owned()]),
        (|model| model.components[0].weight = 0.0, vec!["model.components".to_owned()]),
        (|model| model.components[0].measures[0].weight = 0.0, vec!["model.components[0].measures".to_owned()]),
        (|model| model.components[0].measures[0].curve[1].x = -5.0, vec![format!("{measure}.curve[1].x")]),
        (
            |model| model.components[0].measures[0].input = Some(proto::Input::default()),
            vec![format!("{measure}.input")],
        ),
        (
            |model| {
                let series = proto::input::Series::Metric("Bad Metric".to_owned());
                model.components[0].measures[0].input = Some(proto::Input { series: Some(series) });
            },
            vec![format!("{measure}.input.metric")],
        ),
        (
            |model| {
                let copy = model.components[0].clone();
                model.components.push(copy);
            },
            vec!["model.components[1].id".to_owned(), "model.components[1].measures[0].id".to_owned()],
        ),
        (
            |model| {
                model.display_name.clear();
                model.band_cuts =
                    Some(proto::BandCuts { critical_below: 50.0, at_risk_below: 50.001, healthy_above: 101.0 });
                let measure = &mut model.components[0].measures[0];
                measure.id = "x".repeat(64);
                measure.weight = f64::NAN;
                measure.aggregation = 0;
                measure.comparison = 99;
                measure.window_days = 731;
                measure.freshness_limit_days = -1;
                measure.curve[0].points = f64::NAN;
                measure.curve[1].x = f64::NEG_INFINITY;
            },
            [
                "model.display_name",
                "model.components[0].measures[0].id",
                "model.components[0].measures[0].weight",
                "model.components[0].measures[0].aggregation",
                "model.components[0].measures[0].comparison",
                "model.components[0].measures[0].window_days",
                "model.components[0].measures[0].freshness_limit_days",
                "model.components[0].measures[0].curve[0].points",
                "model.components[0].measures[0].curve[1].x",
                "model.band_cuts.at_risk_below",
                "model.band_cuts.healthy_above",
            ]
            .map(str::to_owned)
            .to_vec(),
        ),
    ];
    for (change, mut expected) in cases {
        let mut bad = model();
        change(&mut bad);
        let refusal = create(&harness, "bad", bad).await.expect_err("a bad model");
        let mut found = violated_fields(&refusal);
        found.sort();
        expected.sort();
        assert_eq!((refusal.code(), found), (Code::InvalidArgument, expected));
    }
    for bad_id in ["", "active", "a b", "-a", "models/a", &"a".repeat(65)] {
        let refusal = create(&harness, bad_id, model()).await.expect_err("a bad id");
        assert_eq!(violated_fields(&refusal), ["model_id"], "{bad_id}");
    }
    let request = proto::CreateModelRequest { model_id: "none".to_owned(), ..Default::default() };
    let refusal = harness.models.clone().create_model(request).await.expect_err("no model");
    assert_eq!(violated_fields(&refusal), ["model"]);
    assert_eq!(count(&harness, "models").await, 1, "only the default model is there");
}

#[tokio::test]
async fn models_never_change() {
    let harness = Harness::start(START).await;
    let created = create(&harness, "own", model()).await.expect("created");
    let refusal = create(&harness, "own", model_of(sum_of("calls", 7))).await.expect_err("exists");
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::AlreadyExists, "MODEL_EXISTS"));
    assert_eq!(get(&harness, "own").await.expect("kept"), created);
    let check = proto::CreateModelRequest {
        model_id: "checked".to_owned(),
        model: Some(model()),
        validate_only: true,
        ..Default::default()
    };
    let checked = harness.models.clone().create_model(check).await.expect("valid").into_inner();
    assert_eq!(checked.name, "models/checked");
    for refusal in [
        get(&harness, "checked").await.expect_err("not written"),
        activate(&harness, "checked", "").await.expect_err("not written"),
    ] {
        assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::NotFound, "MODEL_NOT_FOUND"));
    }
    let refusal = harness.models.clone().get_model(proto::GetModelRequest { name: "own".to_owned() }).await;
    assert_eq!(violated_fields(&refusal.expect_err("a bad name")), ["name"]);
}

#[tokio::test]
async fn activating_twice_is_activating_once() {
    let harness = Harness::start(START).await;
    let default = get(&harness, "active").await.expect("the default");
    let created = create(&harness, "own", model()).await.expect("created");
    let activated = activate(&harness, "own", &created.etag).await.expect("activated");
    assert!(activated.active && activated.etag != created.etag);
    harness.clock.advance(chrono::TimeDelta::hours(1));
    assert_eq!(activate(&harness, "own", "").await.expect("again"), activated);
    assert_eq!(get(&harness, "active").await.expect("active"), activated);
    assert_eq!(count(&harness, "model_activations").await, 2);

    let default_id = default.name.trim_start_matches("models/");
    let former = get(&harness, default_id).await.expect("kept");
    assert!(!former.active && former.etag != default.etag, "losing its place changed its state");
    let refusal = activate(&harness, default_id, &default.etag).await.expect_err("a stale etag");
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::Aborted, "ETAG_MISMATCH"));

    let told = events_of::<proto::ModelActivated>(&harness).await;
    let [(_, first), (_, second)] = &told[..] else { panic!("two activations, not {told:?}") };
    assert_eq!((first.model.as_ref(), first.previous_model.as_str()), (Some(&default), ""));
    assert_eq!((second.model.as_ref(), second.previous_model.as_str()), (Some(&activated), default.name.as_str()));
}

#[tokio::test]
async fn an_activated_model_scores_from_today_and_leaves_the_days_before() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.activate("first", model_of(sum_of("emails", 28))).await;
    harness.create_accounts(&["acme", "globex"]).await;
    harness.record(vec![usage("acme", "2026-03-01", "emails", 40)]).await;
    harness.settle().await;
    harness.turn_to("2026-03-02").await;
    let mut stricter = sum_of("emails", 28);
    stricter.curve[1].x = 400.0;
    harness.activate("second", model_of(stricter)).await;
    assert_eq!(harness.health_of("acme", "").await.model, "models/first", "not scored again yet");
    harness.settle().await;
    let today = harness.health_of("acme", "").await;
    assert_eq!((today.model.as_str(), today.score), ("models/second", Some(10.0)));
    assert_eq!(harness.health_of("globex", "").await.model, "models/second");
    let yesterday = harness.health_of("acme", "2026-03-01").await;
    assert_eq!((yesterday.model.as_str(), yesterday.score), ("models/first", Some(40.0)));

    // A signal for the day before scores both days anew, each with its own model.
    harness.record(vec![usage("acme", "2026-03-01T12:00:00Z", "emails", 20)]).await;
    harness.settle().await;
    let yesterday = harness.health_of("acme", "2026-03-01").await;
    assert_eq!((yesterday.model.as_str(), yesterday.score), ("models/first", Some(60.0)));
    assert_eq!(harness.health_of("acme", "2026-03-02").await.score, Some(15.0));
}

#[tokio::test]
async fn models_are_listed_newest_first() {
    let harness = Harness::start(START).await;
    for id in ["b", "a", "d", "c"] {
        create(&harness, id, model()).await.expect("created");
    }
    let default = get(&harness, "active").await.expect("the default").name;
    let mut expected: Vec<String> = ["c", "d", "a", "b"].map(|id| format!("models/{id}")).to_vec();
    expected.push(default);
    pagination::assert_pages_cover(
        async |page_size, page_token| {
            let request = proto::ListModelsRequest { page_size, page_token };
            let page = harness.models.clone().list_models(request).await?.into_inner();
            Ok((page.models.into_iter().map(|model| model.name).collect(), page.next_page_token))
        },
        async |page_size, page_token| {
            let request = ListOperationsRequest { page_size, page_token, ..Default::default() };
            harness.operations.clone().list_operations(request).await.map(|_| (Vec::new(), String::new()))
        },
        &expected,
    )
    .await;
}

#[tokio::test]
async fn creating_and_activating_may_be_repeated_by_request_id() {
    let harness = Harness::start(START).await;
    let create = async |request_id: String, content: usize| {
        let model_id = format!("model-{content}");
        let request = proto::CreateModelRequest { model_id, model: Some(model()), request_id, validate_only: false };
        harness.models.clone().create_model(request).await.map(tonic::Response::into_inner)
    };
    idempotency::assert_repeatable(create, async || count(&harness, "models").await).await;
    create(String::new(), 1).await.expect("the one that was refused");
    let activate = async |request_id: String, content: usize| {
        let request =
            proto::ActivateModelRequest { name: format!("models/model-{content}"), request_id, ..Default::default() };
        harness.models.clone().activate_model(request).await.map(tonic::Response::into_inner)
    };
    idempotency::assert_repeatable(activate, async || count(&harness, "model_activations").await).await;
}

/// Accounts are marked once the activation has committed, so that none is scored by the old model after it was marked, and
/// recording signals does not wait for a whole portfolio.
#[tokio::test]
async fn an_activation_does_not_wait_for_the_due_work_of_accounts() {
    let mut harness = Harness::start("2026-03-01T12:00:00Z").await;
    harness.create_accounts(&["acme", "globex"]).await;
    harness.activate("old", model_of(sum_of("emails", 7))).await;
    harness.settle().await;

    let mut held = harness.database.pool().begin().await.expect("a transaction");
    sqlx::query("SELECT FROM scoring.jobs WHERE queue = 'rescore' AND key = 'acme' FOR UPDATE")
        .execute(&mut *held)
        .await
        .expect("a lock");
    harness.activate("new", model_of(sum_of("logins", 7))).await;
    held.rollback().await.expect("the end");
    harness.create_accounts(&["later"]).await;
    harness.settle().await;
    for id in ["acme", "globex", "later"] {
        assert_eq!(harness.health_of(id, "").await.model, "models/new", "{id}");
    }
}
