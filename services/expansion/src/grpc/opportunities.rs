//! `mainstay.expansion.v1.OpportunityService`.

use mainstay_api::mainstay::expansion::v1 as proto;
use mainstay_api::mainstay::expansion::v1::opportunity_service_server::OpportunityService;
use mainstay_domain::{AccountId, Violations, is_key};
use mainstay_rpc::caller;
use mainstay_rpc::paging::{Page, PageRequest};
use mainstay_service::request::{mutation, page_binding};
use mainstay_service::wire::{complete, enum_values, time};
use tonic::{Request, Response, Status};

use super::opportunity_changes::{NOTE_LENGTH_MAX, change, changes};
use crate::app::create_opportunity::NewOpportunity;
use crate::app::{
    App, advance_opportunity, complete_checklist_item, create_opportunity, get_opportunity, hand_over_opportunity,
    list_opportunities, list_stage_policies, list_timeline, lose_opportunity, postpone_opportunity, resume_opportunity,
    set_stage_policy, update_opportunity, win_opportunity,
};
use crate::convert::opportunity as convert;
use crate::convert::opportunity::{gain, message, optional_account, optional_email};
use crate::convert::plan::optional_plan;
use crate::domain::{LostReason, Opportunity, OpportunityCursor, OpportunityFilter, TimelineEntry};

const LIST_METHOD: &str = "ListOpportunities";
const TIMELINE_METHOD: &str = "ListTimeline";

/// The full name of a method.
macro_rules! method {
    ($name:literal) => {
        concat!("mainstay.expansion.v1.OpportunityService/", $name)
    };
}

/// The service's RPCs over the use cases.
pub(crate) struct OpportunityRpc {
    pub app: App,
}

type Answer = Result<Response<proto::Opportunity>, Status>;

#[tonic::async_trait]
impl OpportunityService for OpportunityRpc {
    async fn create_opportunity(&self, request: Request<proto::CreateOpportunityRequest>) -> Answer {
        let asked = request.get_ref();
        let mutation = mutation(&request, method!("CreateOpportunity"), &asked.request_id, false)?;
        let mut found = Violations::new();
        let account = found.take("account", AccountId::parse_name(&asked.account));
        found.require(is_key(&asked.metric), "metric", "must match `[a-z0-9][a-z0-9_.-]{0,62}`");
        let target_plan = optional_plan(&mut found, "target_plan", &asked.target_plan);
        let expected_gain = gain(&mut found, "expected_gain", asked.expected_gain.as_ref());
        let owner_email = optional_email(&mut found, "owner_email", &asked.owner_email);
        let account = complete(found, account)?;
        let (metric, actor) = (asked.metric.clone(), caller(&request).identity);
        let new = NewOpportunity { account, metric, target_plan, expected_gain, owner_email, actor };
        Ok(Response::new(create_opportunity::execute(&self.app, &mutation, &new, message).await?))
    }

    async fn get_opportunity(&self, request: Request<proto::GetOpportunityRequest>) -> Answer {
        let mut found = Violations::new();
        let name = convert::name(&mut found, "name", &request.get_ref().name);
        let name = complete(found, name)?;
        Ok(Response::new(message(&get_opportunity::execute(&self.app, &name).await?)))
    }

    async fn list_opportunities(
        &self,
        request: Request<proto::ListOpportunitiesRequest>,
    ) -> Result<Response<proto::ListOpportunitiesResponse>, Status> {
        let mut asked = request.into_inner();
        let token = std::mem::take(&mut asked.page_token);
        let page_size = std::mem::take(&mut asked.page_size);
        let binding = page_binding(&asked);
        let mut found = Violations::new();
        let filter = OpportunityFilter {
            account: optional_account(&mut found, "account", &asked.account),
            stages: enum_values(&mut found, "stages", &asked.stages, "stage", convert::stage_of_number),
            owner_email: optional_email(&mut found, "owner_email", &asked.owner_email),
            overdue_only: asked.overdue_only,
            held_only: asked.held_only,
        };
        let filter = complete(found, Some(filter))?;
        let page = PageRequest::<OpportunityCursor>::read(page_size, &token, LIST_METHOD, &binding)?;
        let rows = list_opportunities::execute(&self.app, &filter, page.after.as_ref(), page.limit()).await?;
        let page = Page::from_rows(rows, page.size);
        let cursor = |opportunity: &Opportunity| OpportunityCursor {
            closed: !opportunity.is_open(),
            due_at: opportunity.due_at,
            account_id: opportunity.name.account.as_str().to_owned(),
            opportunity_id: opportunity.name.id,
        };
        let next_page_token = page.next_token(cursor, LIST_METHOD, &binding);
        let opportunities = page.items.iter().map(message).collect();
        Ok(Response::new(proto::ListOpportunitiesResponse { opportunities, next_page_token }))
    }

