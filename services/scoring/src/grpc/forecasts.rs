//! `mainstay.scoring.v1.ForecastService`.

use mainstay_api::google::longrunning as lro;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::forecast_service_server::ForecastService;
use mainstay_domain::{AccountId, Violations};
use mainstay_rpc::paging::{Page, PageRequest};
use mainstay_rpc::{ApiError, caller};
use mainstay_service::{request, wire};
use tonic::{Request, Response, Status};

use super::operations::operation;
use crate::app::train_forecast::TrainingRequest;
use crate::app::{App, compare_investments, forecast_churn, get_forecast_model, train_forecast};
use crate::convert::account::segments;
use crate::convert::{forecast, investment_comparison};

const LIST_METHOD: &str = "ListForecastModels";

/// The service's RPCs over the use cases.
pub(crate) struct ForecastRpc {
    pub app: App,
}

#[tonic::async_trait]
impl ForecastService for ForecastRpc {
    async fn train_forecast(
        &self,
        request: Request<proto::TrainForecastRequest>,
    ) -> Result<Response<lro::Operation>, Status> {
        let message = request.get_ref();
        let method = "mainstay.scoring.v1.ForecastService/TrainForecast";
        // What is only judged takes an operation too.
        let mutation = request::mutation(&request, method, &message.request_id, false)?;
        let mut found = Violations::new();
        let horizon_days = forecast::horizon_days(&mut found, "horizon_days", message.horizon_days);
        found.into_result(()).map_err(ApiError::invalid)?;
        let creator = caller(&request).identity;
        let asked = TrainingRequest { horizon_days, creator, is_kept: !message.validate_only };
        Ok(Response::new(train_forecast::execute(&self.app, &mutation, &asked, operation).await?))
    }

    async fn get_forecast_model(
        &self,
        request: Request<proto::GetForecastModelRequest>,
    ) -> Result<Response<proto::ForecastModel>, Status> {
        let mut found = Violations::new();
        let name = forecast::parse_name(&mut found, "name", &request.get_ref().name);
        let name = wire::complete(found, name)?;
        Ok(Response::new(forecast::model(&get_forecast_model::execute(&self.app, name.number()).await?)))
    }

    async fn list_forecast_models(
        &self,
        request: Request<proto::ListForecastModelsRequest>,
    ) -> Result<Response<proto::ListForecastModelsResponse>, Status> {
        let mut message = request.into_inner();
        let token = std::mem::take(&mut message.page_token);
        let page_size = std::mem::take(&mut message.page_size);
        let binding = request::page_binding(&message);
        let page = PageRequest::<i64>::read(page_size, &token, LIST_METHOD, &binding)?;
        let rows = get_forecast_model::list(&self.app, page.after, page.limit()).await?;
        let page = Page::from_rows(rows, page.size);
        let next_page_token = page.next_token(|model| model.number, LIST_METHOD, &binding);
        let forecast_models = page.items.iter().map(forecast::model).collect();
        Ok(Response::new(proto::ListForecastModelsResponse { forecast_models, next_page_token }))
    }

    async fn get_churn_forecast(
        &self,
        request: Request<proto::GetChurnForecastRequest>,
    ) -> Result<Response<proto::ChurnForecast>, Status> {
        let message = request.into_inner();
        let mut found = Violations::new();
        let account = found.take("account", AccountId::parse_name(&message.account));
        let name = forecast::parse_name_or_newest(&mut found, "forecast_model", &message.forecast_model);
        let (account, name) = wire::complete(found, account.zip(name))?;
        let (model, today, churn) = forecast_churn::one(&self.app, &account, name.number()).await?;
        Ok(Response::new(forecast::churn_forecast(&account, &model, &today, &churn)))
    }

    async fn forecast_portfolio(
        &self,
        request: Request<proto::ForecastPortfolioRequest>,
    ) -> Result<Response<proto::PortfolioForecast>, Status> {
        let message = request.into_inner();
        let mut found = Violations::new();
        let days = forecast::day_count(&mut found, "day_count", message.day_count);
        let name = forecast::parse_name_or_newest(&mut found, "forecast_model", &message.forecast_model);
        let name = wire::complete(found, name)?;
        let (model, days, expected) = forecast_churn::portfolio(&self.app, days, name.number()).await?;
        Ok(Response::new(forecast::portfolio(&model, days, &expected, self.app.core.clock.now())))
    }

    async fn compare_investments(
        &self,
        request: Request<proto::CompareInvestmentsRequest>,
    ) -> Result<Response<proto::InvestmentComparison>, Status> {
        let message = request.into_inner();
        let mut found = Violations::new();
        let query = investment_comparison::query(&mut found, &message);
        let segments = segments(&mut found, "segments", &message.segments);
        let name = forecast::parse_name_or_newest(&mut found, "forecast_model", &message.forecast_model);
        let (query, name) = wire::complete(found, query.zip(name))?;
        let compared = compare_investments::execute(&self.app, &query, segments, name.number()).await?;
        Ok(Response::new(investment_comparison::comparison(&query, &compared)))
    }
}
