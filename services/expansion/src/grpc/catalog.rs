//! `mainstay.expansion.v1.CatalogService`.

use mainstay_api::mainstay::expansion::v1 as proto;
use mainstay_api::mainstay::expansion::v1::catalog_service_server::CatalogService;
use mainstay_domain::{AccountId, Currency, Violations};
use mainstay_rpc::paging::{Page, PageRequest};
use mainstay_service::request::{mutation, page_binding};
use mainstay_service::wire::complete;
use tonic::{Request, Response, Status};

use crate::app::compare_plans::Comparison;
use crate::app::{App, compare_plans, create_plan, get_plan, list_plans, publish_plan};
use crate::convert::plan::{comparison, message, new_plan, optional_plan};
use crate::domain::{PlanName, SEATS_MAX};

const LIST_METHOD: &str = "ListPlans";

/// The service's RPCs over the use cases.
pub(crate) struct CatalogRpc {
    pub app: App,
}

#[tonic::async_trait]
impl CatalogService for CatalogRpc {
    async fn create_plan(&self, request: Request<proto::CreatePlanRequest>) -> Result<Response<proto::Plan>, Status> {
        let asked = request.get_ref();
        let method = "mainstay.expansion.v1.CatalogService/CreatePlan";
        let mutation = mutation(&request, method, &asked.request_id, asked.validate_only)?;
        let asked = request.into_inner();
        let mut found = Violations::new();
        let draft = new_plan(&mut found, &asked.plan_id, asked.plan);
        let draft = complete(found, draft)?;
        Ok(Response::new(create_plan::execute(&self.app, &mutation, &draft, message).await?))
    }

    async fn publish_plan(&self, request: Request<proto::PublishPlanRequest>) -> Result<Response<proto::Plan>, Status> {
        let asked = request.get_ref();
        let method = "mainstay.expansion.v1.CatalogService/PublishPlan";
        let mutation = mutation(&request, method, &asked.request_id, false)?;
        let mut found = Violations::new();
        let name = found.take("name", PlanName::parse(&asked.name));
        let has_version = name.as_ref().is_none_or(|name| name.version.is_some());
        found.require(has_version, "name", "must name a version: `plans/{plan}/versions/{version}`");
        let name = complete(found, name)?;
        Ok(Response::new(publish_plan::execute(&self.app, &mutation, &name, message).await?))
    }

    async fn get_plan(&self, request: Request<proto::GetPlanRequest>) -> Result<Response<proto::Plan>, Status> {
        let mut found = Violations::new();
        let name = found.take("name", PlanName::parse(&request.get_ref().name));
        let name = complete(found, name)?;
        Ok(Response::new(message(&get_plan::execute(&self.app, &name).await?)))
    }

    async fn list_plans(
        &self,
        request: Request<proto::ListPlansRequest>,
    ) -> Result<Response<proto::ListPlansResponse>, Status> {
        let mut asked = request.into_inner();
        let token = std::mem::take(&mut asked.page_token);
        let page_size = std::mem::take(&mut asked.page_size);
        let binding = page_binding(&asked);
        let page = PageRequest::<(String, i32)>::read(page_size, &token, LIST_METHOD, &binding)?;
        let after = page.after.as_ref().map(|(plan, version)| (plan.as_str(), *version));
        let rows = list_plans::execute(&self.app, asked.in_force_only, after, page.limit()).await?;
        let page = Page::from_rows(rows, page.size);
        let cursor = |plan: &crate::domain::Plan| (plan.draft.id.as_str().to_owned(), plan.version);
        let next_page_token = page.next_token(cursor, LIST_METHOD, &binding);
        Ok(Response::new(proto::ListPlansResponse { plans: page.items.iter().map(message).collect(), next_page_token }))
    }

    async fn compare_plans(
        &self,
        request: Request<proto::ComparePlansRequest>,
    ) -> Result<Response<proto::PlanComparison>, Status> {
        let asked = request.into_inner();
        let mut found = Violations::new();
        let account = found.take("account", AccountId::parse_name(&asked.account));
        let from = optional_plan(&mut found, "from_plan", &asked.from_plan);
        let to = optional_plan(&mut found, "to_plan", &asked.to_plan);
        found.require((0..=SEATS_MAX).contains(&asked.seats), "seats", format!("must be 0 to {SEATS_MAX}"));
        let currency = (!asked.currency_code.is_empty())
            .then(|| found.take("currency_code", Currency::parse(&asked.currency_code)))
            .flatten();
        let account = complete(found, account)?;
        let seats = (asked.seats > 0).then_some(asked.seats);
        let asked = Comparison { account, from, to, seats, currency };
        let (compared, now) = compare_plans::execute(&self.app, &asked).await?;
        Ok(Response::new(comparison(&asked.account, &compared, now)))
    }
}
