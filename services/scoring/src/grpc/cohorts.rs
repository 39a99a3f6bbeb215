//! `mainstay.scoring.v1.CohortService`.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::cohort_service_server::CohortService;
use mainstay_domain::{AccountId, Violations};
use mainstay_rpc::ApiError;
use mainstay_service::wire;
use tonic::{Request, Response, Status};

use crate::app::{App, compare_before_after, compare_exposure, get_lifetime_value, get_retention, get_touchpoint_map};
use crate::convert;

/// The service's RPCs over the use cases.
pub(crate) struct CohortRpc {
    pub app: App,
}

#[tonic::async_trait]
impl CohortService for CohortRpc {
    async fn get_retention(
        &self,
        request: Request<proto::GetRetentionRequest>,
    ) -> Result<Response<proto::Retention>, Status> {
        let message = request.into_inner();
        let dimension = message.dimension;
        let mut found = Violations::new();
        let query = convert::cohort::query(&mut found, message);
        found.into_result(()).map_err(ApiError::invalid)?;
        let retention = get_retention::execute(&self.app, &query).await?;
        Ok(Response::new(convert::cohort::retention(&retention, dimension, self.app.core.clock.now())))
    }

    async fn get_lifetime_value(
        &self,
        request: Request<proto::GetLifetimeValueRequest>,
    ) -> Result<Response<proto::LifetimeValue>, Status> {
        let message = request.into_inner();
        let mut found = Violations::new();
        let account = found.take("account", AccountId::parse_name(&message.account));
        let dimension = convert::cohort::dimension(&mut found, "dimension", message.dimension);
        let months = convert::cohort::lifetime_months(&mut found, "month_count", message.month_count);
        let account = wire::complete(found, account)?;
        let value = get_lifetime_value::execute(&self.app, &account, dimension, months).await?;
        Ok(Response::new(convert::cohort::lifetime_value(&account, value, self.app.core.clock.now())))
    }

    async fn compare_exposure(
        &self,
        request: Request<proto::CompareExposureRequest>,
    ) -> Result<Response<proto::ExposureComparison>, Status> {
        let mut found = Violations::new();
        let today = self.app.core.clock.today();
        let query = convert::retention_comparison::exposure_query(&mut found, request.into_inner(), today);
        let query = wire::complete(found, query)?;
        let report = compare_exposure::execute(&self.app, &query).await?;
        let as_of = self.app.core.clock.now();
        Ok(Response::new(convert::retention_comparison::exposure_comparison(&query, &report, as_of)))
    }

    async fn get_touchpoint_map(
        &self,
        request: Request<proto::GetTouchpointMapRequest>,
    ) -> Result<Response<proto::TouchpointMap>, Status> {
        let mut found = Violations::new();
        let query = convert::touchpoint::query(&mut found, request.get_ref(), self.app.core.clock.today());
        let query = wire::complete(found, query)?;
        let map = get_touchpoint_map::execute(&self.app, &query).await?;
        Ok(Response::new(convert::touchpoint::message(&query, &map, self.app.core.clock.now())))
    }

    async fn compare_before_after(
        &self,
        request: Request<proto::CompareBeforeAfterRequest>,
    ) -> Result<Response<proto::BeforeAfterComparison>, Status> {
        let message = request.into_inner();
        let label = message.label.clone();
        let mut found = Violations::new();
        let today = self.app.core.clock.today();
        let query = convert::retention_comparison::change_query(&mut found, message, today);
        let query = wire::complete(found, query)?;
        let report = compare_before_after::execute(&self.app, &query).await?;
        Ok(Response::new(convert::retention_comparison::before_after(&report, label, self.app.core.clock.now())))
    }
}
