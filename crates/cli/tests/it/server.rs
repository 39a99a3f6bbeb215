//! A small stand-in for scoring: keeps accounts and signals in memory, and
//! refuses, cuts and answers as a test asks.

use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::Stream;
use mainstay_api::google::longrunning::Operation;
use mainstay_api::google::rpc;
use mainstay_api::mainstay::scoring::v1::account_service_server::{AccountService, AccountServiceServer};
use mainstay_api::mainstay::scoring::v1::health_service_server::{HealthService, HealthServiceServer};
use mainstay_api::mainstay::scoring::v1::signal_service_server::{SignalService, SignalServiceServer};
use mainstay_api::mainstay::scoring::v1::{
    Account, ArchiveAccountRequest, Band, BandCount, BatchGetHealthRequest, BatchGetHealthResponse, BatchMode,
    BatchRecordSignalsRequest, BatchRecordSignalsResponse, BatchUpsertAccountsRequest, BatchUpsertAccountsResponse,
    CreateAccountRequest, ExplainHealthRequest, GetAccountRequest, GetHealthHistoryRequest, GetHealthHistoryResponse,
    GetHealthRequest, Health, HealthExplanation, HealthFilter, HealthSummary, ItemError, ListAccountsRequest,
    ListAccountsResponse, ListFieldClaimsRequest, ListFieldClaimsResponse, ListHealthRequest, ListHealthResponse,
    ListSignalsRequest, ListSignalsResponse, RecomputeHealthRequest, StreamSignalsRequest, StreamSignalsResponse,
    SummarizeHealthRequest, UnarchiveAccountRequest, UpdateAccountRequest, WatchHealthRequest, WatchHealthResponse,
    WithdrawSignalsRequest, WithdrawSignalsResponse,
};
use prost::{Message as _, Name as _};
use prost_reflect::{DescriptorPool, DynamicMessage};
use tokio::net::TcpListener;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Code, Request, Response, Status, Streaming, async_trait};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

/// What the server knows, and what it is to do wrong.
#[derive(Default)]
pub(crate) struct State {
    /// By name.
    pub(crate) accounts: BTreeMap<String, Account>,
    /// By account, source and source id.
    pub(crate) signals: HashSet<(String, String, String)>,
    /// Sequences of all batches of signals that arrived, over all streams.
    pub(crate) sequences: Vec<i64>,
    /// Sizes of all batches of accounts that arrived.
    pub(crate) account_batches: Vec<usize>,
    /// The fields that each of these batches was to change.
    pub(crate) account_masks: Vec<Vec<String>>,
    /// End the stream with `UNAVAILABLE` instead of acknowledging this batch,
    /// once, although it is recorded.
    pub(crate) cut_at: Option<i64>,
    /// Answer so many batches of accounts with `UNAVAILABLE` first.
    pub(crate) unavailable_batches: u32,
    /// Health, worst first.
    pub(crate) health: Vec<Health>,
    /// What `WatchHealth` sends, an answer each; a request with a cursor gets
    /// those behind it.
    pub(crate) changes: Vec<WatchHealthResponse>,
    /// Cursors that `WatchHealth` was asked to go on from.
    pub(crate) watched_from: Vec<String>,
    /// End the next `WatchHealth` with this, once, before it sends anything.
    pub(crate) watch_end: Option<Status>,
    /// What the last `ListHealth` asked for.
    pub(crate) health_filter: Option<HealthFilter>,
}

/// The server's address, and what it knows.
#[derive(Clone)]
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl TestServer {
    /// Serves until the test's runtime ends.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let state = Arc::new(Mutex::new(State::default()));
        let service = Service { state: state.clone() };
        let (_reporter, health) = tonic_health::server::health_reporter();
        let server = tonic::transport::Server::builder()
            .add_service(AccountServiceServer::new(service.clone()))
            .add_service(SignalServiceServer::new(service.clone()))
            .add_service(HealthServiceServer::new(service))
            .add_service(health)
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(server);
        Self { address, state }
    }

    /// What the server knows.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone)]
struct Service {
    state: Arc<Mutex<State>>,
}

impl Service {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The account that `given` makes of a stored one whose fields of a mask it changes.
fn changed(stored: &Account, given: &Account, fields: &[String]) -> Account {
    let pool = DescriptorPool::decode(mainstay_api::FILE_DESCRIPTOR_SET).expect("descriptors");
    let descriptor = pool.get_message_by_name(&Account::full_name()).expect("accounts");
    let dynamic = |account: &Account| {
        DynamicMessage::decode(descriptor.clone(), account.encode_to_vec().as_slice()).expect("an account")
    };
    let (mut changed, given) = (dynamic(stored), dynamic(given));
    for field in fields {
        let field = descriptor.get_field_by_name(field).expect("a field");
        changed.set_field(&field, given.get_field(&field).into_owned());
        if !given.has_field(&field) {
            changed.clear_field(&field);
        }
    }
    changed.transcode_to().expect("an account")
}

/// A refusal with details, as the services give it.
fn refusal(code: Code, reason: &str, message: &str, field: &str) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, "scoring.mainstay", []);
    details.set_request_info("request-1", "");
    if !field.is_empty() {
        details.set_bad_request([FieldViolation::new(field, message)]);
    }
    Status::with_error_details(code, message, details)
}

