//! `google.longrunning.Operations`, and the method that begins one.

use std::time::Duration;

use mainstay_api::google::longrunning as lro;
use mainstay_api::google::longrunning::operations_server::Operations;
use mainstay_api::google::rpc;
use mainstay_api::mainstay::common::v1::ErrorReason;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::Violations;
use mainstay_rpc::paging::{Page, PageRequest};
use mainstay_rpc::{ApiError, asked_timeout};
use mainstay_service::request;
use prost::{Message, Name};
use prost_types::Any;
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use crate::app::get_operation::{OperationEnd, OperationView};
use crate::app::{
    App, BacktestError, ScoringError, cancel_operation, get_operation, list_operations, recompute_health as recompute,
    wait_operation,
};
use crate::convert;
use crate::domain::OperationKind;
use crate::domain::backtest::BacktestEnd;
use crate::domain::forecast::TrainingEnd;
use mainstay_service::wire;
use mainstay_service::wire::timestamp;

const LIST_METHOD: &str = "ListOperations";
const COLLECTION: &str = "operations";
/// The longest that one call waits; below the server's own limit of a call.
const WAIT_MAX: Duration = Duration::from_secs(20);
/// How long before its caller's deadline a wait ends, so that its answer arrives.
const ANSWER_TIME: Duration = Duration::from_millis(250);

/// The service's RPCs over the use cases.
pub(crate) struct OperationsRpc {
    pub app: App,
}

/// `HealthService.RecomputeHealth`.
pub(super) async fn recompute_health(
    app: &App,
    request: Request<proto::RecomputeHealthRequest>,
) -> Result<Response<lro::Operation>, Status> {
    let message = request.get_ref();
    let mutation =
        request::mutation(&request, "mainstay.scoring.v1.HealthService/RecomputeHealth", &message.request_id, false)?;
    let mut found = Violations::new();
    let start_day = wire::day(&mut found, "start_day", &message.start_day);
    found.into_result(()).map_err(ApiError::invalid)?;
    Ok(Response::new(recompute::execute(app, &mutation, start_day, operation).await?))
}

#[tonic::async_trait]
impl Operations for OperationsRpc {
    async fn list_operations(
        &self,
        request: Request<lro::ListOperationsRequest>,
    ) -> Result<Response<lro::ListOperationsResponse>, Status> {
        let mut message = request.into_inner();
        let token = std::mem::take(&mut message.page_token);
        let page_size = std::mem::take(&mut message.page_size);
        let binding = request::page_binding(&message);
        let mut found = Violations::new();
        found.require(message.name.is_empty() || message.name == COLLECTION, "name", format!("must be `{COLLECTION}`"));
        found.require(message.filter.is_empty(), "filter", "must be empty: operations are listed all");
        found.require(
            !message.return_partial_success,
            "return_partial_success",
            "must be false: all operations are in one place",
        );
        found.into_result(()).map_err(ApiError::invalid)?;
        let page = PageRequest::<Uuid>::read(page_size, &token, LIST_METHOD, &binding)?;
        let rows = list_operations::execute(&self.app, page.after, page.limit()).await?;
        let page = Page::from_rows(rows, page.size);
        let next_page_token = page.next_token(|view| view.record.operation_id, LIST_METHOD, &binding);
        let operations = page.items.into_iter().map(operation).collect();
        Ok(Response::new(lro::ListOperationsResponse { operations, next_page_token, unreachable: Vec::new() }))
    }

    async fn get_operation(
        &self,
        request: Request<lro::GetOperationRequest>,
    ) -> Result<Response<lro::Operation>, Status> {
        let id = operation_id(&request.get_ref().name)?;
        Ok(Response::new(operation(get_operation::execute(&self.app, id).await?)))
    }

    async fn delete_operation(&self, _request: Request<lro::DeleteOperationRequest>) -> Result<Response<()>, Status> {
        let message = "operations are kept and cannot be deleted; CancelOperation ends one that is under way";
        Err(ApiError::common(ErrorReason::Unimplemented, message).into())
    }

    async fn cancel_operation(&self, request: Request<lro::CancelOperationRequest>) -> Result<Response<()>, Status> {
        cancel_operation::execute(&self.app, operation_id(&request.get_ref().name)?).await?;
        Ok(Response::new(()))
    }

