//! Training a forecast as an operation: its end, and what happens when it is stopped, cancelled or asked for twice.

use chrono::TimeDelta;
use mainstay_api::google::longrunning::operation::Result as OperationResult;
use mainstay_api::google::longrunning::{CancelOperationRequest, Operation};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_testkit::idempotency;
use prost::{Message, Name};
use tonic::Code;

use crate::backtest_fixtures::{self, create, customers, finish, misleads, operation, request, sees};
use crate::forecasts::{begin, client, company, outcome, train};
use crate::harness::{Harness, at, model_of, sum_of};
use crate::refusals::{reason, violated_fields};

/// From now on a worker that comes to one of the accounts, the 336th of 600 in the order of their ids, gets no further.
const STOP_HALF_WAY: &str = "
    CREATE FUNCTION scoring.stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'stopped'; END $$;
    CREATE TRIGGER stop BEFORE INSERT ON scoring.replayed_accounts
        FOR EACH ROW WHEN (NEW.account_id = 'account-400') EXECUTE FUNCTION scoring.stop()";

/// From now on a worker that keeps a model gets no further.
const STOP_AT_THE_END: &str = "
    CREATE FUNCTION scoring.stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'stopped'; END $$;
    CREATE TRIGGER stop AFTER INSERT ON scoring.forecast_models FOR EACH ROW EXECUTE FUNCTION scoring.stop()";

const GO_ON: &str = "DROP FUNCTION scoring.stop CASCADE";

/// Nobody looks for an hour whether operations are over.
const LOOK_LATER: &str = "UPDATE scoring.jobs SET due_at = due_at + interval '1 hour' WHERE queue = 'operations'";

/// Longer than what failed waits.
const A_WHILE: TimeDelta = TimeDelta::minutes(30);

async fn run(harness: &Harness, sql: &'static str) {
    sqlx::raw_sql(sql).execute(harness.database.pool()).await.expect("done");
}

async fn count(harness: &Harness, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(harness.database.pool()).await.expect("a count")
}

async fn model_count(harness: &Harness) -> i64 {
    count(harness, "SELECT count(*) FROM scoring.forecast_models").await
}

/// Rows that are there only while something runs.
async fn left_over(harness: &Harness) -> i64 {
    let kept = "SELECT (SELECT count(*) FROM scoring.replayed_accounts)
                     + (SELECT count(*) FROM scoring.forecast_trainings WHERE group_distributions IS NOT NULL)
                     + (SELECT count(*) FROM scoring.jobs WHERE queue IN ('backtest', 'operations'))";
    count(harness, kept).await
}

async fn cancel(harness: &Harness, name: &str) {
    let request = CancelOperationRequest { name: name.to_owned() };
    harness.operations.clone().cancel_operation(request).await.expect("answered");
}

async fn begun(harness: &Harness) -> Operation {
    begin(harness, proto::TrainForecastRequest::default()).await.expect("begun")
}

async fn learn(harness: &Harness) -> proto::ForecastModel {
    train(harness, proto::TrainForecastRequest::default()).await.expect("a model")
}

fn metadata(operation: &Operation) -> proto::TrainForecastMetadata {
    let any = operation.metadata.as_ref().expect("metadata");
    assert_eq!(any.type_url, format!("type.googleapis.com/{}", proto::TrainForecastMetadata::full_name()));
    proto::TrainForecastMetadata::decode(any.value.as_slice()).expect("decodes")
}

/// Accounts to read and accounts read.
fn progress(operation: &Operation) -> (i64, i64) {
    let metadata = metadata(operation);
    (metadata.account_count, metadata.done_count)
}

/// What was learnt, whatever it is called.
fn learnt(model: proto::ForecastModel) -> proto::ForecastModel {
    proto::ForecastModel { name: String::new(), create_time: None, ..model }
}

#[tokio::test]
async fn training_tells_how_far_it_is_and_gives_the_model_at_its_end() {
    let harness = company().await;
    let begun = begun(&harness).await;
    assert!(!begun.done && begun.result.is_none() && metadata(&begun).end_time.is_none());
    assert_eq!((progress(&begun), metadata(&begun).start_time.is_some()), ((600, 0), true));
    run(&harness, STOP_HALF_WAY).await;
    finish(&harness).await;
    let half_way = operation(&harness, &begun.name).await;
    assert_eq!((half_way.done, progress(&half_way)), (false, (600, 300)));
    run(&harness, GO_ON).await;
    harness.clock.advance(A_WHILE);
    finish(&harness).await;
    let ended = operation(&harness, &begun.name).await;
    assert_eq!((ended.done, progress(&ended), metadata(&ended).end_time.is_some()), (true, (600, 600), true));
    let model = outcome(&harness, &begun.name).await.expect("a model");
    let request = proto::GetForecastModelRequest { name: "forecastModels/newest".to_owned() };
    let newest = client(&harness).get_forecast_model(request).await.expect("a model").into_inner();
    assert_eq!((newest, left_over(&harness).await), (model, 0));
}

