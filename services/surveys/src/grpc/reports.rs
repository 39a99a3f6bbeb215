//! `mainstay.surveys.v1.ReportService`.

use mainstay_api::mainstay::surveys::v1 as proto;
use mainstay_api::mainstay::surveys::v1::report_service_server::ReportService;
use mainstay_domain::Violations;
use mainstay_rpc::ApiError;
use mainstay_service::wire;
use tonic::{Request, Response, Status};

use crate::app::{App, reports};
use crate::convert;
use crate::domain::report::{Breakdown, ReportFilter};

/// The service's RPCs over the use cases.
pub(crate) struct ReportRpc {
    pub app: App,
}

#[tonic::async_trait]
impl ReportService for ReportRpc {
    async fn get_nps_report(
        &self,
        request: Request<proto::GetNpsReportRequest>,
    ) -> Result<Response<proto::GetNpsReportResponse>, Status> {
        let message = request.get_ref();
        let (filter, breakdown) = asked(message.filter.as_ref(), &message.group_by)?;
        let rows = reports::nps(&self.app, &filter, breakdown).await?;
        Ok(Response::new(proto::GetNpsReportResponse { rows: convert::report::nps_rows(&rows, breakdown) }))
    }

    async fn get_csat_report(
        &self,
        request: Request<proto::GetCsatReportRequest>,
    ) -> Result<Response<proto::GetCsatReportResponse>, Status> {
        let message = request.get_ref();
        let (filter, breakdown) = asked(message.filter.as_ref(), &message.group_by)?;
        let rows = reports::csat(&self.app, &filter, breakdown).await?;
        Ok(Response::new(proto::GetCsatReportResponse { rows: convert::report::csat_rows(&rows, breakdown) }))
    }

    async fn get_nps_trend(
        &self,
        request: Request<proto::GetNpsTrendRequest>,
    ) -> Result<Response<proto::GetNpsTrendResponse>, Status> {
        let message = request.get_ref();
        let mut found = Violations::new();
        let programs = convert::report::programs(&mut found, "programs", &message.programs);
        let segments = convert::report::segments(&mut found, "segments", &message.segments);
        let quarter_count = convert::report::quarter_count(&mut found, message.quarter_count);
        wire::complete(found, Some(()))?;
        let quarters = reports::nps_trend(&self.app, programs, segments, quarter_count).await?;
        Ok(Response::new(proto::GetNpsTrendResponse { quarters: convert::report::trend_quarters(&quarters) }))
    }

    async fn get_response_rate(
        &self,
        request: Request<proto::GetResponseRateRequest>,
    ) -> Result<Response<proto::GetResponseRateResponse>, Status> {
        let message = request.get_ref();
        let (filter, breakdown) = asked(message.filter.as_ref(), &message.group_by)?;
        let rows = reports::response_rate(&self.app, &filter, breakdown).await?;
        Ok(Response::new(proto::GetResponseRateResponse { rows: convert::report::rate_rows(&rows, breakdown) }))
    }

    async fn get_resurvey_report(
        &self,
        request: Request<proto::GetResurveyReportRequest>,
    ) -> Result<Response<proto::GetResurveyReportResponse>, Status> {
        let (filter, _) = asked(request.get_ref().filter.as_ref(), &[])?;
        let counts = reports::resurveys(&self.app, &filter).await?;
        Ok(Response::new(convert::report::resurvey_report(&counts)))
    }
}

fn asked(filter: Option<&proto::ReportFilter>, group_by: &[i32]) -> Result<(ReportFilter, Breakdown), ApiError> {
    let mut found = Violations::new();
    let asked = (convert::report::filter(&mut found, filter), convert::report::breakdown(&mut found, group_by));
    wire::complete(found, Some(asked))
}
