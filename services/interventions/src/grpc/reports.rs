//! `mainstay.interventions.v1.ReportService`.

use mainstay_accounts::segment_of_message;
use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_api::mainstay::interventions::v1::report_service_server::ReportService;
use mainstay_api::mainstay::scoring::v1::Segment as SegmentMessage;
use mainstay_domain::Violations;
use mainstay_service::wire;
use tonic::{Request, Response, Status};

use crate::app::{App, report};
use crate::convert;

/// The service's RPCs over the use cases.
pub(crate) struct ReportRpc {
    pub app: App,
}

#[tonic::async_trait]
impl ReportService for ReportRpc {
    async fn get_intervention_report(
        &self,
        request: Request<proto::GetInterventionReportRequest>,
    ) -> Result<Response<proto::InterventionReport>, Status> {
        let message = request.get_ref();
        let mut found = Violations::new();
        let start = wire::time(&mut found, "start_time", message.start_time.as_ref());
        found.require(message.start_time.is_some(), "start_time", "is required");
        let end = wire::time(&mut found, "end_time", message.end_time.as_ref());
        let end = end.unwrap_or_else(|| self.app.core.clock.now());
        let is_in_order = start.is_none_or(|start| start < end);
        found.require(is_in_order, "end_time", "must be after `start_time`, which must be in the past");
        let segment = SegmentMessage::try_from(message.segment);
        found.require(segment.is_ok(), "segment", format!("{} is no segment", message.segment));
        let start = wire::complete(found, start)?;
        let segment = segment.ok().filter(|segment| *segment != SegmentMessage::Unspecified);
        let report = report::execute(&self.app, start, end, segment.map(segment_of_message)).await?;
        Ok(Response::new(convert::report::message(&report)))
    }
}
