//! `mainstay.surveys.v1.InvitationService`.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::surveys::v1 as proto;
use mainstay_api::mainstay::surveys::v1::invitation_service_server::InvitationService;
use mainstay_domain::Violations;
use mainstay_rpc::paging::{Page, PageRequest};
use mainstay_service::{Mutation, request, wire};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::app::{App, get_invitation, get_recipient, list_invitations, opt_out};
use crate::convert;
use crate::domain::invitation::InvitationName;

const LIST_METHOD: &str = "ListInvitations";

/// The service's RPCs over the use cases.
pub(crate) struct InvitationRpc {
    pub app: App,
}

#[tonic::async_trait]
impl InvitationService for InvitationRpc {
    async fn get_invitation(
        &self,
        request: Request<proto::GetInvitationRequest>,
    ) -> Result<Response<proto::Invitation>, Status> {
        let mut found = Violations::new();
        let name = found.take("name", InvitationName::parse(&request.get_ref().name));
        let name = wire::complete(found, name)?;
        let invitation = get_invitation::execute(&self.app, &name).await?;
        Ok(Response::new(convert::invitation::message(&invitation)))
    }

    async fn list_invitations(
        &self,
        request: Request<proto::ListInvitationsRequest>,
    ) -> Result<Response<proto::ListInvitationsResponse>, Status> {
        let mut message = request.into_inner();
        let token = std::mem::take(&mut message.page_token);
        let page_size = std::mem::take(&mut message.page_size);
        let binding = request::page_binding(&message);
        let mut found = Violations::new();
        let filter = convert::invitation::filter(&mut found, &message);
        let filter = wire::complete(found, Some(filter))?;
        let page = PageRequest::<(DateTime<Utc>, Uuid)>::read(page_size, &token, LIST_METHOD, &binding)?;
        let rows = list_invitations::execute(&self.app, &filter, page.after.as_ref(), page.limit()).await?;
        let page = Page::from_rows(rows, page.size);
        let position = |invitation: &crate::domain::invitation::Invitation| (invitation.created_at, invitation.name.id);
        let next_page_token = page.next_token(position, LIST_METHOD, &binding);
        let invitations = page.items.iter().map(convert::invitation::message).collect();
        Ok(Response::new(proto::ListInvitationsResponse { invitations, next_page_token }))
    }

    async fn opt_out_recipient(
        &self,
        request: Request<proto::OptOutRecipientRequest>,
    ) -> Result<Response<proto::Recipient>, Status> {
        let message = request.get_ref();
        let method = "mainstay.surveys.v1.InvitationService/OptOutRecipient";
        let mutation = request::mutation(&request, method, &message.request_id, false)?;
        self.set_opt_out(&mutation, &message.email, false).await
    }

    async fn opt_in_recipient(
        &self,
        request: Request<proto::OptInRecipientRequest>,
    ) -> Result<Response<proto::Recipient>, Status> {
        let message = request.get_ref();
        let method = "mainstay.surveys.v1.InvitationService/OptInRecipient";
        let mutation = request::mutation(&request, method, &message.request_id, false)?;
        self.set_opt_out(&mutation, &message.email, true).await
    }

    async fn get_recipient(
        &self,
        request: Request<proto::GetRecipientRequest>,
    ) -> Result<Response<proto::Recipient>, Status> {
        let address = address(&request.get_ref().email)?;
        let state = get_recipient::execute(&self.app, &address).await?;
        Ok(Response::new(convert::invitation::recipient_message(&address, state, self.app.core.clock.now())))
    }
}

impl InvitationRpc {
    async fn set_opt_out(
        &self,
        mutation: &Mutation,
        email: &str,
        wants_to_be_asked: bool,
    ) -> Result<Response<proto::Recipient>, Status> {
        let address = address(email)?;
        let answer = |state| convert::invitation::recipient_message(&address, state, self.app.core.clock.now());
        Ok(Response::new(opt_out::by_address(&self.app, mutation, &address, wants_to_be_asked, answer).await?))
    }
}

fn address(email: &str) -> Result<String, Status> {
    let mut found = Violations::new();
    let address = convert::invitation::address(&mut found, email);
    Ok(wire::complete(found, address)?)
}
