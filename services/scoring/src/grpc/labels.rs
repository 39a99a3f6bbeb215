//! `mainstay.scoring.v1.LabelService`.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::label_service_server::LabelService;
use mainstay_domain::{AccountId, Violations};
use mainstay_rpc::caller;
use mainstay_rpc::paging::{Page, PageRequest};
use mainstay_service::{request, wire};
use tonic::{Request, Response, Status};

use crate::app::{App, correct_label, get_label, list_labels, move_label};
use crate::convert;
use crate::domain::label::{LabelCursor, LabelFilter, LabelMove};

const LIST_METHOD: &str = "ListLabels";

macro_rules! method {
    ($name:literal) => {
        concat!("mainstay.scoring.v1.LabelService/", $name)
    };
}

/// The service's RPCs over the use cases.
pub(crate) struct LabelRpc {
    pub app: App,
}

#[tonic::async_trait]
impl LabelService for LabelRpc {
    async fn override_label(
        &self,
        request: Request<proto::OverrideLabelRequest>,
    ) -> Result<Response<proto::Label>, Status> {
        let message = request.get_ref();
        let mutation =
            request::mutation(&request, method!("OverrideLabel"), &message.request_id, message.validate_only)?;
        let (creator, said) = (caller(&request).identity, |now| convert::label::said_override(message, now));
        let label = correct_label::execute(&self.app, &mutation, &creator, said, convert::label::message).await?;
        Ok(Response::new(label))
    }

    async fn dispute_label(
        &self,
        request: Request<proto::DisputeLabelRequest>,
    ) -> Result<Response<proto::Label>, Status> {
        let message = request.get_ref();
        let mutation =
            request::mutation(&request, method!("DisputeLabel"), &message.request_id, message.validate_only)?;
        let (creator, said) = (caller(&request).identity, |now| convert::label::said_dispute(message, now));
        let label = correct_label::execute(&self.app, &mutation, &creator, said, convert::label::message).await?;
        Ok(Response::new(label))
    }

    async fn review_label(
        &self,
        request: Request<proto::ReviewLabelRequest>,
    ) -> Result<Response<proto::Label>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(&request, method!("ReviewLabel"), &message.request_id, false)?;
        let mut found = Violations::new();
        let name = convert::label::parse_name(&mut found, "name", &message.name);
        let review = convert::label::review(&mut found, message, &caller(&request).identity);
        let ((account, id), review) = wire::complete(found, name.zip(review))?;
        let etag = Some(message.etag.as_str()).filter(|etag| !etag.is_empty());
        let target = (&account, id);
        let label = move_label::execute(&self.app, &mutation, target, etag, &review, convert::label::message).await?;
        Ok(Response::new(label))
    }

    async fn withdraw_label(
        &self,
        request: Request<proto::WithdrawLabelRequest>,
    ) -> Result<Response<proto::Label>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(&request, method!("WithdrawLabel"), &message.request_id, false)?;
        let mut found = Violations::new();
        let name = convert::label::parse_name(&mut found, "name", &message.name);
        let (account, id) = wire::complete(found, name)?;
        let etag = Some(message.etag.as_str()).filter(|etag| !etag.is_empty());
        let target = (&account, id);
        let step = LabelMove::Withdraw;
        let label = move_label::execute(&self.app, &mutation, target, etag, &step, convert::label::message).await?;
        Ok(Response::new(label))
    }

    async fn get_label(&self, request: Request<proto::GetLabelRequest>) -> Result<Response<proto::Label>, Status> {
        let mut found = Violations::new();
        let name = convert::label::parse_name(&mut found, "name", &request.get_ref().name);
        let (account, id) = wire::complete(found, name)?;
        let label = get_label::execute(&self.app, &account, id).await?;
        Ok(Response::new(convert::label::message(&label)))
    }

    async fn list_labels(
        &self,
        request: Request<proto::ListLabelsRequest>,
    ) -> Result<Response<proto::ListLabelsResponse>, Status> {
        let mut message = request.into_inner();
        let token = std::mem::take(&mut message.page_token);
        let page_size = std::mem::take(&mut message.page_size);
        let binding = request::page_binding(&message);
        let mut found = Violations::new();
        let account = (!message.account.is_empty()).then(|| AccountId::parse_name(&message.account));
        let filter = LabelFilter {
            account: account.and_then(|account| found.take("account", account)),
            open_only: message.open_only,
            review_due_by: wire::time(&mut found, "review_due_by_time", message.review_due_by_time.as_ref()),
        };
        let filter = wire::complete(found, Some(filter))?;
        let page = PageRequest::<LabelCursor>::read(page_size, &token, LIST_METHOD, &binding)?;
        let rows = list_labels::execute(&self.app, &filter, page.after.as_ref(), page.limit()).await?;
        let page = Page::from_rows(rows, page.size);
        let next_page_token = page.next_token(LabelCursor::after, LIST_METHOD, &binding);
        let labels = page.items.iter().map(convert::label::message).collect();
        Ok(Response::new(proto::ListLabelsResponse { labels, next_page_token }))
    }
}
