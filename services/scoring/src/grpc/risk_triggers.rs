//! `mainstay.scoring.v1.RiskTriggerService`.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::risk_trigger_service_server::RiskTriggerService;
use mainstay_domain::{AccountId, Violations};
use mainstay_rpc::paging::{Page, PageRequest};
use mainstay_service::request;
use tonic::{Request, Response, Status};

use crate::app::{App, get_risk_trigger, list_risk_triggers};
use crate::convert;
use crate::domain::risk_trigger::{RiskTriggerCursor, RiskTriggerFilter};
use mainstay_service::wire;

const LIST_METHOD: &str = "ListRiskTriggers";

/// The service's RPCs over the use cases.
pub(crate) struct RiskTriggerRpc {
    pub app: App,
}

#[tonic::async_trait]
impl RiskTriggerService for RiskTriggerRpc {
    async fn get_risk_trigger(
        &self,
        request: Request<proto::GetRiskTriggerRequest>,
    ) -> Result<Response<proto::RiskTrigger>, Status> {
        let name = request.into_inner().name;
        let mut found = Violations::new();
        let parsed = convert::risk_trigger::parse_name(&mut found, "name", &name);
        let (account, id) = wire::complete(found, parsed)?;
        let trigger = get_risk_trigger::execute(&self.app, &account, id, &name).await?;
        Ok(Response::new(convert::risk_trigger::message(&trigger)))
    }

    async fn list_risk_triggers(
        &self,
        request: Request<proto::ListRiskTriggersRequest>,
    ) -> Result<Response<proto::ListRiskTriggersResponse>, Status> {
        let mut message = request.into_inner();
        let token = std::mem::take(&mut message.page_token);
        let page_size = std::mem::take(&mut message.page_size);
        let binding = request::page_binding(&message);
        let mut found = Violations::new();
        let account = (!message.account.is_empty()).then(|| AccountId::parse_name(&message.account));
        let account = account.and_then(|account| found.take("account", account));
        let kinds = convert::risk_trigger::kinds(&mut found, "kinds", &message.kinds);
        let customers = convert::adoption::customers(&mut found, &message.segments, message.owner_email);
        let filter = RiskTriggerFilter { account, kinds, lasting_only: message.lasting_only, customers };
        let filter = wire::complete(found, Some(filter))?;
        let page = PageRequest::<RiskTriggerCursor>::read(page_size, &token, LIST_METHOD, &binding)?;
        let rows = list_risk_triggers::execute(&self.app, &filter, page.after.as_ref(), page.limit()).await?;
        let page = Page::from_rows(rows, page.size);
        let next_page_token = page.next_token(RiskTriggerCursor::after, LIST_METHOD, &binding);
        let risk_triggers = page.items.iter().map(convert::risk_trigger::message).collect();
        Ok(Response::new(proto::ListRiskTriggersResponse { risk_triggers, next_page_token }))
    }
}
