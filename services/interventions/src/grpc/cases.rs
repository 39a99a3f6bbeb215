//! `mainstay.interventions.v1.CaseService`.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_api::mainstay::interventions::v1::case_service_server::CaseService;
use mainstay_domain::{AccountId, Violations};
use mainstay_rpc::caller;
use mainstay_rpc::paging::{Page, PageRequest};
use mainstay_service::{request, wire};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{case_work, given_etag};
use crate::app::close_case::{self, Ending};
use crate::app::lookups::{self, CaseFilter, CasesAfter, StoryOf, UNKNOWN_GAIN};
use crate::app::views::View;
use crate::app::{App, advance_case, open_case, reassign, talking_points, update_case};
use crate::convert::{self, names};
use crate::domain::alert::TEXT_LENGTH_MAX;
use crate::domain::case::{Case, Outcome};

const LIST_METHOD: &str = "ListCases";
const TIMELINE_METHOD: &str = "GetTimeline";

macro_rules! method {
    ($name:literal) => {
        concat!("mainstay.interventions.v1.CaseService/", $name)
    };
}

/// The service's RPCs over the use cases.
pub(crate) struct CaseRpc {
    pub app: App,
}

#[tonic::async_trait]
impl CaseService for CaseRpc {
    async fn open_case(&self, request: Request<proto::OpenCaseRequest>) -> Result<Response<proto::Case>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(&request, method!("OpenCase"), &message.request_id, false)?;
        let mut found = Violations::new();
        let account = found.take("account", AccountId::parse_name(&message.account));
        if !message.owner_email.is_empty() {
            names::email(&mut found, "owner_email", &message.owner_email);
        }
        let account = wire::complete(found, account)?;
        let owner = names::given(message.owner_email.clone());
        let actor = caller(&request).identity;
        let answer = convert::case::message;
        let case = open_case::execute(&self.app, &mutation, &account, owner.as_deref(), &actor, answer).await?;
        Ok(Response::new(case))
    }

    async fn get_case(&self, request: Request<proto::GetCaseRequest>) -> Result<Response<proto::Case>, Status> {
        let mut found = Violations::new();
        let id = names::id_of(&mut found, "name", "cases", &request.get_ref().name);
        let view = lookups::case(&self.app, wire::complete(found, id)?).await?;
        Ok(Response::new(shown(&view)))
    }

    async fn list_cases(
        &self,
        request: Request<proto::ListCasesRequest>,
    ) -> Result<Response<proto::ListCasesResponse>, Status> {
        let mut message = request.into_inner();
        let token = std::mem::take(&mut message.page_token);
        let page_size = std::mem::take(&mut message.page_size);
        let binding = request::page_binding(&message);
        let is_closed = message.closed;
        let filter = filter(message)?;
        let (rows, size) = if is_closed {
            let page = PageRequest::<(DateTime<Utc>, Uuid)>::read(page_size, &token, LIST_METHOD, &binding)?;
            (lookups::cases(&self.app, &filter, CasesAfter::Closed(page.after), page.limit()).await?, page.size)
        } else {
            let page = PageRequest::<(i64, Uuid)>::read(page_size, &token, LIST_METHOD, &binding)?;
            (lookups::cases(&self.app, &filter, CasesAfter::Open(page.after), page.limit()).await?, page.size)
        };
        let page = Page::from_rows(rows, size);
        let next_page_token = if is_closed {
            let place = |view: &View<Case>| (view.item.closed_at.unwrap_or_default(), view.item.id);
            page.next_token(place, LIST_METHOD, &binding)
        } else {
            let gain = |case: &Case| case.priority.expected_gain().map_or(UNKNOWN_GAIN, |gain| gain.minor_units);
            page.next_token(|view| (gain(&view.item), view.item.id), LIST_METHOD, &binding)
        };
        let cases = page.items.iter().map(shown).collect();
        Ok(Response::new(proto::ListCasesResponse { cases, next_page_token }))
    }

    async fn update_case(&self, request: Request<proto::UpdateCaseRequest>) -> Result<Response<proto::Case>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(&request, method!("UpdateCase"), &message.request_id, false)?;
        let mut found = Violations::new();
        let id = names::id_of(&mut found, "name", "cases", &message.name);
        let findings = case_work::findings(&mut found, message);
        let id = wire::complete(found, id)?;
        let (etag, actor) = (given_etag(&message.etag), caller(&request).identity);
        let answer = convert::case::message;
        let case = update_case::execute(&self.app, &mutation, id, etag, &findings, &actor, answer).await?;
        Ok(Response::new(case))
    }

    async fn advance_case(&self, request: Request<proto::AdvanceCaseRequest>) -> Result<Response<proto::Case>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(&request, method!("AdvanceCase"), &message.request_id, false)?;
        let mut found = Violations::new();
        let id = names::id_of(&mut found, "name", "cases", &message.name);
        let state = convert::case::state(message.state);
        found.require(state.is_some(), "state", "is required");
        let (id, state) = wire::complete(found, id.zip(state))?;
        let (etag, actor) = (given_etag(&message.etag), caller(&request).identity);
        let answer = convert::case::message;
        let case = advance_case::execute(&self.app, &mutation, id, etag, state, &actor, answer).await?;
        Ok(Response::new(case))
    }

    async fn close_case(&self, request: Request<proto::CloseCaseRequest>) -> Result<Response<proto::Case>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(&request, method!("CloseCase"), &message.request_id, false)?;
        let mut found = Violations::new();
        let id = names::id_of(&mut found, "name", "cases", &message.name);
        let outcome = convert::case::outcome(message.outcome);
        found.require(outcome.is_some(), "outcome", "must be saved, churned or no action");
        found.check_text("notes", &message.notes, TEXT_LENGTH_MAX);
        let needs_reason = outcome.is_some_and(|outcome| outcome != Outcome::Saved);
        let has_reason = !needs_reason || !message.notes.trim().is_empty();
        found.require(has_reason, "notes", "is required: say why");
        let (id, outcome) = wire::complete(found, id.zip(outcome))?;
        let ending = Ending { outcome, notes: message.notes.clone() };
        let (etag, actor) = (given_etag(&message.etag), caller(&request).identity);
        let answer = convert::case::message;
        let case = close_case::execute(&self.app, &mutation, id, etag, &ending, &actor, answer).await?;
        Ok(Response::new(case))
    }

    async fn reassign_case(
        &self,
        request: Request<proto::ReassignCaseRequest>,
    ) -> Result<Response<proto::Case>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(&request, method!("ReassignCase"), &message.request_id, false)?;
        let mut found = Violations::new();
        let id = names::id_of(&mut found, "name", "cases", &message.name);
        names::email(&mut found, "owner_email", &message.owner_email);
        let id = wire::complete(found, id)?;
        let (etag, actor) = (given_etag(&message.etag), caller(&request).identity);
        let answer = convert::case::message;
        let case = reassign::case(&self.app, &mutation, id, etag, &message.owner_email, &actor, answer).await?;
        Ok(Response::new(case))
    }

    async fn create_task(&self, request: Request<proto::CreateTaskRequest>) -> Result<Response<proto::Task>, Status> {
        case_work::create_task(&self.app, request, method!("CreateTask")).await
    }

    async fn end_task(&self, request: Request<proto::EndTaskRequest>) -> Result<Response<proto::Task>, Status> {
        case_work::end_task(&self.app, request, method!("EndTask")).await
    }

    async fn list_tasks(
        &self,
        request: Request<proto::ListTasksRequest>,
    ) -> Result<Response<proto::ListTasksResponse>, Status> {
        case_work::list_tasks(&self.app, request).await
    }

    async fn record_touch(
        &self,
        request: Request<proto::RecordTouchRequest>,
    ) -> Result<Response<proto::Touch>, Status> {
        case_work::record_touch(&self.app, request, method!("RecordTouch")).await
    }

    async fn get_talking_points(
        &self,
        request: Request<proto::GetTalkingPointsRequest>,
    ) -> Result<Response<proto::TalkingPoints>, Status> {
        let mut found = Violations::new();
        let account = found.take("account", AccountId::parse_name(&request.get_ref().account));
        let account = wire::complete(found, account)?;
        let points = talking_points::execute(&self.app, &account).await?;
        Ok(Response::new(convert::talking_points::message(points)))
    }

    async fn get_timeline(
        &self,
        request: Request<proto::GetTimelineRequest>,
    ) -> Result<Response<proto::GetTimelineResponse>, Status> {
        let mut message = request.into_inner();
        let token = std::mem::take(&mut message.page_token);
        let page_size = std::mem::take(&mut message.page_size);
        let binding = request::page_binding(&message);
        let mut found = Violations::new();
        let of = if message.parent.starts_with("cases/") {
            names::id_of(&mut found, "parent", "cases", &message.parent).map(StoryOf::Case)
        } else {
            found.take("parent", AccountId::parse_name(&message.parent)).map(StoryOf::Account)
        };
        let of = wire::complete(found, of)?;
        let page = PageRequest::<i64>::read(page_size, &token, TIMELINE_METHOD, &binding)?;
        let rows = lookups::story(&self.app, &of, page.after, page.limit()).await?;
        let page = Page::from_rows(rows, page.size);
        let next_page_token = page.next_token(|(sequence, _)| *sequence, TIMELINE_METHOD, &binding);
        let entries = page.items.iter().map(|(_, entry)| convert::touch::entry_message(entry)).collect();
        Ok(Response::new(proto::GetTimelineResponse { entries, next_page_token }))
    }
}

fn shown(view: &View<Case>) -> proto::Case {
    convert::case::message(&view.item, &view.account_name, &view.clocks)
}

fn filter(message: proto::ListCasesRequest) -> Result<CaseFilter, Status> {
    let mut found = Violations::new();
    let account = names::given(message.account).and_then(|name| found.take("account", AccountId::parse_name(&name)));
    let kind = convert::case::kind(message.kind);
    found.require(kind.is_some() || message.kind == 0, "kind", format!("{} is no kind of case", message.kind));
    let states = wire::enum_values(&mut found, "states", &message.states, "state of a case", convert::case::state);
    let owner_email = names::given(message.owner_email);
    if let Some(email) = &owner_email {
        names::email(&mut found, "owner_email", email);
    }
    let filter = CaseFilter { account, kind, owner_email, states };
    Ok(wire::complete(found, Some(filter))?)
}
