//! `mainstay.scoring.v1.ReportService`.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::report_service_server::ReportService;
use mainstay_domain::Violations;
use mainstay_rpc::ApiError;
use mainstay_service::request;
use tonic::{Request, Response, Status};

use crate::app::{
    App, get_data_quality, get_feature_request_report, get_health_report, get_revenue_report, get_service_report,
    set_data_owner,
};
use crate::convert::{feature_request_report, report, revenue_report, service_report};
use crate::domain::data_quality::DataOwner;

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
        let mutation = request::mutation(
            &request,
            "mainstay.scoring.v1.ReportService/SetDataOwner",
            &request.get_ref().request_id,
            false,
        )?;
        let message = request.into_inner();
        let owner = DataOwner::given(&message.subject, &message.owner_email).map_err(ApiError::invalid)?;
        Ok(Response::new(set_data_owner::execute(&self.app, &mutation, &owner, report::data_owner).await?))
    }
}
