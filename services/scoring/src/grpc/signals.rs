//! `mainstay.scoring.v1.SignalService`.

use std::pin::Pin;

use futures::{Stream, StreamExt, stream};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::signal_service_server::SignalService;
use mainstay_domain::{AccountId, Violations};
use mainstay_rpc::paging::{Page, PageRequest};
use mainstay_rpc::{ApiError, caller};
use mainstay_service::request;
use mainstay_storage::fingerprint;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use crate::app::record_signals::{self, Item, RecordedSignals};
use crate::app::withdraw_signals::{self, WithdrawnSignals};
use crate::app::{App, Mutation, list_signals};
use crate::convert;
use crate::domain::account::KEY_RULE;
use crate::domain::signal::{BATCH_MAX, SignalCursor, SignalFilter};
use mainstay_service::wire;

/// Batches of one stream that are under way at once.
const STREAM_BATCHES_MAX: usize = 4;
const LIST_METHOD: &str = "ListSignals";

/// The service's RPCs over the use cases.
pub(crate) struct SignalRpc {
    pub app: App,
    /// Cancelled when open streams are to end.
    pub streams_cancelled: CancellationToken,
}

#[tonic::async_trait]
impl SignalService for SignalRpc {
    async fn batch_record_signals(
        &self,
        request: Request<proto::BatchRecordSignalsRequest>,
    ) -> Result<Response<proto::BatchRecordSignalsResponse>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(
            &request,
            "mainstay.scoring.v1.SignalService/BatchRecordSignals",
            &message.request_id,
            message.validate_only,
        )?;
        let mut found = Violations::new();
        let all_or_nothing = convert::common::all_or_nothing(&mut found, message.mode);
        check_batch_size(&mut found, message.signals.len());
        found.into_result(()).map_err(ApiError::invalid)?;
        let items = items(&self.app, request.into_inner().signals);
        let recorded = record_signals::execute(&self.app, &mutation, &items, all_or_nothing, answer).await?;
        Ok(Response::new(recorded))
    }

    type StreamSignalsStream = Pin<Box<dyn Stream<Item = Result<proto::StreamSignalsResponse, Status>> + Send>>;

    async fn stream_signals(
        &self,
        request: Request<Streaming<proto::StreamSignalsRequest>>,
    ) -> Result<Response<Self::StreamSignalsStream>, Status> {
        let app = self.app.clone();
        let batches = numbered(request.into_inner());
        // A batch that cannot be read stands in line, so that those before it are still acknowledged.
        let answers = batches
            .map(move |batch| {
                let app = app.clone();
                async move { record_batch(app, batch?).await }
            })
            .buffered(STREAM_BATCHES_MAX);
        let cancelled = self.streams_cancelled.clone();
        let until_shutdown = answers.take_until(cancelled.clone().cancelled_owned()).chain(
            stream::once(async move { cancelled.is_cancelled() }).filter_map(async |is_cancelled| {
                is_cancelled
                    .then(|| Err(wire::shutting_down("send again from the first batch that was not acknowledged")))
            }),
        );
        Ok(Response::new(Box::pin(until_shutdown)))
    }

    async fn withdraw_signals(
        &self,
        request: Request<proto::WithdrawSignalsRequest>,
    ) -> Result<Response<proto::WithdrawSignalsResponse>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(
            &request,
            "mainstay.scoring.v1.SignalService/WithdrawSignals",
            &message.request_id,
            message.validate_only,
        )?;
        let ids = convert::signal::withdrawn_ids(message).map_err(ApiError::invalid)?;
        let caller = caller(&request).identity;
        let answer = |done: WithdrawnSignals| proto::WithdrawSignalsResponse {
            withdrawn_count: wire::count(done.withdrawn),
            already_withdrawn_count: wire::count(done.already_withdrawn),
            first_day: done.first_day.map(|day| day.to_string()).unwrap_or_default(),
        };
        let withdrawn = withdraw_signals::execute(&self.app, &mutation, &ids, &caller, answer).await?;
        Ok(Response::new(withdrawn))
    }

    async fn list_signals(
        &self,
        request: Request<proto::ListSignalsRequest>,
    ) -> Result<Response<proto::ListSignalsResponse>, Status> {
        let mut message = request.into_inner();
        let token = std::mem::take(&mut message.page_token);
        let page_size = std::mem::take(&mut message.page_size);
        let binding = request::page_binding(&message);
        let mut found = Violations::new();
        let account = found.take("parent", AccountId::parse_name(&message.parent));
        let filter = SignalFilter {
            start: wire::time(&mut found, "start_time", message.start_time.as_ref()),
            end: wire::time(&mut found, "end_time", message.end_time.as_ref()),
            source: (!message.source.is_empty()).then_some(message.source),
            kinds: convert::signal::kinds(&mut found, "kinds", &message.kinds),
            exclude_withdrawn: message.exclude_withdrawn,
        };
        if let (Some(start), Some(end)) = (filter.start, filter.end) {
            found.require(start < end, "end_time", "must be after start_time");
        }
        if let Some(source) = &filter.source {
            found.require(mainstay_domain::is_key(source), "source", KEY_RULE);
        }
        let account = wire::complete(found, account)?;
        let page = PageRequest::<SignalCursor>::read(page_size, &token, LIST_METHOD, &binding)?;
        let rows = list_signals::execute(&self.app, &account, &filter, page.after.as_ref(), page.limit()).await?;
        let page = Page::from_rows(rows, page.size);
        let next_page_token = page.next_token(SignalCursor::after, LIST_METHOD, &binding);
        let signals = page.items.into_iter().map(convert::signal::message).collect();
        Ok(Response::new(proto::ListSignalsResponse { signals, next_page_token }))
    }
}

