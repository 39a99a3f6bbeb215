//! Health: scored each day, and explained to the last fraction of a point.

use mainstay_api::mainstay::scoring::v1 as proto;
use tonic::Code;

use crate::harness::{Harness, activity, gauge, model_of, sum_of, usage};
use crate::refusals::{reason, violated_fields};

/// A model with two components of three measures, whose weights do not divide evenly.
fn uneven_model() -> proto::Model {
    let mut model = model_of(sum_of("emails", 7));
    model.components[0].weight = 3.0;
    let mut users = sum_of("emails", 30);
    users.id = "users".to_owned();
    users.weight = 0.7;
    users.input = Some(proto::Input { series: Some(proto::input::Series::AnyUser(true)) });
    users.aggregation = proto::Aggregation::Distinct.into();
    users.curve[1].x = 7.0;
    let mut seats = sum_of("seats", 30);
    seats.id = "seats".to_owned();
    seats.aggregation = proto::Aggregation::Last.into();
    model.components[0].measures.push(users);
    model.components.push(proto::Component {
        id: "seats".to_owned(),
        display_name: "Seats".to_owned(),
        weight: 1.1,
        measures: vec![seats],
        ..Default::default()
    });
    model
}

async fn explain(harness: &Harness, day: &str, compare_day: &str) -> proto::HealthExplanation {
    let request = proto::ExplainHealthRequest {
        account: "accounts/acme".to_owned(),
        day: day.to_owned(),
        compare_day: compare_day.to_owned(),
    };
    harness.health.clone().explain_health(request).await.expect("an explanation").into_inner()
}

#[tokio::test]
async fn r54_contributions_add_up_exactly_to_the_score_and_changes_to_the_change() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.activate("uneven", uneven_model()).await;
    harness.record(vec![usage("acme", "2026-03-01", "emails", 37), activity("acme", "2026-03-01", "ada")]).await;
    harness.settle().await;
    harness.turn_to("2026-03-05").await;
    harness
        .record(vec![
            gauge("acme", "2026-03-05", "seats", 41.7),
            activity("acme", "2026-03-05", "bob"),
            usage("acme", "2026-03-04", "emails", 11),
        ])
        .await;
    harness.settle().await;

    for day in ["2026-03-01", "2026-03-04", "2026-03-05"] {
        let explanation = explain(&harness, day, "").await;
        let score = explanation.health.expect("health").score.expect("a score");
        let of_components: f64 = explanation.components.iter().map(|component| component.contribution).sum();
        let measures = explanation.components.iter().flat_map(|component| &component.measures);
        let of_measures: f64 = measures.map(|measure| measure.contribution).sum();
        assert_eq!((of_components, of_measures), (score, score), "on {day}");
        assert!(!explanation.sentences.is_empty(), "sentences on {day}");
    }
    let comparison = explain(&harness, "2026-03-05", "2026-03-01").await.comparison.expect("a comparison");
    let moved: f64 = comparison.measures.iter().map(|measure| measure.change).sum();
    let earlier = comparison.earlier.expect("earlier health").score.expect("a score");
    let later = harness.health_of("acme", "2026-03-05").await.score.expect("a score");
    assert_eq!(moved, comparison.change);
    assert_eq!(comparison.change, later - earlier);
    assert_ne!(comparison.change, 0.0);
}

#[tokio::test]
async fn r217_missing_input_is_left_out_and_coverage_says_so() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.activate("uneven", uneven_model()).await;
    harness.record(vec![usage("acme", "2026-03-01", "emails", 60)]).await;
    harness.settle().await;
    let health = harness.health_of("acme", "").await;
    assert_eq!(health.score, Some(60.0), "the one measure with data has all the weight");
    let share = 3.0 / 4.1 * (1.0 / 1.7);
    assert!((health.coverage - share).abs() < 1e-12, "coverage {}", health.coverage);
    let missing = &explain(&harness, "", "").await.components[1].measures[0];
    assert_eq!(missing.missing_reason(), proto::MissingReason::NoData);
}

#[tokio::test]
async fn a_silent_account_is_scored_again_because_time_passes() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.activate("sum", model_of(sum_of("emails", 7))).await;
    harness.record(vec![usage("acme", "2026-03-01", "emails", 80)]).await;
    harness.settle().await;
    assert_eq!(harness.health_of("acme", "").await.band(), proto::Band::Stable);
    harness.pass_days(7).await;
    let silent = harness.health_of("acme", "").await;
    assert_eq!((silent.day.as_str(), silent.score, silent.band()), ("2026-03-08", Some(0.0), proto::Band::Critical));
    assert_eq!((silent.change_1d, silent.change_7d), (Some(-80.0), Some(-80.0)));
    assert_eq!(silent.last_signal_day, "2026-03-01");
}

