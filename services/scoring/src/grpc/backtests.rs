//! `mainstay.scoring.v1.BacktestService`.

use mainstay_api::google::longrunning as lro;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::backtest_service_server::BacktestService;
use mainstay_domain::{ModelId, Violations};
use mainstay_rpc::paging::{Page, PageRequest};
use mainstay_service::{request, wire};
use mainstay_storage::StorageError;
use prost::Message;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::operations::operation;
use crate::app::backtest_model::BacktestRequest;
use crate::app::{App, ScoringError, backtest_model, get_backtest};
use crate::convert;
use crate::domain::backtest::SpanDraft;

const LIST_METHOD: &str = "ListBacktests";
const LIST_CHANGES_METHOD: &str = "ListBandChanges";

/// The service's RPCs over the use cases.
pub(crate) struct BacktestRpc {
    pub app: App,
}

#[tonic::async_trait]
impl BacktestService for BacktestRpc {
    async fn backtest_model(
        &self,
        request: Request<proto::BacktestModelRequest>,
    ) -> Result<Response<lro::Operation>, Status> {
        let message = request.get_ref();
        let method = "mainstay.scoring.v1.BacktestService/BacktestModel";
        let mutation = request::mutation(&request, method, &message.request_id, false)?;
        let message = request.into_inner();
        let mut found = Violations::new();
        let choice = convert::model_diff::choice(&mut found, "model", message.model);
        let start_day = wire::day(&mut found, "start_day", &message.start_day);
        found.require(!message.start_day.is_empty(), "start_day", "is required");
        let end_day = wire::day(&mut found, "end_day", &message.end_day);
        let segment = convert::account::named_segment(&mut found, "segment", message.segment);
        let (choice, start_day) = wire::complete(found, choice.zip(start_day))?;
        let (step_days, horizon_days) = (message.step_days, message.horizon_days);
        let span = SpanDraft { start_day, end_day, step_days, horizon_days };
        let asked = BacktestRequest { choice, segment, span };
        Ok(Response::new(backtest_model::execute(&self.app, &mutation, &asked, operation).await?))
    }

    async fn get_backtest(
        &self,
        request: Request<proto::GetBacktestRequest>,
    ) -> Result<Response<proto::Backtest>, Status> {
        let mut found = Violations::new();
        let id = found.take("name", convert::backtest::parse_name(&request.get_ref().name));
        let id = wire::complete(found, id)?;
        Ok(Response::new(decoded(&get_backtest::execute(&self.app, id).await?)?))
    }

    async fn list_backtests(
        &self,
        request: Request<proto::ListBacktestsRequest>,
    ) -> Result<Response<proto::ListBacktestsResponse>, Status> {
        let mut message = request.into_inner();
        let token = std::mem::take(&mut message.page_token);
        let page_size = std::mem::take(&mut message.page_size);
        let binding = request::page_binding(&message);
        let mut found = Violations::new();
        let model = match message.model.as_str() {
            "" => None,
            name => found.take("model", ModelId::parse_name(name)),
        };
        let model = wire::complete(found, Some(model))?;
        let page = PageRequest::<Uuid>::read(page_size, &token, LIST_METHOD, &binding)?;
        let rows = get_backtest::list(&self.app, model.as_ref(), page.after, page.limit()).await?;
        let page = Page::from_rows(rows, page.size);
        let next_page_token = page.next_token(|(id, _)| *id, LIST_METHOD, &binding);
        let backtests = page.items.iter().map(|(_, report)| decoded(report)).collect::<Result<_, _>>()?;
        Ok(Response::new(proto::ListBacktestsResponse { backtests, next_page_token }))
    }

    async fn list_band_changes(
        &self,
        request: Request<proto::ListBandChangesRequest>,
    ) -> Result<Response<proto::ListBandChangesResponse>, Status> {
        let mut message = request.into_inner();
        let token = std::mem::take(&mut message.page_token);
        let page_size = std::mem::take(&mut message.page_size);
        let binding = request::page_binding(&message);
        let mut found = Violations::new();
        let id = found.take("backtest", convert::backtest::parse_name(&message.backtest));
        let id = wire::complete(found, id)?;
        let page = PageRequest::<String>::read(page_size, &token, LIST_CHANGES_METHOD, &binding)?;
        let rows = get_backtest::band_changes(&self.app, id, page.after.as_deref(), page.limit()).await?;
        let page = Page::from_rows(rows, page.size);
        let next_page_token =
            page.next_token(|change| change.account.as_str().to_owned(), LIST_CHANGES_METHOD, &binding);
        let changes = page.items.iter().map(convert::backtest::band_change).collect();
        Ok(Response::new(proto::ListBandChangesResponse { changes, next_page_token }))
    }
}

fn decoded(report: &[u8]) -> Result<proto::Backtest, ScoringError> {
    proto::Backtest::decode(report).map_err(|error| StorageError::Corrupt(format!("a kept backtest: {error}")).into())
}