    async fn update_opportunity(&self, request: Request<proto::UpdateOpportunityRequest>) -> Answer {
        let asked = request.get_ref();
        let mutation = mutation(&request, method!("UpdateOpportunity"), &asked.request_id, false)?;
        let mut found = Violations::new();
        let changes = changes(&mut found, asked);
        let given = asked.opportunity.as_ref().map(|given| given.name.as_str()).unwrap_or_default();
        let mut named = Violations::new();
        named.take("opportunity.name", crate::domain::OpportunityName::parse(given));
        found.extend(named.clone());
        found.into_result(()).map_err(mainstay_rpc::ApiError::invalid)?;
        let change = change(&request, Violations::new(), given, &asked.etag)?;
        Ok(Response::new(update_opportunity::execute(&self.app, &mutation, &change, &changes, message).await?))
    }

    async fn complete_checklist_item(&self, request: Request<proto::CompleteChecklistItemRequest>) -> Answer {
        let asked = request.get_ref();
        let mutation = mutation(&request, method!("CompleteChecklistItem"), &asked.request_id, false)?;
        let mut found = Violations::new();
        found.require(is_key(&asked.item_id), "item_id", "must match `[a-z0-9][a-z0-9_.-]{0,62}`");
        found.check_text("note", &asked.note, NOTE_LENGTH_MAX);
        let change = change(&request, found, &asked.name, "")?;
        let (item_id, note, undo) = (&asked.item_id, &asked.note, asked.undo);
        let answer = complete_checklist_item::execute(&self.app, &mutation, &change, item_id, note, undo, message);
        Ok(Response::new(answer.await?))
    }

    async fn advance_opportunity(&self, request: Request<proto::AdvanceOpportunityRequest>) -> Answer {
        let asked = request.get_ref();
        let mutation = mutation(&request, method!("AdvanceOpportunity"), &asked.request_id, asked.validate_only)?;
        let mut found = Violations::new();
        let to = convert::stage_of_number(asked.to_stage);
        let is_stage = asked.to_stage == 0 || to.is_some();
        found.require(is_stage, "to_stage", format!("{} is no stage", asked.to_stage));
        let change = change(&request, found, &asked.name, &asked.etag)?;
        Ok(Response::new(advance_opportunity::execute(&self.app, &mutation, &change, to, message).await?))
    }

    async fn win_opportunity(&self, request: Request<proto::WinOpportunityRequest>) -> Answer {
        let asked = request.get_ref();
        let mutation = mutation(&request, method!("WinOpportunity"), &asked.request_id, false)?;
        let mut found = Violations::new();
        let amount = gain(&mut found, "won_amount", asked.won_amount.as_ref());
        let change = change(&request, found, &asked.name, &asked.etag)?;
        Ok(Response::new(win_opportunity::execute(&self.app, &mutation, &change, amount, message).await?))
    }

    async fn lose_opportunity(&self, request: Request<proto::LoseOpportunityRequest>) -> Answer {
        let asked = request.get_ref();
        let mutation = mutation(&request, method!("LoseOpportunity"), &asked.request_id, false)?;
        let mut found = Violations::new();
        let reason = convert::lost_reason_of_number(asked.reason);
        found.require(reason.is_some(), "reason", "is required");
        found.check_text("note", &asked.note, NOTE_LENGTH_MAX);
        let is_explained = reason != Some(LostReason::Other) || !asked.note.is_empty();
        found.require(is_explained, "note", "is required for `LOST_REASON_OTHER`: say what it was");
        let change = change(&request, found, &asked.name, &asked.etag)?;
        let reason = complete(Violations::new(), reason)?;
        Ok(Response::new(lose_opportunity::execute(&self.app, &mutation, &change, reason, &asked.note, message).await?))
    }

