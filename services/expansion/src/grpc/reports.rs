//! `mainstay.expansion.v1.ReportService`.

use mainstay_api::mainstay::expansion::v1 as proto;
use mainstay_api::mainstay::expansion::v1::report_service_server::ReportService;
use mainstay_domain::Violations;
use mainstay_rpc::ApiError;
use mainstay_service::wire::time;
use prost_types::Timestamp;
use tonic::{Request, Response, Status};

use crate::app::{App, get_reports};
use crate::convert::opportunity::optional_email;
use crate::convert::report as convert;
use crate::domain::Window;

/// The service's RPCs over the use cases.
pub(crate) struct ReportRpc {
    pub app: App,
}

#[tonic::async_trait]
impl ReportService for ReportRpc {
    async fn get_pipeline(
        &self,
        request: Request<proto::GetPipelineRequest>,
    ) -> Result<Response<proto::Pipeline>, Status> {
        let mut found = Violations::new();
        let owner_email = optional_email(&mut found, "owner_email", &request.get_ref().owner_email);
        found.into_result(()).map_err(ApiError::invalid)?;
        let (entries, now) = get_reports::pipeline(&self.app, owner_email.as_deref()).await?;
        Ok(Response::new(convert::pipeline(&entries, now)))
    }

    async fn get_conversion(
        &self,
        request: Request<proto::GetConversionRequest>,
    ) -> Result<Response<proto::Conversion>, Status> {
        let asked = request.get_ref();
        let window = window(asked.start_time.as_ref(), asked.end_time.as_ref())?;
        let (stages, now) = get_reports::conversion(&self.app, window).await?;
        Ok(Response::new(convert::conversion(&stages, now)))
    }

    async fn get_criterion_accuracy(
        &self,
        request: Request<proto::GetCriterionAccuracyRequest>,
    ) -> Result<Response<proto::CriterionAccuracy>, Status> {
        let asked = request.get_ref();
        let window = window(asked.start_time.as_ref(), asked.end_time.as_ref())?;
        let (all, outcomes, now) = get_reports::criterion_accuracy(&self.app, window).await?;
        Ok(Response::new(convert::accuracy(all, &outcomes, now)))
    }
}

fn window(start: Option<&Timestamp>, end: Option<&Timestamp>) -> Result<Window, ApiError> {
    let mut found = Violations::new();
    let start = time(&mut found, "start_time", start);
    let end = time(&mut found, "end_time", end);
    let is_span = start.zip(end).is_none_or(|(start, end)| start < end);
    found.require(is_span, "end_time", "must be after start_time");
    found.into_result(Window { start, end }).map_err(ApiError::invalid)
}