    async fn wait_operation(
        &self,
        request: Request<lro::WaitOperationRequest>,
    ) -> Result<Response<lro::Operation>, Status> {
        let deadline = asked_timeout(&request).map_or(WAIT_MAX, |asked| asked.saturating_sub(ANSWER_TIME));
        let message = request.get_ref();
        let mut found = Violations::new();
        let id = found.take("name", parse_name(&message.name));
        let timeout = message.timeout.map_or(Some(WAIT_MAX), |given| Duration::try_from(given).ok());
        found.require(timeout.is_some(), "timeout", "must not be negative");
        let (id, timeout) = wire::complete(found, id.zip(timeout))?;
        let view = wait_operation::execute(&self.app, id, timeout.min(deadline).min(WAIT_MAX)).await?;
        Ok(Response::new(operation(view)))
    }
}

fn parse_name(name: &str) -> Result<Uuid, &'static str> {
    let id = name.split_once('/').filter(|(collection, _)| *collection == COLLECTION).map(|(_, id)| id);
    let canonical = |id: &str| Uuid::parse_str(id).ok().filter(|uuid| uuid.to_string() == id);
    id.and_then(canonical).ok_or("must be `operations/` followed by the UUID of the operation")
}

fn operation_id(name: &str) -> Result<Uuid, ApiError> {
    let mut found = Violations::new();
    let id = found.take("name", parse_name(name));
    wire::complete(found, id)
}

pub(super) fn operation(view: OperationView) -> lro::Operation {
    let OperationView { record, done_count, .. } = &view;
    let start_time = Some(timestamp(record.started_at));
    let end_time = record.ended_at.map(timestamp);
    let metadata = match record.kind {
        OperationKind::Recompute => any(&proto::RecomputeHealthMetadata {
            start_day: record.start_day.to_string(),
            account_count: record.account_count,
            done_count: *done_count,
            start_time,
            end_time,
        }),
        OperationKind::Backtest => any(&proto::BacktestModelMetadata {
            backtest: convert::backtest::name(record.operation_id),
            account_count: record.account_count,
            done_count: *done_count,
            start_time,
            end_time,
        }),
        OperationKind::Training => any(&proto::TrainForecastMetadata {
            account_count: record.account_count,
            done_count: *done_count,
            start_time,
            end_time,
        }),
    };
    lro::Operation {
        name: format!("{COLLECTION}/{}", record.operation_id),
        metadata: Some(metadata),
        done: view.is_done(),
        result: view.is_done().then(|| result(view)),
    }
}

fn failed(code: Code, message: String) -> lro::operation::Result {
    lro::operation::Result::Error(rpc::Status { code: code.into(), message, details: Vec::new() })
}

fn refused(error: ScoringError) -> lro::operation::Result {
    lro::operation::Result::Error(ApiError::from(error).into_rpc_status())
}

/// A response whose message was kept.
fn kept<M: Name>(message: Vec<u8>) -> lro::operation::Result {
    lro::operation::Result::Response(Any { type_url: type_url::<M>(), value: message })
}

fn result(view: OperationView) -> lro::operation::Result {
    let OperationView { record, done_count, end } = view;
    let failed_count = record.account_count - done_count;
    if record.cancelled {
        let done = match record.kind {
            OperationKind::Recompute | OperationKind::Backtest => "scored",
            OperationKind::Training => "read",
        };
        return failed(
            Code::Cancelled,
            format!("cancelled with {done_count} of {} accounts {done}", record.account_count),
        );
    }
    match end {
        Some(OperationEnd::Backtest(BacktestEnd::Complete(report))) => kept::<proto::Backtest>(report),
        Some(OperationEnd::Backtest(BacktestEnd::TooFew(found))) => {
            refused(BacktestError::TooFewOutcomes(found).into())
        }
        Some(OperationEnd::Training(TrainingEnd::Complete(model))) => kept::<proto::ForecastModel>(model),
        Some(OperationEnd::Training(TrainingEnd::TooLittleData(why))) => refused(ScoringError::TooLittleData(why)),
        None => match record.kind {
            OperationKind::Recompute => recomputed(record.account_count, done_count, failed_count),
            OperationKind::Backtest => {
                failed(Code::Internal, "the backtest could not be made: the log says why".to_owned())
            }
            OperationKind::Training => {
                failed(Code::Internal, "the forecast could not be learnt: the log says why".to_owned())
            }
        },
    }
}

fn recomputed(account_count: i64, done_count: i64, failed_count: i64) -> lro::operation::Result {
    if failed_count > 0 {
        failed(
            Code::Internal,
            format!("{failed_count} of {account_count} accounts could not be scored: the log says why"),
        )
    } else {
        lro::operation::Result::Response(any(&proto::RecomputeHealthResponse { account_count: done_count }))
    }
}

fn any<M: Message + Name>(message: &M) -> Any {
    Any { type_url: type_url::<M>(), value: message.encode_to_vec() }
}

fn type_url<M: Name>() -> String {
    format!("type.googleapis.com/{}", M::full_name())
}
