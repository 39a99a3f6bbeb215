//! `mainstay.scoring.v1.ModelService`.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::model_service_server::ModelService;
use mainstay_domain::{ModelId, Violations};
use mainstay_rpc::caller;
use mainstay_rpc::paging::{Page, PageRequest};
use mainstay_service::request;
use tonic::{Request, Response, Status};

use crate::app::activate_model::ActivationRequest;
use crate::app::get_model::{ModelName, ModelView};
use crate::app::{App, activate_model, create_model, diff_models, get_model, list_models, release_segment};
use crate::convert;
use crate::convert::model::ACTIVE_ID;
use crate::domain::ActivationCause;
use mainstay_service::wire;

const LIST_METHOD: &str = "ListModels";

/// The service's RPCs over the use cases.
pub(crate) struct ModelRpc {
    pub app: App,
}

#[tonic::async_trait]
impl ModelService for ModelRpc {
    async fn create_model(
        &self,
        request: Request<proto::CreateModelRequest>,
    ) -> Result<Response<proto::Model>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(
            &request,
            "mainstay.scoring.v1.ModelService/CreateModel",
            &message.request_id,
            message.validate_only,
        )?;
        let message = request.into_inner();
        let mut found = Violations::new();
        let model = convert::model::new_model(&mut found, &message.model_id, message.model);
        let model = wire::complete(found, model)?;
        Ok(Response::new(create_model::execute(&self.app, &mutation, &model, answer).await?))
    }

    async fn get_model(&self, request: Request<proto::GetModelRequest>) -> Result<Response<proto::Model>, Status> {
        let name = request.into_inner().name;
        let mut found = Violations::new();
        let id = found.take("name", ModelId::parse_name(&name));
        let id = wire::complete(found, id)?;
        let name = if id.as_str() == ACTIVE_ID { ModelName::Active } else { ModelName::Id(id) };
        Ok(Response::new(answer(get_model::execute(&self.app, &name).await?)))
    }

    async fn list_models(
        &self,
        request: Request<proto::ListModelsRequest>,
    ) -> Result<Response<proto::ListModelsResponse>, Status> {
        let mut message = request.into_inner();
        let token = std::mem::take(&mut message.page_token);
        let page_size = std::mem::take(&mut message.page_size);
        let binding = request::page_binding(&message);
        let page = PageRequest::<i64>::read(page_size, &token, LIST_METHOD, &binding)?;
        let rows = list_models::execute(&self.app, page.after, page.limit()).await?;
        let page = Page::from_rows(rows, page.size);
        let next_page_token = page.next_token(|view| view.stored.sequence, LIST_METHOD, &binding);
        let models = page.items.into_iter().map(answer).collect();
        Ok(Response::new(proto::ListModelsResponse { models, next_page_token }))
    }

    async fn activate_model(
        &self,
        request: Request<proto::ActivateModelRequest>,
    ) -> Result<Response<proto::Model>, Status> {
        let message = request.get_ref();
        let mutation =
            request::mutation(&request, "mainstay.scoring.v1.ModelService/ActivateModel", &message.request_id, false)?;
        let cause = ActivationCause {
            reason: message.reason.clone(),
            accepted_worse: message.accept_worse,
            accepted_untried: message.accept_untried,
            caller: caller(&request).identity,
        };
        let mut found = Violations::new();
        let id = found.take("name", ModelId::parse_name(&message.name));
        let segment = convert::account::named_segment(&mut found, "segment", message.segment);
        let start_day = wire::day(&mut found, "start_day", &message.start_day);
        cause.check(&mut found);
        let id = wire::complete(found, id)?;
        let activation = ActivationRequest { id, segment, etag: message.etag.clone(), start_day, cause };
        Ok(Response::new(activate_model::execute(&self.app, &mutation, &activation, answer).await?))
    }

    async fn release_segment(
        &self,
        request: Request<proto::ReleaseSegmentRequest>,
    ) -> Result<Response<proto::Model>, Status> {
        let message = request.get_ref();
        let mutation =
            request::mutation(&request, "mainstay.scoring.v1.ModelService/ReleaseSegment", &message.request_id, false)?;
        let (reason, caller) = (message.reason.clone(), caller(&request).identity);
        let cause =
            ActivationCause { reason, accepted_worse: message.accept_worse, caller, ..ActivationCause::default() };
        let mut found = Violations::new();
        let segment = convert::account::named_segment(&mut found, "segment", message.segment);
        found.require(message.segment != 0, "segment", "is required");
        let start_day = wire::day(&mut found, "start_day", &message.start_day);
        cause.check(&mut found);
        let segment = wire::complete(found, segment)?;
        Ok(Response::new(release_segment::execute(&self.app, &mutation, segment, start_day, &cause, answer).await?))
    }

    async fn diff_models(
        &self,
        request: Request<proto::DiffModelsRequest>,
    ) -> Result<Response<proto::ModelDiff>, Status> {
        let message = request.into_inner();
        let mut found = Violations::new();
        let base = convert::model_diff::choice(&mut found, "base", message.base);
        let other = convert::model_diff::choice(&mut found, "other", message.other);
        let (base, other) = wire::complete(found, base.zip(other))?;
        let diff = diff_models::execute(&self.app, &base, &other).await?;
        Ok(Response::new(convert::model_diff::message(diff)))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "use cases give their outcome away")]
fn answer(view: ModelView) -> proto::Model {
    convert::model::message(&view)
}
