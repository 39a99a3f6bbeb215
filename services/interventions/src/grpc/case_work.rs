//! Findings, tasks and contacts of `mainstay.interventions.v1.CaseService`.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_domain::{AccountId, Violations};
use mainstay_rpc::caller;
use mainstay_rpc::paging::{Page, PageRequest};
use mainstay_service::{request, wire};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::app::App;
use crate::app::lookups::{self, TaskFilter};
use crate::app::record_touch::{self, NewTouch};
use crate::app::tasks::{self, NewTask};
use crate::convert::{self, names};
use crate::domain::alert::TEXT_LENGTH_MAX;
use crate::domain::case::Findings;
use crate::domain::task::{TITLE_LENGTH_MAX, TaskState};
use crate::domain::touch::CONTACT_ID_LENGTH_MAX;

const LIST_TASKS_METHOD: &str = "ListTasks";

/// What was found out, as a request gives it.
pub(super) fn findings(found: &mut Violations, message: &proto::UpdateCaseRequest) -> Findings {
    for (field, text) in [
        ("root_cause", &message.root_cause),
        ("plan", &message.plan),
        ("resolution", &message.resolution),
        ("what_worked", &message.what_worked),
    ] {
        found.check_text(field, text, TEXT_LENGTH_MAX);
    }
    let assessment_steps = wire::enum_values(
        found,
        "assessment_steps",
        &message.assessment_steps,
        "step of the assessment",
        convert::case::assessment_step,
    );
    Findings {
        assessment_steps,
        root_cause: message.root_cause.trim().to_owned(),
        plan: message.plan.trim().to_owned(),
        resolution: message.resolution.trim().to_owned(),
        what_worked: message.what_worked.trim().to_owned(),
    }
}

pub(super) async fn create_task(
    app: &App,
    request: Request<proto::CreateTaskRequest>,
    method: &'static str,
) -> Result<Response<proto::Task>, Status> {
    let message = request.get_ref();
    let mutation = request::mutation(&request, method, &message.request_id, false)?;
    let mut found = Violations::new();
    let case = names::id_of(&mut found, "case", "cases", &message.case);
    names::required_text(&mut found, "title", &message.title, TITLE_LENGTH_MAX);
    if !message.owner_email.is_empty() {
        names::email(&mut found, "owner_email", &message.owner_email);
    }
    let due_at = wire::time(&mut found, "due_time", message.due_time.as_ref());
    found.require(message.due_time.is_some(), "due_time", "is required");
    let resource = convert::task::resource(message.resource);
    found.require(resource.is_some(), "resource", format!("{} is no kind of help", message.resource));
    let ((case, due_at), resource) = wire::complete(found, case.zip(due_at).zip(resource))?;
    let new = NewTask {
        case,
        title: message.title.clone(),
        owner_email: names::given(message.owner_email.clone()),
        resource,
        due_at,
    };
    let actor = caller(&request).identity;
    let task = tasks::create(app, &mutation, &new, &actor, convert::task::message).await?;
    Ok(Response::new(task))
}

pub(super) async fn end_task(
    app: &App,
    request: Request<proto::EndTaskRequest>,
    method: &'static str,
) -> Result<Response<proto::Task>, Status> {
    let message = request.get_ref();
    let mutation = request::mutation(&request, method, &message.request_id, false)?;
    let mut found = Violations::new();
    let id = names::id_of(&mut found, "name", "tasks", &message.name);
    let id = wire::complete(found, id)?;
    let state = if message.cancelled { TaskState::Cancelled } else { TaskState::Done };
    let actor = caller(&request).identity;
    let task = tasks::end(app, &mutation, id, state, &actor, convert::task::message).await?;
    Ok(Response::new(task))
}

pub(super) async fn list_tasks(
    app: &App,
    request: Request<proto::ListTasksRequest>,
) -> Result<Response<proto::ListTasksResponse>, Status> {
    let mut message = request.into_inner();
    let token = std::mem::take(&mut message.page_token);
    let page_size = std::mem::take(&mut message.page_size);
    let binding = request::page_binding(&message);
    let mut found = Violations::new();
    let case = names::given(message.case).and_then(|name| names::id_of(&mut found, "case", "cases", &name));
    let owner_email = names::given(message.owner_email);
    if let Some(email) = &owner_email {
        names::email(&mut found, "owner_email", email);
    }
    let filter = TaskFilter { case, owner_email, has_ended_too: message.include_ended };
    let filter = wire::complete(found, Some(filter))?;
    let page = PageRequest::<(DateTime<Utc>, Uuid)>::read(page_size, &token, LIST_TASKS_METHOD, &binding)?;
    let rows = lookups::tasks(app, &filter, page.after, page.limit()).await?;
    let page = Page::from_rows(rows, page.size);
    let next_page_token = page.next_token(|task| (task.due_at, task.id), LIST_TASKS_METHOD, &binding);
    let tasks = page.items.iter().map(convert::task::message).collect();
    Ok(Response::new(proto::ListTasksResponse { tasks, next_page_token }))
}

pub(super) async fn record_touch(
    app: &App,
    request: Request<proto::RecordTouchRequest>,
    method: &'static str,
) -> Result<Response<proto::Touch>, Status> {
    let message = request.get_ref();
    let mutation = request::mutation(&request, method, &message.request_id, false)?;
    let mut found = Violations::new();
    let account =
        names::given(message.account.clone()).and_then(|name| found.take("account", AccountId::parse_name(&name)));
    let case = names::given(message.case.clone()).and_then(|name| names::id_of(&mut found, "case", "cases", &name));
    let is_whose_known = !message.account.is_empty() || !message.case.is_empty();
    found.require(is_whose_known, "account", "is required without a case");
    let channel = convert::touch::channel(message.channel);
    found.require(channel.is_some(), "channel", "is required: call, email, meeting, in-app or chat");
    let is_outbound = convert::touch::is_outbound(message.direction);
    found.require(is_outbound.is_some(), "direction", "is required: outbound or inbound");
    found.check_text("contact_id", &message.contact_id, CONTACT_ID_LENGTH_MAX);
    names::required_text(&mut found, "summary", &message.summary, TEXT_LENGTH_MAX);
    found.check_text("challenges", &message.challenges, TEXT_LENGTH_MAX);
    found.check_text("changed_needs", &message.changed_needs, TEXT_LENGTH_MAX);
    let touched_at = wire::time(&mut found, "touch_time", message.touch_time.as_ref());
    let (channel, is_outbound) = wire::complete(found, channel.zip(is_outbound))?;
    let new = NewTouch {
        account,
        case,
        channel,
        is_outbound,
        is_answered: message.answered,
        contact_id: message.contact_id.clone(),
        summary: message.summary.clone(),
        challenges: message.challenges.clone(),
        changed_needs: message.changed_needs.clone(),
        touched_at,
    };
    let actor = caller(&request).identity;
    let touch = record_touch::execute(app, &mutation, &new, &actor, convert::touch::message).await?;
    Ok(Response::new(touch))
}
