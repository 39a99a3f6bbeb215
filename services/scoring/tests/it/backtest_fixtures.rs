//! Customers who left after their use had fallen, and models that see it or do not.

use chrono::NaiveDate;
use mainstay_api::google::longrunning::operation::Result as OperationResult;
use mainstay_api::google::longrunning::{GetOperationRequest, Operation};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::backtest_service_client::BacktestServiceClient;
use prost::{Message, Name};
use proto::model_source::Source;
use tonic::Status;
use tonic::transport::Channel;

use crate::harness::{Harness, account, model_of, sum_of, usage};
use crate::risk_fixtures::churn;

/// Where the clock stands.
pub(crate) const NOW: &str = "2026-07-01T08:00:00Z";
/// As of these days accounts are scored, unless told otherwise.
pub(crate) const FIRST_DAY: &str = "2026-01-01";
pub(crate) const LAST_DAY: &str = "2026-04-01";

pub(crate) fn client(harness: &Harness) -> BacktestServiceClient<Channel> {
    BacktestServiceClient::new(harness.channel.clone())
}

/// What sees that somebody is about to leave.
pub(crate) fn sees() -> proto::Model {
    model_of(sum_of("emails", 28))
}

/// What takes it for the opposite.
pub(crate) fn misleads() -> proto::Model {
    model_of(sum_of("meetings", 28))
}

fn stored(model_id: &str) -> proto::ModelSource {
    proto::ModelSource { source: Some(Source::Name(format!("models/{model_id}"))) }
}

/// Asks for a backtest with a horizon of 60 days, a look each 30 days.
pub(crate) fn request(model_id: &str) -> proto::BacktestModelRequest {
    proto::BacktestModelRequest {
        model: Some(stored(model_id)),
        start_day: FIRST_DAY.to_owned(),
        end_day: LAST_DAY.to_owned(),
        step_days: 30,
        horizon_days: 60,
        ..Default::default()
    }
}

/// A service that scores by the model `current`, with 20 customers who leave from 2026-02-01 on, one each three days, and 20 who stay. Each
/// sends 20 emails a week; who leaves stops 50 days before, and meets instead.
pub(crate) async fn customers(active: proto::Model) -> Harness {
    let mut harness = Harness::start(NOW).await;
    harness.activate("current", active).await;
    let ids: Vec<String> = (0..40).map(|number| format!("c{number:02}")).collect();
    harness.create_accounts(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let day = |text: &str| -> NaiveDate { text.parse().expect("a day") };
    let mut signals = Vec::new();
    for (number, id) in ids.iter().enumerate() {
        let number = i64::try_from(number).expect("small");
        let left = (number < 20).then(|| day("2026-02-01") + chrono::TimeDelta::days(3 * number));
        for week in 0..40 {
            let sent = day("2025-09-01") + chrono::TimeDelta::weeks(week);
            let days_left = left.map(|left| (left - sent).num_days());
            if days_left.is_some_and(|days| days <= 0) || sent >= day("2026-06-08") {
                break;
            }
            let metric = if days_left.is_some_and(|days| days < 50) { "meetings" } else { "emails" };
            signals.push(usage(id, &sent.to_string(), metric, 20 + number % 3));
        }
        if let Some(left) = left {
            signals.push(churn(id, &left.to_string()));
        }
    }
    harness.record(signals).await;
    harness
}

/// Creates a model.
pub(crate) async fn create(harness: &Harness, model_id: &str, model: proto::Model) {
    let request = proto::CreateModelRequest { model_id: model_id.to_owned(), model: Some(model), ..Default::default() };
    harness.models.clone().create_model(request).await.expect("model");
}

/// Creates an account of which the caller says at which stage it is.
pub(crate) async fn upsert_stage(harness: &mut Harness, id: &str, stage: proto::LifecycleStage) {
    let accounts = vec![proto::Account { lifecycle_stage: stage.into(), ..account(id) }];
    let request = proto::BatchUpsertAccountsRequest { accounts, ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("upserted");
}

pub(crate) async fn begin(harness: &Harness, request: proto::BacktestModelRequest) -> Result<Operation, Status> {
    Ok(client(harness).backtest_model(request).await?.into_inner())
}

pub(crate) async fn operation(harness: &Harness, name: &str) -> Operation {
    let request = GetOperationRequest { name: name.to_owned() };
    harness.operations.clone().get_operation(request).await.expect("the operation").into_inner()
}

/// Does all that is due, and what comes of it a second later: an operation is looked at each second.
pub(crate) async fn finish(harness: &Harness) {
    harness.settle().await;
    harness.clock.advance(chrono::TimeDelta::seconds(1));
    harness.settle().await;
}

pub(crate) fn metadata(operation: &Operation) -> proto::BacktestModelMetadata {
    let any = operation.metadata.as_ref().expect("metadata");
    assert_eq!(any.type_url, format!("type.googleapis.com/{}", proto::BacktestModelMetadata::full_name()));
    proto::BacktestModelMetadata::decode(any.value.as_slice()).expect("decodes")
}

/// Makes a backtest.
pub(crate) async fn backtest(harness: &Harness, request: proto::BacktestModelRequest) -> proto::Backtest {
    let begun = begin(harness, request).await.expect("begun");
    finish(harness).await;
    let ended = operation(harness, &begun.name).await;
    let Some(OperationResult::Response(response)) = ended.result else { panic!("a backtest, not {:?}", ended.result) };
    assert_eq!(response.type_url, format!("type.googleapis.com/{}", proto::Backtest::full_name()));
    proto::Backtest::decode(response.value.as_slice()).expect("decodes")
}