    async fn postpone_opportunity(&self, request: Request<proto::PostponeOpportunityRequest>) -> Answer {
        let asked = request.get_ref();
        let mutation = mutation(&request, method!("PostponeOpportunity"), &asked.request_id, false)?;
        let mut found = Violations::new();
        let until = time(&mut found, "until_time", asked.until_time.as_ref());
        found.require(asked.until_time.is_some(), "until_time", "is required");
        found.check_text("note", &asked.note, NOTE_LENGTH_MAX);
        let change = change(&request, found, &asked.name, &asked.etag)?;
        let until = complete(Violations::new(), until)?;
        let answer = postpone_opportunity::execute(&self.app, &mutation, &change, until, &asked.note, message);
        Ok(Response::new(answer.await?))
    }

    async fn resume_opportunity(&self, request: Request<proto::ResumeOpportunityRequest>) -> Answer {
        let asked = request.get_ref();
        let mutation = mutation(&request, method!("ResumeOpportunity"), &asked.request_id, false)?;
        let change = change(&request, Violations::new(), &asked.name, &asked.etag)?;
        Ok(Response::new(resume_opportunity::execute(&self.app, &mutation, &change, message).await?))
    }

    async fn hand_over_opportunity(&self, request: Request<proto::HandOverOpportunityRequest>) -> Answer {
        let asked = request.get_ref();
        let mutation = mutation(&request, method!("HandOverOpportunity"), &asked.request_id, false)?;
        let mut found = Violations::new();
        let to_email = optional_email(&mut found, "to_email", &asked.to_email);
        found.check_text("note", &asked.note, NOTE_LENGTH_MAX);
        let change = change(&request, found, &asked.name, &asked.etag)?;
        let (to_email, note) = (to_email.as_deref(), &asked.note);
        let answer = hand_over_opportunity::execute(&self.app, &mutation, &change, to_email, note, message);
        Ok(Response::new(answer.await?))
    }

    async fn list_timeline(
        &self,
        request: Request<proto::ListTimelineRequest>,
    ) -> Result<Response<proto::ListTimelineResponse>, Status> {
        let mut asked = request.into_inner();
        let token = std::mem::take(&mut asked.page_token);
        let page_size = std::mem::take(&mut asked.page_size);
        let binding = page_binding(&asked);
        let mut found = Violations::new();
        let name = convert::name(&mut found, "opportunity", &asked.opportunity);
        let name = complete(found, name)?;
        let page = PageRequest::<i32>::read(page_size, &token, TIMELINE_METHOD, &binding)?;
        let rows = list_timeline::execute(&self.app, &name, page.after.unwrap_or(0), page.limit()).await?;
        let page = Page::from_rows(rows, page.size);
        let next_page_token = page.next_token(|entry: &TimelineEntry| entry.number, TIMELINE_METHOD, &binding);
        let entries = page.items.iter().map(convert::entry).collect();
        Ok(Response::new(proto::ListTimelineResponse { entries, next_page_token }))
    }

    async fn list_stage_policies(
        &self,
        _request: Request<proto::ListStagePoliciesRequest>,
    ) -> Result<Response<proto::ListStagePoliciesResponse>, Status> {
        let policies = list_stage_policies::execute(&self.app).await?;
        let policies = policies.iter().map(convert::policy_message).collect();
        Ok(Response::new(proto::ListStagePoliciesResponse { policies }))
    }

    async fn set_stage_policy(
        &self,
        request: Request<proto::SetStagePolicyRequest>,
    ) -> Result<Response<proto::StagePolicy>, Status> {
        let asked = request.get_ref();
        let mutation = mutation(&request, method!("SetStagePolicy"), &asked.request_id, asked.validate_only)?;
        let asked = request.into_inner();
        let mut found = Violations::new();
        let policy = convert::policy(&mut found, asked.policy);
        let policy = complete(found, policy)?;
        Ok(Response::new(set_stage_policy::execute(&self.app, &mutation, &policy, convert::policy_message).await?))
    }
}