#[tokio::test]
async fn training_goes_on_where_another_worker_stopped() {
    let harness = company().await;
    let undisturbed = learn(&harness).await;
    for stop in [STOP_HALF_WAY, STOP_AT_THE_END] {
        let before = model_count(&harness).await;
        let begun = begun(&harness).await;
        run(&harness, stop).await;
        harness.settle().await;
        assert_eq!(model_count(&harness).await, before);
        run(&harness, GO_ON).await;
        harness.clock.advance(A_WHILE);
        let (_replica, workers) = harness.replica().await;
        workers.settle().await.expect("done by another");
        finish(&harness).await;
        let model = outcome(&harness, &begun.name).await.expect("a model");
        assert_eq!(learnt(model), learnt(undisturbed.clone()));
        assert_eq!((model_count(&harness).await, left_over(&harness).await), (before + 1, 0));
    }
}

#[tokio::test]
async fn two_replicas_train_one_model() {
    let harness = company().await;
    let alone = learn(&harness).await;
    let begun = begun(&harness).await;
    let (_replica, workers) = harness.replica().await;
    let (one, other) = tokio::join!(harness.try_settle(), workers.settle());
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    finish(&harness).await;
    let model = outcome(&harness, &begun.name).await.expect("a model");
    assert_eq!((learnt(model), model_count(&harness).await), (learnt(alone), 2));
}

#[tokio::test]
async fn training_sent_twice_trains_once() {
    let harness = company().await;
    let ask = async |request_id: String, content: usize| {
        finish(&harness).await;
        let horizon_days = 60 + i32::try_from(content).expect("small");
        begin(&harness, proto::TrainForecastRequest { horizon_days, request_id, ..Default::default() }).await
    };
    let trainings = async || count(&harness, "SELECT count(*) FROM scoring.forecast_trainings").await.unsigned_abs();
    idempotency::assert_repeatable(ask, trainings).await;
    finish(&harness).await;
    assert_eq!(model_count(&harness).await.unsigned_abs(), trainings().await);
}

#[tokio::test]
async fn a_cancelled_training_leaves_nothing() {
    let mut harness = company().await;
    harness.activate("segments", crate::forecast_training::emails_in_segment()).await;
    let begun = begun(&harness).await;
    assert_eq!(progress(&begun), (1_200, 0), "what the model compares with has to be made first");
    run(&harness, STOP_AT_THE_END).await;
    harness.settle().await;
    assert!(left_over(&harness).await > 1_200, "it is as far as it can be");
    cancel(&harness, &begun.name).await;
    run(&harness, GO_ON).await;
    harness.clock.advance(A_WHILE);
    finish(&harness).await;
    let refused = outcome(&harness, &begun.name).await.expect_err("cancelled");
    assert_eq!(refused.code(), Code::Cancelled);
    assert_eq!((model_count(&harness).await, left_over(&harness).await), (0, 0));
    let ended = operation(&harness, &begun.name).await;
    cancel(&harness, &begun.name).await;
    assert_eq!(operation(&harness, &begun.name).await, ended, "one that has ended stays as it is");
    learn(&harness).await;
}

#[tokio::test]
async fn a_training_whose_model_is_there_is_cancelled_in_vain() {
    let harness = company().await;
    let begun = begun(&harness).await;
    run(&harness, LOOK_LATER).await;
    harness.settle().await;
    assert_eq!((operation(&harness, &begun.name).await.done, model_count(&harness).await), (false, 1));
    cancel(&harness, &begun.name).await;
    let model = outcome(&harness, &begun.name).await.expect("a model that makes forecasts is told");
    assert_eq!(
        (model.name.as_str(), progress(&operation(&harness, &begun.name).await)),
        ("forecastModels/1", (600, 600))
    );
}