fn items(app: &App, signals: Vec<proto::Signal>) -> Vec<Item> {
    let now = app.core.clock.now();
    signals.into_iter().map(|signal| convert::signal::signal(signal, now)).enumerate().collect()
}

fn check_batch_size(found: &mut Violations, size: usize) {
    found.require(
        (1..=BATCH_MAX).contains(&size),
        "signals",
        format!("has {size} entries, 1 to {BATCH_MAX} are allowed"),
    );
}

/// The batches of a stream, checked one against the other: numbers rise, sizes
/// fit. Ends after the first that is wrong.
fn numbered(
    requests: Streaming<proto::StreamSignalsRequest>,
) -> impl Stream<Item = Result<proto::StreamSignalsRequest, Status>> + Send {
    stream::try_unfold((requests, 0), async |(mut requests, last_sequence)| {
        let Some(batch) = requests.message().await? else { return Ok(None) };
        let mut found = Violations::new();
        found.require(
            batch.sequence > last_sequence,
            "sequence",
            format!("is {} after {last_sequence}: it must be above 0 and rise", batch.sequence),
        );
        check_batch_size(&mut found, batch.signals.len());
        let batch = found.into_result(batch).map_err(ApiError::invalid)?;
        let sequence = batch.sequence;
        Ok(Some((batch, (requests, sequence))))
    })
}

async fn record_batch(app: App, batch: proto::StreamSignalsRequest) -> Result<proto::StreamSignalsResponse, Status> {
    let items = items(&app, batch.signals);
    let mutation = Mutation { key: None, fingerprint: fingerprint(&[]), validate_only: false };
    let recorded = record_signals::execute(&app, &mutation, &items, false, answer).await?;
    Ok(proto::StreamSignalsResponse {
        sequence: batch.sequence,
        recorded_count: recorded.recorded_count,
        duplicate_count: recorded.duplicate_count,
        errors: recorded.errors,
    })
}

fn answer(recorded: RecordedSignals) -> proto::BatchRecordSignalsResponse {
    proto::BatchRecordSignalsResponse {
        recorded_count: wire::count(recorded.recorded),
        duplicate_count: wire::count(recorded.duplicates),
        errors: recorded
            .refused
            .into_iter()
            .map(|(index, error)| convert::common::item_error(index, ApiError::from(error)))
            .collect(),
    }
}
