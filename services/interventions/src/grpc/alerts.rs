//! `mainstay.interventions.v1.AlertService`.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_api::mainstay::interventions::v1::alert_service_server::AlertService;
use mainstay_domain::{AccountId, Violations};
use mainstay_rpc::paging::{Page, PageRequest};
use mainstay_rpc::{ApiError, caller};
use mainstay_service::{Mutation, request, wire};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::given_etag;
use crate::app::lookups::{self, AlertFilter};
use crate::app::move_alert::{self, Step};
use crate::app::views::View;
use crate::app::{App, raise_alert, reassign};
use crate::convert::{self, names};
use crate::domain::alert::{Alert, AlertMove, Resolution, TEXT_LENGTH_MAX};

const LIST_METHOD: &str = "ListAlerts";

macro_rules! method {
    ($name:literal) => {
        concat!("mainstay.interventions.v1.AlertService/", $name)
    };
}

/// The service's RPCs over the use cases.
pub(crate) struct AlertRpc {
    pub app: App,
}

impl AlertRpc {
    /// Takes a step with the alert of a name.
    async fn step(
        &self,
        mutation: Mutation,
        actor: String,
        target: (Option<Uuid>, String),
        found: Violations,
        step: Option<Step>,
    ) -> Result<Response<proto::Alert>, Status> {
        let (id, etag) = target;
        let (id, step) = wire::complete(found, id.zip(step))?;
        let etag = given_etag(&etag);
        let message = convert::alert::message;
        let alert = move_alert::execute(&self.app, &mutation, id, etag, &step, &actor, message).await?;
        Ok(Response::new(alert))
    }
}

/// A step without a contact.
fn plain(step: AlertMove) -> Step {
    Step { step, contact: None }
}