#[tokio::test]
async fn one_training_runs_at_a_time_and_a_backtest_beside_it() {
    let harness = customers(misleads()).await;
    create(&harness, "sees", sees()).await;
    let first = begun(&harness).await;
    let again = begin(&harness, proto::TrainForecastRequest { horizon_days: 60, ..Default::default() }).await;
    let refusal = again.expect_err("one is under way");
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::FailedPrecondition, "TRAINING_RUNNING"));
    assert!(refusal.message().contains(&first.name), "{}", refusal.message());
    let backtest = backtest_fixtures::begin(&harness, request("sees")).await.expect("beside it");
    cancel(&harness, &first.name).await;
    finish(&harness).await;
    let ended = operation(&harness, &backtest.name).await;
    assert!(matches!(ended.result, Some(OperationResult::Response(_))), "it goes on without the training: {ended:?}");
    assert_eq!((model_count(&harness).await, left_over(&harness).await), (0, 0));

    let (both, second) =
        (backtest_fixtures::begin(&harness, request("sees")).await.expect("begun"), begun(&harness).await);
    finish(&harness).await;
    assert!(operation(&harness, &both.name).await.done && operation(&harness, &second.name).await.done);
    assert_eq!(left_over(&harness).await, 0);
}

#[tokio::test]
async fn what_is_learnt_from_is_settled_as_training_begins() {
    let mut harness = company().await;
    let before = learn(&harness).await;
    let begun = begun(&harness).await;
    harness.activate("longer", model_of(sum_of("emails", 45))).await;
    harness.clock.set(at("2026-08-03"));
    finish(&harness).await;
    let model = outcome(&harness, &begun.name).await.expect("a model");
    assert_eq!((learnt(model.clone()), model.health_model.as_str()), (learnt(before), "models/sum"));
    let later = learn(&harness).await;
    assert_eq!(later.health_model, "models/longer");
    assert_eq!(later.training.map(|training| training.last_month).as_deref(), Some("2026-05"));
}

#[tokio::test]
async fn r77_what_is_missing_is_told_by_the_operation_for_as_long_as_it_is_kept() {
    let harness = company().await;
    run(
        &harness,
        "UPDATE scoring.accounts SET lifecycle_stage = 3, churned_at = NULL
          WHERE lifecycle_stage = 5 AND account_id NOT IN (
                SELECT account_id FROM scoring.accounts WHERE lifecycle_stage = 5 ORDER BY churned_at, account_id LIMIT 7)",
    )
    .await;
    let begun = begun(&harness).await;
    finish(&harness).await;
    let refused = outcome(&harness, &begun.name).await.expect_err("too few");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "TOO_LITTLE_DATA"));
    let message = "too little is known to learn a forecast from: 7 customers left: at least 20 must have";
    assert!(refused.message().starts_with(message), "{}", refused.message());
    assert_eq!((model_count(&harness).await, left_over(&harness).await), (0, 0));
    harness.turn_to("2026-07-20").await;
    harness.keep_house().await;
    let later = outcome(&harness, &begun.name).await.expect_err("still too few");
    assert_eq!((reason(&later), later.message()), (reason(&refused), refused.message()));
}

#[tokio::test]
async fn what_is_only_judged_makes_no_forecasts() {
    let harness = company().await;
    let look = proto::TrainForecastRequest { validate_only: true, ..Default::default() };
    let judged = train(&harness, look.clone()).await.expect("a model");
    assert_eq!((judged.name.as_str(), model_count(&harness).await), ("forecastModels/0", 0));
    assert_eq!(learnt(judged), learnt(learn(&harness).await), "the same as would be kept");
    let wrong = proto::TrainForecastRequest { horizon_days: 366, ..look };
    assert_eq!(violated_fields(&begin(&harness, wrong).await.expect_err("too long")), ["horizon_days"]);
}

#[tokio::test]
async fn a_training_that_was_given_up_ends_with_an_error_and_another_may_begin() {
    let harness = company().await;
    let begun = begun(&harness).await;
    run(&harness, "UPDATE scoring.jobs SET dead_at = due_at WHERE queue = 'backtest'").await;
    finish(&harness).await;
    let failed = outcome(&harness, &begun.name).await.expect_err("given up");
    assert_eq!(
        (failed.code(), failed.message()),
        (Code::Internal, "the forecast could not be learnt: the log says why")
    );
    run(&harness, "UPDATE scoring.jobs SET dead_at = NULL WHERE queue = 'backtest'").await;
    finish(&harness).await;
    assert_eq!(model_count(&harness).await, 0, "what has ended is not gone on with");

    let second = begin(&harness, proto::TrainForecastRequest::default()).await.expect("begun");
    run(&harness, "UPDATE scoring.jobs SET dead_at = due_at WHERE queue = 'backtest'").await;
    finish(&harness).await;
    assert_eq!(outcome(&harness, &second.name).await.expect_err("given up").code(), Code::Internal);
    assert_eq!(left_over(&harness).await, 1, "the dead job is there to be looked at");
    learn(&harness).await;
    assert_eq!(left_over(&harness).await, 0, "until another begins");
}