fn item_error(index: usize, status: &Status) -> ItemError {
    let status = rpc::Status::decode(status.details()).expect("a status with details");
    ItemError { index: i32::try_from(index).expect("small"), status: Some(status) }
}

/// The end of a stream with the cursor to go on from.
pub(crate) fn stream_end(code: Code, reason: &str, cursor: &str) -> Status {
    let metadata = [("cursor".to_owned(), cursor.to_owned())];
    Status::with_error_details(code, "ended", ErrorDetails::with_error_info(reason, "mainstay", metadata))
}

fn unserved<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("not in this test"))
}

#[async_trait]
impl AccountService for Service {
    async fn batch_upsert_accounts(
        &self,
        request: Request<BatchUpsertAccountsRequest>,
    ) -> Result<Response<BatchUpsertAccountsResponse>, Status> {
        let request = request.into_inner();
        assert!(!request.request_id.is_empty(), "a repeatable request has an id");
        assert_eq!(request.mode(), BatchMode::PerItem);
        let mut state = self.state();
        if state.unavailable_batches > 0 {
            state.unavailable_batches -= 1;
            return Err(Status::unavailable("starting"));
        }
        let mask = request.update_mask.unwrap_or_default().paths;
        state.account_batches.push(request.accounts.len());
        state.account_masks.push(mask.clone());
        let mut answer = BatchUpsertAccountsResponse::default();
        for (index, account) in request.accounts.into_iter().enumerate() {
            if account.display_name == "refused" {
                let field = format!("accounts[{index}].display_name");
                let status = refusal(Code::InvalidArgument, "INVALID_FIELDS", "must be another", &field);
                answer.errors.push(item_error(index, &status));
                continue;
            }
            let Some(stored) = state.accounts.get_mut(&account.name) else {
                answer.created_count += 1;
                state.accounts.insert(account.name.clone(), account);
                continue;
            };
            let changed = changed(stored, &account, &mask);
            if *stored == changed {
                answer.unchanged_count += 1;
            } else {
                answer.updated_count += 1;
                *stored = changed;
            }
        }
        Ok(Response::new(answer))
    }

    async fn create_account(&self, _: Request<CreateAccountRequest>) -> Result<Response<Account>, Status> {
        unserved()
    }

    async fn get_account(&self, request: Request<GetAccountRequest>) -> Result<Response<Account>, Status> {
        let name = request.into_inner().name;
        let missing = || refusal(Code::NotFound, "ACCOUNT_NOT_FOUND", &format!("there is no account `{name}`"), "");
        self.state().accounts.get(&name).cloned().map(Response::new).ok_or_else(missing)
    }

    async fn list_accounts(&self, _: Request<ListAccountsRequest>) -> Result<Response<ListAccountsResponse>, Status> {
        unserved()
    }

    async fn update_account(&self, _: Request<UpdateAccountRequest>) -> Result<Response<Account>, Status> {
        unserved()
    }

    async fn list_field_claims(
        &self,
        _: Request<ListFieldClaimsRequest>,
    ) -> Result<Response<ListFieldClaimsResponse>, Status> {
        unserved()
    }

    async fn archive_account(&self, _: Request<ArchiveAccountRequest>) -> Result<Response<Account>, Status> {
        unserved()
    }

    async fn unarchive_account(&self, _: Request<UnarchiveAccountRequest>) -> Result<Response<Account>, Status> {
        unserved()
    }
}

impl Service {
    fn record(&self, batch: StreamSignalsRequest) -> Result<StreamSignalsResponse, Status> {
        let mut state = self.state();
        state.sequences.push(batch.sequence);
        let mut answer = StreamSignalsResponse { sequence: batch.sequence, ..StreamSignalsResponse::default() };
        for (index, signal) in batch.signals.into_iter().enumerate() {
            if signal.account == "accounts/unknown" {
                let status = refusal(Code::NotFound, "ACCOUNT_NOT_FOUND", "there is no account `accounts/unknown`", "");
                answer.errors.push(item_error(index, &status));
            } else if state.signals.insert((signal.account, signal.source, signal.source_id)) {
                answer.recorded_count += 1;
            } else {
                answer.duplicate_count += 1;
            }
        }
        if state.cut_at == Some(batch.sequence) {
            state.cut_at = None;
            return Err(Status::unavailable("cut"));
        }
        Ok(answer)
    }
}

