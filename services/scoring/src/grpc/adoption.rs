//! `mainstay.scoring.v1.AdoptionService`.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::adoption_service_server::AdoptionService;
use mainstay_domain::{AccountId, AdoptionTargetId, Violations};
use mainstay_rpc::ApiError;
use mainstay_rpc::paging::{Page, PageRequest};
use mainstay_service::{request, wire};
use tonic::{Request, Response, Status};

use crate::app::{
    App, delete_adoption_target, get_account_adoption, get_feature_adoption_report, get_outcome_report,
    list_adoption_targets, list_customer_outcomes, set_adoption_target,
};
use crate::convert::adoption;
use crate::domain::outcome_report::CustomerOutcome;

const LIST_METHOD: &str = "ListCustomerOutcomes";

macro_rules! method {
    ($name:literal) => {
        concat!("mainstay.scoring.v1.AdoptionService/", $name)
    };
}

/// The service's RPCs over the use cases.
pub(crate) struct AdoptionRpc {
    pub app: App,
}

#[tonic::async_trait]
impl AdoptionService for AdoptionRpc {
    async fn get_feature_adoption_report(
        &self,
        request: Request<proto::GetFeatureAdoptionReportRequest>,
    ) -> Result<Response<proto::FeatureAdoptionReport>, Status> {
        let mut found = Violations::new();
        let query = adoption::feature_query(&mut found, request.into_inner());
        found.into_result(()).map_err(ApiError::invalid)?;
        let report = get_feature_adoption_report::execute(&self.app, &query).await?;
        Ok(Response::new(adoption::feature_report(&report)))
    }

    async fn get_account_adoption(
        &self,
        request: Request<proto::GetAccountAdoptionRequest>,
    ) -> Result<Response<proto::AccountAdoption>, Status> {
        let mut found = Violations::new();
        let account = found.take("account", AccountId::parse_name(&request.get_ref().account));
        let account = wire::complete(found, account)?;
        let adopted = get_account_adoption::execute(&self.app, &account).await?;
        Ok(Response::new(adoption::account_adoption(&adopted)))
    }

    async fn set_adoption_target(
        &self,
        request: Request<proto::SetAdoptionTargetRequest>,
    ) -> Result<Response<proto::AdoptionTarget>, Status> {
        let message = request.get_ref();
        let mutation =
            request::mutation(&request, method!("SetAdoptionTarget"), &message.request_id, message.validate_only)?;
        let target = adoption::target(request.into_inner().adoption_target).map_err(ApiError::invalid)?;
        let target = set_adoption_target::execute(&self.app, &mutation, &target, adoption::target_message).await?;
        Ok(Response::new(target))
    }

    async fn delete_adoption_target(
        &self,
        request: Request<proto::DeleteAdoptionTargetRequest>,
    ) -> Result<Response<()>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(&request, method!("DeleteAdoptionTarget"), &message.request_id, false)?;
        let mut found = Violations::new();
        let id = found.take("name", AdoptionTargetId::parse_name(&message.name));
        let id = wire::complete(found, id)?;
        delete_adoption_target::execute(&self.app, &mutation, &id).await?;
        Ok(Response::new(()))
    }

    async fn list_adoption_targets(
        &self,
        _request: Request<proto::ListAdoptionTargetsRequest>,
    ) -> Result<Response<proto::ListAdoptionTargetsResponse>, Status> {
        let targets = list_adoption_targets::execute(&self.app).await?;
        let adoption_targets = targets.iter().map(adoption::target_message).collect();
        Ok(Response::new(proto::ListAdoptionTargetsResponse { adoption_targets }))
    }

    async fn get_outcome_report(
        &self,
        request: Request<proto::GetOutcomeReportRequest>,
    ) -> Result<Response<proto::OutcomeReport>, Status> {
        let message = request.into_inner();
        let mut found = Violations::new();
        let customers = adoption::customers(&mut found, &message.segments, message.owner_email);
        found.into_result(()).map_err(ApiError::invalid)?;
        let report = get_outcome_report::execute(&self.app, &customers).await?;
        Ok(Response::new(adoption::outcome_report(&report)))
    }

    async fn list_customer_outcomes(
        &self,
        request: Request<proto::ListCustomerOutcomesRequest>,
    ) -> Result<Response<proto::ListCustomerOutcomesResponse>, Status> {
        let mut message = request.into_inner();
        let token = std::mem::take(&mut message.page_token);
        let page_size = std::mem::take(&mut message.page_size);
        let binding = request::page_binding(&message);
        let mut found = Violations::new();
        let filter = adoption::outcome_filter(&mut found, message);
        found.into_result(()).map_err(ApiError::invalid)?;
        let page = PageRequest::<String>::read(page_size, &token, LIST_METHOD, &binding)?;
        let rows = list_customer_outcomes::execute(&self.app, &filter, page.after.as_deref(), page.limit()).await?;
        let page = Page::from_rows(rows, page.size);
        let last = |customer: &CustomerOutcome| customer.account.as_str().to_owned();
        let next_page_token = page.next_token(last, LIST_METHOD, &binding);
        let customers = page.items.iter().map(adoption::customer_outcome).collect();
        Ok(Response::new(proto::ListCustomerOutcomesResponse { customers, next_page_token }))
    }
}
