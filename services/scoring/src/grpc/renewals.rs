//! `mainstay.scoring.v1.RenewalService`.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::renewal_service_server::RenewalService;
use mainstay_domain::{Violations, day_of};
use mainstay_rpc::paging::{Page, PageRequest};
use mainstay_rpc::{ApiError, caller};
use mainstay_service::{request, wire};
use tonic::{Request, Response, Status};

use crate::app::{App, get_revenue_retention, list_renewals, set_renewal_call};
use crate::convert::renewal;
use crate::domain::renewal::RenewalCursor;

const LIST_METHOD: &str = "ListRenewals";

/// The service's RPCs over the use cases.
pub(crate) struct RenewalRpc {
    pub app: App,
}

#[tonic::async_trait]
impl RenewalService for RenewalRpc {
    async fn list_renewals(
        &self,
        request: Request<proto::ListRenewalsRequest>,
    ) -> Result<Response<proto::ListRenewalsResponse>, Status> {
        let mut message = request.into_inner();
        let token = std::mem::take(&mut message.page_token);
        let page_size = std::mem::take(&mut message.page_size);
        let binding = request::page_binding(&message);
        let mut found = Violations::new();
        let days = renewal::due_days(&mut found, &message);
        let accounts = renewal::accounts(&mut found, &message.accounts);
        found.into_result(()).map_err(ApiError::invalid)?;
        let page = PageRequest::<RenewalCursor>::read(page_size, &token, LIST_METHOD, &binding)?;
        let after = page.after.as_ref();
        let (rows, model) = list_renewals::execute(&self.app, days, accounts.as_deref(), after, page.limit()).await?;
        let page = Page::from_rows(rows, page.size);
        let next_page_token = page.next_token(|(one, _)| RenewalCursor::after(one), LIST_METHOD, &binding);
        let renewals = page.items.iter().map(|one| renewal::message(one, model)).collect();
        Ok(Response::new(proto::ListRenewalsResponse { renewals, next_page_token }))
    }

    async fn get_renewal_forecast(
        &self,
        request: Request<proto::GetRenewalForecastRequest>,
    ) -> Result<Response<proto::RenewalForecast>, Status> {
        let mut found = Violations::new();
        let quarters = renewal::quarter_count(&mut found, request.get_ref().quarter_count);
        found.into_result(()).map_err(ApiError::invalid)?;
        let forecast = list_renewals::forecast(&self.app, quarters).await?;
        Ok(Response::new(renewal::forecast(&forecast)))
    }

    async fn set_renewal_call(
        &self,
        request: Request<proto::SetRenewalCallRequest>,
    ) -> Result<Response<proto::RenewalCall>, Status> {
        let mutation = request::mutation(
            &request,
            "mainstay.scoring.v1.RenewalService/SetRenewalCall",
            &request.get_ref().request_id,
            false,
        )?;
        let creator = caller(&request).identity;
        let mut found = Violations::new();
        let given = renewal::given_call(&mut found, request.into_inner());
        let given = wire::complete(found, given)?;
        let call = set_renewal_call::execute(&self.app, &mutation, &creator, &given, renewal::call).await?;
        Ok(Response::new(call))
    }

    async fn get_renewal_report(
        &self,
        request: Request<proto::GetRenewalReportRequest>,
    ) -> Result<Response<proto::RenewalReport>, Status> {
        let message = request.into_inner();
        let mut found = Violations::new();
        let as_of = self.app.core.clock.now();
        let period = renewal::period(&mut found, &message.start_day, &message.end_day, day_of(as_of));
        let period = wire::complete(found, period)?;
        let report = list_renewals::report(&self.app, period.0, period.1).await?;
        Ok(Response::new(renewal::report(&report, period, as_of)))
    }

    async fn get_revenue_retention(
        &self,
        request: Request<proto::GetRevenueRetentionRequest>,
    ) -> Result<Response<proto::RevenueRetention>, Status> {
        let message = request.into_inner();
        let mut found = Violations::new();
        let as_of = self.app.core.clock.now();
        let period = renewal::period(&mut found, &message.start_day, &message.end_day, day_of(as_of));
        let period = wire::complete(found, period)?;
        let retention = get_revenue_retention::execute(&self.app, period.0, period.1).await?;
        Ok(Response::new(renewal::retention(&retention, period, as_of)))
    }
}