#[async_trait]
impl SignalService for Service {
    type StreamSignalsStream = ReceiverStream<Result<StreamSignalsResponse, Status>>;

    async fn stream_signals(
        &self,
        request: Request<Streaming<StreamSignalsRequest>>,
    ) -> Result<Response<Self::StreamSignalsStream>, Status> {
        let mut batches = request.into_inner();
        let (answers, stream) = tokio::sync::mpsc::channel(1);
        let service = self.clone();
        tokio::spawn(async move {
            while let Ok(Some(batch)) = batches.message().await {
                let answer = service.record(batch);
                let is_cut = answer.is_err();
                if answers.send(answer).await.is_err() || is_cut {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn batch_record_signals(
        &self,
        _: Request<BatchRecordSignalsRequest>,
    ) -> Result<Response<BatchRecordSignalsResponse>, Status> {
        unserved()
    }

    async fn withdraw_signals(
        &self,
        _: Request<WithdrawSignalsRequest>,
    ) -> Result<Response<WithdrawSignalsResponse>, Status> {
        unserved()
    }

    async fn list_signals(&self, _: Request<ListSignalsRequest>) -> Result<Response<ListSignalsResponse>, Status> {
        unserved()
    }
}

#[async_trait]
impl HealthService for Service {
    type WatchHealthStream = Pin<Box<dyn Stream<Item = Result<WatchHealthResponse, Status>> + Send>>;

    async fn list_health(&self, request: Request<ListHealthRequest>) -> Result<Response<ListHealthResponse>, Status> {
        let request = request.into_inner();
        let mut state = self.state();
        state.health_filter = request.filter;
        let start: usize = request.page_token.parse().unwrap_or(0);
        let size = usize::try_from(request.page_size).expect("not negative").min(2);
        let health: Vec<Health> = state.health.iter().skip(start).take(size).cloned().collect();
        let next = start + health.len();
        let next_page_token = if next < state.health.len() { next.to_string() } else { String::new() };
        Ok(Response::new(ListHealthResponse { health, next_page_token }))
    }

    async fn get_health(&self, request: Request<GetHealthRequest>) -> Result<Response<Health>, Status> {
        let account = request.into_inner().account;
        let missing = || refusal(Code::NotFound, "ACCOUNT_NOT_FOUND", &format!("there is no account `{account}`"), "");
        self.state()
            .health
            .iter()
            .find(|health| health.account == account)
            .cloned()
            .map(Response::new)
            .ok_or_else(missing)
    }

    async fn summarize_health(&self, _: Request<SummarizeHealthRequest>) -> Result<Response<HealthSummary>, Status> {
        let account_count = i64::try_from(self.state().health.len()).expect("small");
        let bands = vec![BandCount { band: Band::AtRisk.into(), account_count, arr: Vec::new() }];
        let as_of_time = Some(prost_types::Timestamp { seconds: 1_780_272_000, nanos: 0 });
        Ok(Response::new(HealthSummary {
            bands,
            account_count,
            mean_score: Some(60.0),
            as_of_time,
            ..HealthSummary::default()
        }))
    }

    async fn watch_health(
        &self,
        request: Request<WatchHealthRequest>,
    ) -> Result<Response<Self::WatchHealthStream>, Status> {
        let request = request.into_inner();
        let mut state = self.state();
        state.watched_from.push(request.cursor.clone());
        if let Some(end) = state.watch_end.take() {
            return Ok(Response::new(Box::pin(futures::stream::iter([Err(end)]))));
        }
        let seen = state.changes.iter().position(|answer| answer.cursor == request.cursor).map_or(0, |place| place + 1);
        let mut answers: Vec<_> = state.changes[seen..].iter().cloned().map(Ok).collect();
        if seen == 0 && answers.len() > 1 {
            answers.truncate(1);
            answers.push(Err(Status::unavailable("cut")));
        }
        Ok(Response::new(Box::pin(futures::stream::iter(answers))))
    }

    async fn batch_get_health(
        &self,
        request: Request<BatchGetHealthRequest>,
    ) -> Result<Response<BatchGetHealthResponse>, Status> {
        let state = self.state();
        let mut answer = BatchGetHealthResponse::default();
        for account in request.into_inner().accounts {
            match state.health.iter().find(|health| health.account == account) {
                Some(health) => answer.health.push(health.clone()),
                None => answer.not_found.push(account),
            }
        }
        Ok(Response::new(answer))
    }

    async fn get_health_history(
        &self,
        _: Request<GetHealthHistoryRequest>,
    ) -> Result<Response<GetHealthHistoryResponse>, Status> {
        unserved()
    }

    async fn explain_health(&self, _: Request<ExplainHealthRequest>) -> Result<Response<HealthExplanation>, Status> {
        unserved()
    }

    async fn recompute_health(&self, _: Request<RecomputeHealthRequest>) -> Result<Response<Operation>, Status> {
        unserved()
    }
}
