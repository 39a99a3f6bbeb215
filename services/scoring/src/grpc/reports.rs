//! `mainstay.scoring.v1.ReportService`.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::report_service_server::ReportService;
use mainstay_domain::Violations;
use mainstay_rpc::{ApiError, caller};
use mainstay_service::{request, wire};
use tonic::{Request, Response, Status};

use crate::app::{
    App, get_data_quality, get_feature_request_report, get_health_report, get_revenue_report, get_service_report,
    list_shared_targets, set_data_owner, set_shared_target,
};
use crate::convert::{feature_request_report, report, revenue_report, service_report, shared_target};
use crate::domain::data_quality::DataOwner;
use crate::domain::shared_target::SharedTargets;

macro_rules! method {
    ($name:literal) => {
        concat!("mainstay.scoring.v1.ReportService/", $name)
    };
}

/// The service's RPCs over the use cases.
pub(crate) struct ReportRpc {
    pub app: App,
}

#[tonic::async_trait]
impl ReportService for ReportRpc {
    async fn get_health_report(
        &self,
        request: Request<proto::GetHealthReportRequest>,
    ) -> Result<Response<proto::HealthReport>, Status> {
        let mut found = Violations::new();
        let query = report::query(&mut found, request.into_inner());
        found.into_result(()).map_err(ApiError::invalid)?;
        Ok(Response::new(report::health_report(&get_health_report::execute(&self.app, &query).await?)))
    }

    async fn get_revenue_report(
        &self,
        request: Request<proto::GetRevenueReportRequest>,
    ) -> Result<Response<proto::RevenueReport>, Status> {
        let mut found = Violations::new();
        let query = revenue_report::query(&mut found, request.into_inner());
        found.into_result(()).map_err(ApiError::invalid)?;
        Ok(Response::new(revenue_report::message(&get_revenue_report::execute(&self.app, &query).await?)))
    }

    async fn set_shared_target(
        &self,
        request: Request<proto::SetSharedTargetRequest>,
    ) -> Result<Response<proto::SharedTarget>, Status> {
        let message = request.get_ref();
        let mutation =
            request::mutation(&request, method!("SetSharedTarget"), &message.request_id, message.validate_only)?;
        let mut found = Violations::new();
        let given = shared_target::given(&mut found, message);
        let given = wire::complete(found, given)?;
        let setter = caller(&request).identity;
        let answer = |set: &SharedTargets| shared_target::of(set, given.metric);
        Ok(Response::new(set_shared_target::execute(&self.app, &mutation, &setter, &given, answer).await?))
    }

    async fn list_shared_targets(
        &self,
        _request: Request<proto::ListSharedTargetsRequest>,
    ) -> Result<Response<proto::ListSharedTargetsResponse>, Status> {
        Ok(Response::new(shared_target::all(list_shared_targets::execute(&self.app).await?)))
    }

    async fn get_service_report(
        &self,
        request: Request<proto::GetServiceReportRequest>,
    ) -> Result<Response<proto::ServiceReport>, Status> {
        let mut found = Violations::new();
        let query = service_report::query(&mut found, request.into_inner());
        found.into_result(()).map_err(ApiError::invalid)?;
        Ok(Response::new(service_report::message(&get_service_report::execute(&self.app, &query).await?)))
    }

    async fn get_feature_request_report(
        &self,
        request: Request<proto::GetFeatureRequestReportRequest>,
    ) -> Result<Response<proto::FeatureRequestReport>, Status> {
        let mut found = Violations::new();
        let query = feature_request_report::query(&mut found, request.into_inner());
        found.into_result(()).map_err(ApiError::invalid)?;
        let report = get_feature_request_report::execute(&self.app, &query).await?;
        Ok(Response::new(feature_request_report::message(&report)))
    }

    async fn get_data_quality_report(
        &self,
        _request: Request<proto::GetDataQualityReportRequest>,
    ) -> Result<Response<proto::DataQualityReport>, Status> {
        Ok(Response::new(report::data_quality(&get_data_quality::execute(&self.app).await?)))
    }

    async fn set_data_owner(
        &self,
        request: Request<proto::SetDataOwnerRequest>,
    ) -> Result<Response<proto::DataOwner>, Status> {
        let mutation = request::mutation(&request, method!("SetDataOwner"), &request.get_ref().request_id, false)?;
        let message = request.into_inner();
        let owner = DataOwner::given(&message.subject, &message.owner_email).map_err(ApiError::invalid)?;
        Ok(Response::new(set_data_owner::execute(&self.app, &mutation, &owner, report::data_owner).await?))
    }
}
