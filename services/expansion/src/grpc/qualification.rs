//! `mainstay.expansion.v1.QualificationService`.

use chrono::NaiveDate;
use mainstay_api::mainstay::expansion::v1 as proto;
use mainstay_api::mainstay::expansion::v1::qualification_service_server::QualificationService;
use mainstay_domain::{Violations, is_key};
use mainstay_rpc::ApiError;
use mainstay_rpc::paging::{Page, PageRequest};
use mainstay_service::request::{mutation, page_binding};
use mainstay_service::wire::{complete, enum_values};
use tonic::{Request, Response, Status};

use crate::app::{App, explain_candidate, get_review, list_candidates, list_reviews, start_review};
use crate::convert::opportunity::optional_account;
use crate::convert::qualification as convert;
use crate::domain::{Candidate, CandidateCursor, CandidateFilter, Month, Review};

const LIST_REVIEWS: &str = "ListReviews";
const LIST_CANDIDATES: &str = "ListCandidates";

/// The service's RPCs over the use cases.
pub(crate) struct QualificationRpc {
    pub app: App,
}

#[tonic::async_trait]
impl QualificationService for QualificationRpc {
    async fn run_review(&self, request: Request<proto::RunReviewRequest>) -> Result<Response<proto::Review>, Status> {
        let asked = request.get_ref();
        let method = "mainstay.expansion.v1.QualificationService/RunReview";
        let mutation = mutation(&request, method, &asked.request_id, false)?;
        let mut found = Violations::new();
        let month = convert::optional_month(&mut found, "month", &asked.month);
        found.into_result(()).map_err(ApiError::invalid)?;
        Ok(Response::new(start_review::execute(&self.app, &mutation, month, convert::review).await?))
    }

    async fn get_review(&self, request: Request<proto::GetReviewRequest>) -> Result<Response<proto::Review>, Status> {
        let mut found = Violations::new();
        let month = found.take("name", convert::parse_review_name(&request.get_ref().name));
        let month = complete(found, month)?;
        let review = get_review::execute(&self.app, month).await?;
        Ok(Response::new(convert::review(&review, self.app.core.clock.now())))
    }

    async fn list_reviews(
        &self,
        request: Request<proto::ListReviewsRequest>,
    ) -> Result<Response<proto::ListReviewsResponse>, Status> {
        let mut asked = request.into_inner();
        let token = std::mem::take(&mut asked.page_token);
        let page_size = std::mem::take(&mut asked.page_size);
        let binding = page_binding(&asked);
        let page = PageRequest::<NaiveDate>::read(page_size, &token, LIST_REVIEWS, &binding)?;
        let rows = list_reviews::execute(&self.app, page.after.map(Month::of_day), page.limit()).await?;
        let page = Page::from_rows(rows, page.size);
        let next_page_token = page.next_token(|review: &Review| review.month.first_day(), LIST_REVIEWS, &binding);
        let now = self.app.core.clock.now();
        let reviews = page.items.iter().map(|review| convert::review(review, now)).collect();
        Ok(Response::new(proto::ListReviewsResponse { reviews, next_page_token }))
    }

    async fn list_candidates(
        &self,
        request: Request<proto::ListCandidatesRequest>,
    ) -> Result<Response<proto::ListCandidatesResponse>, Status> {
        let mut asked = request.into_inner();
        let token = std::mem::take(&mut asked.page_token);
        let page_size = std::mem::take(&mut asked.page_size);
        let binding = page_binding(&asked);
        let mut found = Violations::new();
        let account = optional_account(&mut found, "account", &asked.account);
        let states = enum_values(&mut found, "states", &asked.states, "state of a candidate", convert::state_of_number);
        let metric = Some(asked.metric).filter(|metric| !metric.is_empty());
        let is_metric = metric.as_ref().is_none_or(|metric| is_key(metric));
        found.require(is_metric, "metric", "must match `[a-z0-9][a-z0-9_.-]{0,62}`");
        let filter = complete(found, Some(CandidateFilter { account, states, metric }))?;
        let page = PageRequest::<CandidateCursor>::read(page_size, &token, LIST_CANDIDATES, &binding)?;
        let rows = list_candidates::execute(&self.app, &filter, page.after.as_ref(), page.limit()).await?;
        let page = Page::from_rows(rows, page.size);
        let next_page_token = page.next_token(Candidate::cursor, LIST_CANDIDATES, &binding);
        let candidates = page.items.iter().map(convert::candidate).collect();
        Ok(Response::new(proto::ListCandidatesResponse { candidates, next_page_token }))
    }

    async fn explain_candidate(
        &self,
        request: Request<proto::ExplainCandidateRequest>,
    ) -> Result<Response<proto::ExplainCandidateResponse>, Status> {
        let mut found = Violations::new();
        let name = found.take("name", convert::parse_candidate_name(&request.get_ref().name));
        let (account, metric) = complete(found, name)?;
        let (candidate, months) = explain_candidate::execute(&self.app, &account, &metric).await?;
        Ok(Response::new(convert::explanation(&candidate, &months)))
    }
}
