//! `mainstay.surveys.v1.ResponseService`.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::surveys::v1 as proto;
use mainstay_api::mainstay::surveys::v1::response_service_server::ResponseService;
use mainstay_domain::Violations;
use mainstay_rpc::paging::{Page, PageRequest};
use mainstay_service::{request, wire};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::app::{App, get_response, list_responses, submit_response};
use crate::convert;
use crate::domain::invitation::ResponseName;

const LIST_METHOD: &str = "ListResponses";

/// The service's RPCs over the use cases.
pub(crate) struct ResponseRpc {
    pub app: App,
}

#[tonic::async_trait]
impl ResponseService for ResponseRpc {
    async fn submit_response(
        &self,
        request: Request<proto::SubmitResponseRequest>,
    ) -> Result<Response<proto::Response>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(
            &request,
            "mainstay.surveys.v1.ResponseService/SubmitResponse",
            &message.request_id,
            message.validate_only,
        )?;
        let mut found = Violations::new();
        let given = convert::response::submitted(&mut found, message.response.as_ref());
        let given = wire::complete(found, given)?;
        let response = submit_response::execute(&self.app, &mutation, &given, convert::response::message).await?;
        Ok(Response::new(response))
    }

    async fn get_response(
        &self,
        request: Request<proto::GetResponseRequest>,
    ) -> Result<Response<proto::Response>, Status> {
        let mut found = Violations::new();
        let name = found.take("name", ResponseName::parse(&request.get_ref().name));
        let name = wire::complete(found, name)?;
        let response = get_response::execute(&self.app, &name).await?;
        Ok(Response::new(convert::response::message(&response)))
    }

    async fn list_responses(
        &self,
        request: Request<proto::ListResponsesRequest>,
    ) -> Result<Response<proto::ListResponsesResponse>, Status> {
        let mut message = request.into_inner();
        let token = std::mem::take(&mut message.page_token);
        let page_size = std::mem::take(&mut message.page_size);
        let binding = request::page_binding(&message);
        let mut found = Violations::new();
        let filter = convert::response::filter(&mut found, &message);
        let filter = wire::complete(found, Some(filter))?;
        let page = PageRequest::<(DateTime<Utc>, Uuid)>::read(page_size, &token, LIST_METHOD, &binding)?;
        let rows = list_responses::execute(&self.app, &filter, page.after.as_ref(), page.limit()).await?;
        let page = Page::from_rows(rows, page.size);
        let position = |response: &crate::domain::response::Response| (response.responded_at, response.name.id);
        let next_page_token = page.next_token(position, LIST_METHOD, &binding);
        let responses = page.items.iter().map(convert::response::message).collect();
        Ok(Response::new(proto::ListResponsesResponse { responses, next_page_token }))
    }
}