#[tonic::async_trait]
impl AlertService for AlertRpc {
    async fn create_alert(
        &self,
        request: Request<proto::CreateAlertRequest>,
    ) -> Result<Response<proto::Alert>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(&request, method!("CreateAlert"), &message.request_id, message.validate_only)?;
        let mut found = Violations::new();
        let occurrence = convert::alert::manual(&mut found, message, self.app.core.clock.now());
        let occurrence = wire::complete(found, occurrence)?;
        let actor = caller(&request).identity;
        let message = convert::alert::message;
        let alert = raise_alert::execute(&self.app, &mutation, &occurrence, &actor, message).await?;
        Ok(Response::new(alert))
    }

    async fn get_alert(&self, request: Request<proto::GetAlertRequest>) -> Result<Response<proto::Alert>, Status> {
        let mut found = Violations::new();
        let id = names::id_of(&mut found, "name", "alerts", &request.get_ref().name);
        let view = lookups::alert(&self.app, wire::complete(found, id)?).await?;
        Ok(Response::new(shown(&view)))
    }

    async fn list_alerts(
        &self,
        request: Request<proto::ListAlertsRequest>,
    ) -> Result<Response<proto::ListAlertsResponse>, Status> {
        let mut message = request.into_inner();
        let token = std::mem::take(&mut message.page_token);
        let page_size = std::mem::take(&mut message.page_size);
        let binding = request::page_binding(&message);
        let is_closed = message.closed;
        let filter = filter(message)?;
        let page = PageRequest::<(DateTime<Utc>, Uuid)>::read(page_size, &token, LIST_METHOD, &binding)?;
        let rows = lookups::alerts(&self.app, &filter, is_closed, page.after, page.limit()).await?;
        let page = Page::from_rows(rows, page.size);
        let place = |view: &View<Alert>| {
            let time = if is_closed { view.item.closed_at } else { view.item.next_due_at };
            (time.unwrap_or_default(), view.item.id)
        };
        let next_page_token = page.next_token(place, LIST_METHOD, &binding);
        let alerts = page.items.iter().map(shown).collect();
        Ok(Response::new(proto::ListAlertsResponse { alerts, next_page_token }))
    }

    async fn acknowledge_alert(
        &self,
        request: Request<proto::AcknowledgeAlertRequest>,
    ) -> Result<Response<proto::Alert>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(&request, method!("AcknowledgeAlert"), &message.request_id, false)?;
        let mut found = Violations::new();
        let target = (names::id_of(&mut found, "name", "alerts", &message.name), message.etag.clone());
        self.step(mutation, caller(&request).identity, target, found, Some(plain(AlertMove::Acknowledge))).await
    }

    async fn assess_alert(
        &self,
        request: Request<proto::AssessAlertRequest>,
    ) -> Result<Response<proto::Alert>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(&request, method!("AssessAlert"), &message.request_id, false)?;
        let mut found = Violations::new();
        let target = (names::id_of(&mut found, "name", "alerts", &message.name), message.etag.clone());
        names::required_text(&mut found, "assessment", &message.assessment, TEXT_LENGTH_MAX);
        let step = AlertMove::Assess {
            assessment: message.assessment.clone(),
            immediate_action_needed: message.immediate_action_needed,
        };
        self.step(mutation, caller(&request).identity, target, found, Some(plain(step))).await
    }

    async fn plan_alert(&self, request: Request<proto::PlanAlertRequest>) -> Result<Response<proto::Alert>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(&request, method!("PlanAlert"), &message.request_id, false)?;
        let mut found = Violations::new();
        let target = (names::id_of(&mut found, "name", "alerts", &message.name), message.etag.clone());
        names::required_text(&mut found, "plan", &message.plan, TEXT_LENGTH_MAX);
        let step = Some(plain(AlertMove::Plan(message.plan.clone())));
        self.step(mutation, caller(&request).identity, target, found, step).await
    }

    async fn record_execution(
        &self,
        request: Request<proto::RecordExecutionRequest>,
    ) -> Result<Response<proto::Alert>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(&request, method!("RecordExecution"), &message.request_id, false)?;
        let mut found = Violations::new();
        let target = (names::id_of(&mut found, "name", "alerts", &message.name), message.etag.clone());
        names::required_text(&mut found, "execution", &message.execution, TEXT_LENGTH_MAX);
        let channel = convert::touch::channel(message.channel);
        found.require(channel.is_some(), "channel", "is required: call, email, meeting, in-app or chat");
        let step = channel.map(|channel| Step {
            step: AlertMove::Execute(message.execution.clone()),
            contact: Some((channel, message.answered)),
        });
        self.step(mutation, caller(&request).identity, target, found, step).await
    }

    async fn follow_up_alert(
        &self,
        request: Request<proto::FollowUpAlertRequest>,
    ) -> Result<Response<proto::Alert>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(&request, method!("FollowUpAlert"), &message.request_id, false)?;
        let mut found = Violations::new();
        let target = (names::id_of(&mut found, "name", "alerts", &message.name), message.etag.clone());
        names::required_text(&mut found, "follow_up", &message.follow_up, TEXT_LENGTH_MAX);
        let step = AlertMove::FollowUp { follow_up: message.follow_up.clone(), issue_resolved: message.issue_resolved };
        let step = Some(plain(step));
        self.step(mutation, caller(&request).identity, target, found, step).await
    }

    async fn close_alert(&self, request: Request<proto::CloseAlertRequest>) -> Result<Response<proto::Alert>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(&request, method!("CloseAlert"), &message.request_id, false)?;
        let mut found = Violations::new();
        let target = (names::id_of(&mut found, "name", "alerts", &message.name), message.etag.clone());
        let resolution = convert::alert::resolution(message.resolution);
        found.require(resolution.is_some(), "resolution", "must be resolved, no action or false alarm");
        found.check_text("notes", &message.notes, TEXT_LENGTH_MAX);
        let needs_reason = resolution.is_some_and(|resolution| resolution != Resolution::Resolved);
        let has_reason = !needs_reason || !message.notes.trim().is_empty();
        found.require(has_reason, "notes", "is required: say why nothing needs to be done");
        let close =
            |resolution| Step { step: AlertMove::Close { resolution, notes: message.notes.clone() }, contact: None };
        self.step(mutation, caller(&request).identity, target, found, resolution.map(close)).await
    }

    async fn reassign_alert(
        &self,
        request: Request<proto::ReassignAlertRequest>,
    ) -> Result<Response<proto::Alert>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(&request, method!("ReassignAlert"), &message.request_id, false)?;
        let mut found = Violations::new();
        let id = names::id_of(&mut found, "name", "alerts", &message.name);
        names::email(&mut found, "owner_email", &message.owner_email);
        let id = wire::complete(found, id)?;
        let actor = caller(&request).identity;
        let (etag, owner_email) = (given_etag(&message.etag), &message.owner_email);
        let answer = convert::alert::message;
        let alert = reassign::alert(&self.app, &mutation, id, etag, owner_email, &actor, answer).await?;
        Ok(Response::new(alert))
    }
}

fn shown(view: &View<Alert>) -> proto::Alert {
    convert::alert::message(&view.item, &view.account_name, &view.clocks)
}

fn filter(message: proto::ListAlertsRequest) -> Result<AlertFilter, ApiError> {
    let mut found = Violations::new();
    let account = names::given(message.account).and_then(|name| found.take("account", AccountId::parse_name(&name)));
    let kinds = wire::enum_values(&mut found, "kinds", &message.kinds, "kind of alert", convert::alert::kind);
    let owner_email = names::given(message.owner_email);
    if let Some(email) = &owner_email {
        names::email(&mut found, "owner_email", email);
    }
    let filter = AlertFilter { account, kinds, owner_email, is_breached_only: message.breached };
    found.into_result(filter).map_err(ApiError::invalid)
}
