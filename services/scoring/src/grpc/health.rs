//! `mainstay.scoring.v1.HealthService`.

use std::collections::HashSet;

use futures::StreamExt;
use futures::stream::BoxStream;
use mainstay_api::google::longrunning::Operation;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::health_service_server::HealthService;
use mainstay_domain::{AccountId, Violations, partition_of};
use mainstay_events::{Event, FeedBatch, FeedFilter, FeedReader, FeedStart};
use mainstay_rpc::ApiError;
use mainstay_rpc::paging::{Page, PageRequest};
use mainstay_service::request;
use prost::Name;
use tonic::{Request, Response, Status};

use super::operations;
use crate::app::list_health::{self, HistoryDays};
use crate::app::{App, explain_health, get_health};
use crate::convert;
use crate::domain::HealthCursor;
use mainstay_service::wire;

const LIST_METHOD: &str = "ListHealth";
const HISTORY_METHOD: &str = "GetHealthHistory";
const BATCH_MAX: usize = 1_000;

/// The service's RPCs over the use cases.
pub(crate) struct HealthRpc {
    pub app: App,
    pub feed: FeedReader,
}

#[tonic::async_trait]
impl HealthService for HealthRpc {
    async fn get_health(&self, request: Request<proto::GetHealthRequest>) -> Result<Response<proto::Health>, Status> {
        let message = request.into_inner();
        let mut found = Violations::new();
        let account = found.take("account", AccountId::parse_name(&message.account));
        let day = wire::day(&mut found, "day", &message.day);
        let account = wire::complete(found, account)?;
        let scored = get_health::execute(&self.app, &account, day).await?;
        Ok(Response::new(convert::health::health(&scored)))
    }

    async fn batch_get_health(
        &self,
        request: Request<proto::BatchGetHealthRequest>,
    ) -> Result<Response<proto::BatchGetHealthResponse>, Status> {
        let message = request.into_inner();
        let mut found = Violations::new();
        let accounts = account_names(&mut found, "accounts", &message.accounts, 1);
        let day = wire::day(&mut found, "day", &message.day);
        found.into_result(()).map_err(ApiError::invalid)?;
        let (scored, not_found) = get_health::execute_batch(&self.app, &accounts, day).await?;
        Ok(Response::new(proto::BatchGetHealthResponse {
            health: scored.iter().map(convert::health::health).collect(),
            not_found: not_found.iter().map(AccountId::name).collect(),
        }))
    }

    async fn list_health(
        &self,
        request: Request<proto::ListHealthRequest>,
    ) -> Result<Response<proto::ListHealthResponse>, Status> {
        let mut message = request.into_inner();
        let token = std::mem::take(&mut message.page_token);
        let page_size = std::mem::take(&mut message.page_size);
        let binding = request::page_binding(&message);
        let mut found = Violations::new();
        let filter = convert::health::filter(&mut found, &message.filter.unwrap_or_default());
        let order = convert::health::order(&mut found, message.order);
        found.into_result(()).map_err(ApiError::invalid)?;
        let page = PageRequest::<HealthCursor>::read(page_size, &token, LIST_METHOD, &binding)?;
        let rows = list_health::execute(&self.app, &filter, order, page.after.as_ref(), page.limit()).await?;
        let page = Page::from_rows(rows, page.size);
        let next_page_token = page.next_token(|scored| HealthCursor::after(&scored.view, order), LIST_METHOD, &binding);
        let health = page.items.iter().map(convert::health::health).collect();
        Ok(Response::new(proto::ListHealthResponse { health, next_page_token }))
    }

    async fn summarize_health(
        &self,
        request: Request<proto::SummarizeHealthRequest>,
    ) -> Result<Response<proto::HealthSummary>, Status> {
        let message = request.into_inner();
        let mut found = Violations::new();
        let filter = convert::health::filter(&mut found, &message.filter.unwrap_or_default());
        found.into_result(()).map_err(ApiError::invalid)?;
        let (summary, as_of) = list_health::summarize(&self.app, &filter).await?;
        Ok(Response::new(convert::health::summary(&summary, as_of)))
    }