#[tokio::test]
async fn what_is_not_there_is_said_precisely() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    let mut ask = async |account: &str, day: &str| {
        let request = proto::GetHealthRequest { account: account.to_owned(), day: day.to_owned() };
        harness.health.get_health(request).await.expect_err("a refusal")
    };
    let unknown = ask("accounts/nobody", "").await;
    assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::NotFound, "ACCOUNT_NOT_FOUND"));
    let early = ask("accounts/acme", "2025-01-01").await;
    assert_eq!((early.code(), reason(&early).as_str()), (Code::NotFound, "HEALTH_NOT_SCORED"));
    let wrong = ask("acme", "yesterday").await;
    assert_eq!((wrong.code(), violated_fields(&wrong)), (Code::InvalidArgument, vec!["account".into(), "day".into()]));
}

#[tokio::test]
async fn a_batch_answers_in_the_order_asked_for_and_names_those_without_health() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["a", "b", "c"]).await;
    harness.settle().await;
    harness.create_accounts(&["new"]).await;
    let mut ask = async |ids: &[&str], day: &str| {
        let accounts = ids.iter().map(|id| format!("accounts/{id}")).collect();
        let request = proto::BatchGetHealthRequest { accounts, day: day.to_owned() };
        let answer = harness.health.batch_get_health(request).await.expect("an answer").into_inner();
        (answer.health.into_iter().map(|health| health.account).collect::<Vec<_>>(), answer.not_found)
    };
    for day in ["", "2026-03-01"] {
        let (scored, not_found) = ask(&["c", "nobody", "a", "new", "b"], day).await;
        assert_eq!(scored, ["accounts/c", "accounts/a", "accounts/b"], "`{day}`");
        assert_eq!(not_found, ["accounts/nobody", "accounts/new"], "`{day}`");
    }
    let (scored, not_found) = ask(&["b", "a"], "2026-02-28").await;
    assert_eq!((scored.len(), not_found), (0, vec!["accounts/b".to_owned(), "accounts/a".to_owned()]));
}

#[tokio::test]
async fn a_batch_of_health_names_every_bad_or_repeated_name_and_is_bounded() {
    let harness = Harness::start("2026-03-01T00:00:00Z").await;
    let refused = async |accounts: Vec<String>, day: &str| {
        let request = proto::BatchGetHealthRequest { accounts, day: day.to_owned() };
        violated_fields(&harness.health.clone().batch_get_health(request).await.expect_err("a refusal"))
    };
    let names = ["acme", "accounts/a", "accounts/a", "models/x", ""].map(str::to_owned);
    let faults = refused(names.to_vec(), "today").await;
    assert_eq!(faults, ["accounts[0]", "accounts[2]", "accounts[3]", "accounts[4]", "day"]);
    assert_eq!(refused(Vec::new(), "").await, ["accounts"]);
    let distinct = |count: usize| (0..count).map(|number| format!("accounts/{number}")).collect::<Vec<_>>();
    assert_eq!(refused(distinct(1_001), "").await, ["accounts"]);
    let request = proto::BatchGetHealthRequest { accounts: distinct(1_000), ..Default::default() };
    let answer = harness.health.clone().batch_get_health(request).await.expect("an answer").into_inner();
    assert_eq!(answer.not_found, distinct(1_000));
}

#[tokio::test]
async fn a_day_is_compared_only_with_one_before_the_day_explained() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.settle().await;
    harness.pass_days(2).await;
    let refused = async |day: &str, compare_day: &str| {
        let request = proto::ExplainHealthRequest {
            account: "accounts/acme".to_owned(),
            day: day.to_owned(),
            compare_day: compare_day.to_owned(),
        };
        violated_fields(&harness.health.clone().explain_health(request).await.expect_err("a refusal"))
    };
    for (day, compare_day) in [
        ("2026-03-02", "2026-03-02"),
        ("2026-03-02", "2026-03-03"),
        ("", "2026-03-03"),
        ("", "2027-01-01"),
        ("2026-03-09", "2026-03-03"),
        ("2026-03-09", "2026-03-05"),
    ] {
        assert_eq!(refused(day, compare_day).await, ["compare_day"], "`{day}` against {compare_day}");
    }
    let comparison = explain(&harness, "", "2026-03-02").await.comparison.expect("a comparison");
    assert_eq!(comparison.earlier.expect("earlier health").day, "2026-03-02");
}

#[tokio::test]
async fn a_day_to_come_is_answered_with_the_newest() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.settle().await;
    assert_eq!(harness.health_of("acme", "2027-01-01").await.day, "2026-03-01");
}