    async fn get_health_history(
        &self,
        request: Request<proto::GetHealthHistoryRequest>,
    ) -> Result<Response<proto::GetHealthHistoryResponse>, Status> {
        let mut message = request.into_inner();
        let token = std::mem::take(&mut message.page_token);
        let page_size = std::mem::take(&mut message.page_size);
        let binding = request::page_binding(&message);
        let mut found = Violations::new();
        let account = found.take("account", AccountId::parse_name(&message.account));
        let start = wire::day(&mut found, "start_day", &message.start_day);
        let end = wire::day(&mut found, "end_day", &message.end_day);
        if let (Some(start), Some(end)) = (start, end) {
            found.require(start <= end, "end_day", "must not be before start_day");
        }
        let account = wire::complete(found, account)?;
        let page = PageRequest::read(page_size, &token, HISTORY_METHOD, &binding)?;
        let days = HistoryDays { start, end, before: page.after };
        let rows = list_health::history(&self.app, &account, days, page.limit()).await?;
        let page = Page::from_rows(rows, page.size);
        let next_page_token = page.next_token(|scored| scored.view.record.day, HISTORY_METHOD, &binding);
        let health = page.items.iter().map(convert::health::health).collect();
        Ok(Response::new(proto::GetHealthHistoryResponse { health, next_page_token }))
    }

    async fn explain_health(
        &self,
        request: Request<proto::ExplainHealthRequest>,
    ) -> Result<Response<proto::HealthExplanation>, Status> {
        let message = request.into_inner();
        let mut found = Violations::new();
        let account = found.take("account", AccountId::parse_name(&message.account));
        let day = wire::day(&mut found, "day", &message.day);
        let compare_day = wire::day(&mut found, "compare_day", &message.compare_day);
        if let (Some(day), Some(compare_day)) = (day, compare_day) {
            found.require(compare_day < day, "compare_day", "must be before day");
        }
        let account = wire::complete(found, account)?;
        let explained = explain_health::execute(&self.app, &account, day, compare_day).await?;
        Ok(Response::new(convert::health::explanation(&explained)))
    }

    type WatchHealthStream = BoxStream<'static, Result<proto::WatchHealthResponse, Status>>;

    async fn watch_health(
        &self,
        request: Request<proto::WatchHealthRequest>,
    ) -> Result<Response<Self::WatchHealthStream>, Status> {
        let message = request.into_inner();
        let mut found = Violations::new();
        let accounts = account_names(&mut found, "accounts", &message.accounts, 0);
        found.into_result(()).map_err(ApiError::invalid)?;
        let start = match (message.cursor, message.from_oldest) {
            (cursor, _) if !cursor.is_empty() => FeedStart::Cursor(cursor),
            (_, true) => FeedStart::Oldest,
            (_, false) => FeedStart::Now,
        };
        let mut partitions: Vec<i16> = accounts.iter().map(|account| partition_of(account.as_str())).collect();
        partitions.sort_unstable();
        partitions.dedup();
        let filter = FeedFilter { types: vec![proto::HealthChanged::full_name()], partitions };
        let batches = self.feed.subscribe(start, filter, message.until_now).await?;
        let watched: HashSet<String> = accounts.iter().map(AccountId::name).collect();
        Ok(Response::new(batches.map(move |batch| Ok(changes(batch?, &watched)?)).boxed()))
    }

    async fn recompute_health(
        &self,
        request: Request<proto::RecomputeHealthRequest>,
    ) -> Result<Response<Operation>, Status> {
        operations::recompute_health(&self.app, request).await
    }
}

fn changes(batch: FeedBatch, watched: &HashSet<String>) -> Result<proto::WatchHealthResponse, ApiError> {
    let change = |event: &Event| -> Result<Option<proto::HealthChange>, ApiError> {
        event.decode::<proto::HealthChanged>().map(|changed| changed.change).map_err(ApiError::internal)
    };
    let mut changes = Vec::new();
    for event in &batch.events {
        changes.extend(change(event)?.filter(|change| watched.is_empty() || watched.contains(&change.account)));
    }
    Ok(proto::WatchHealthResponse { changes, cursor: batch.cursor })
}

/// Distinct names of accounts, `least` to 1 000 of them.
fn account_names(found: &mut Violations, field: &str, given: &[String], least: usize) -> Vec<AccountId> {
    found.require(
        (least..=BATCH_MAX).contains(&given.len()),
        field,
        format!("has {} entries, {least} to {BATCH_MAX} are allowed", given.len()),
    );
    let mut seen = HashSet::new();
    let mut accounts = Vec::with_capacity(given.len().min(BATCH_MAX));
    for (index, name) in given.iter().enumerate().take(BATCH_MAX) {
        let place = format!("{field}[{index}]");
        found.require(seen.insert(name), &place, "is given twice");
        accounts.extend(found.take(&place, AccountId::parse_name(name)));
    }
    accounts
}
