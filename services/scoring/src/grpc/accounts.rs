//! `mainstay.scoring.v1.AccountService`.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::account_service_server::AccountService;
use mainstay_domain::{AccountId, Violations};
use mainstay_rpc::paging::{Page, PageRequest};
use mainstay_rpc::{ApiError, field_mask};
use mainstay_service::request;
use tonic::{Request, Response, Status};

use crate::app::archive_account::{self, Archival};
use crate::app::upsert_accounts::{self, UpsertedAccounts};
use crate::app::{App, create_account, get_account, list_accounts, list_field_claims, update_account};
use crate::convert;
use crate::domain::account::{ACCOUNTS_BATCH_MAX, Account, GivenAccount};
use crate::domain::field_claim::Teller;
use mainstay_service::wire;

const LIST_METHOD: &str = "ListAccounts";

/// The service's RPCs over the use cases.
pub(crate) struct AccountRpc {
    pub app: App,
}

#[tonic::async_trait]
impl AccountService for AccountRpc {
    async fn create_account(
        &self,
        request: Request<proto::CreateAccountRequest>,
    ) -> Result<Response<proto::Account>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(
            &request,
            "mainstay.scoring.v1.AccountService/CreateAccount",
            &message.request_id,
            message.validate_only,
        )?;
        let (given, teller) = new_account(request.into_inner())?;
        let account =
            create_account::execute(&self.app, &mutation, &given, teller.as_ref(), convert::account::message).await?;
        Ok(Response::new(account))
    }

    async fn get_account(
        &self,
        request: Request<proto::GetAccountRequest>,
    ) -> Result<Response<proto::Account>, Status> {
        let id = account_id("name", &request.get_ref().name)?;
        let account = get_account::execute(&self.app, &id).await?;
        Ok(Response::new(convert::account::message(&account)))
    }

    async fn list_accounts(
        &self,
        request: Request<proto::ListAccountsRequest>,
    ) -> Result<Response<proto::ListAccountsResponse>, Status> {
        let mut message = request.into_inner();
        let token = std::mem::take(&mut message.page_token);
        let page_size = std::mem::take(&mut message.page_size);
        let binding = request::page_binding(&message);
        let filter = convert::account::filter(message.filter.unwrap_or_default()).map_err(ApiError::invalid)?;
        let page = PageRequest::<String>::read(page_size, &token, LIST_METHOD, &binding)?;
        let rows = list_accounts::execute(&self.app, &filter, page.after.as_deref(), page.limit()).await?;
        let page = Page::from_rows(rows, page.size);
        let next_page_token = page.next_token(|account| account.id.as_str().to_owned(), LIST_METHOD, &binding);
        let accounts = page.items.iter().map(convert::account::message).collect();
        Ok(Response::new(proto::ListAccountsResponse { accounts, next_page_token }))
    }

    async fn update_account(
        &self,
        request: Request<proto::UpdateAccountRequest>,
    ) -> Result<Response<proto::Account>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(
            &request,
            "mainstay.scoring.v1.AccountService/UpdateAccount",
            &message.request_id,
            message.validate_only,
        )?;
        let message = request.into_inner();
        let mut found = Violations::new();
        found.require(message.account.is_some(), "account", "is required");
        let given = message.account.unwrap_or_default();
        let fields = field_mask::resolve(message.update_mask.as_ref(), convert::account::UPDATABLE_FIELDS, || {
            convert::account::set_fields(&given)
        });
        let id = found.take("account.name", AccountId::parse_name(&given.name));
        let fields = fields.map_err(|faults| found.extend(faults)).ok();
        let teller = fields.as_ref().and_then(|fields| Teller::given(&mut found, message.source, fields));
        let (id, fields) = wire::complete(found, id.zip(fields))?;
        let etag = Some(given.etag.as_str()).filter(|etag| !etag.is_empty());
        let change = |stored: &Account| convert::account::patched(stored, &given, &fields);
        let account = update_account::execute(
            &self.app,
            &mutation,
            &id,
            etag,
            teller.as_ref(),
            change,
            convert::account::message,
        )
        .await?;
        Ok(Response::new(account))
    }

    async fn batch_upsert_accounts(
        &self,
        request: Request<proto::BatchUpsertAccountsRequest>,
    ) -> Result<Response<proto::BatchUpsertAccountsResponse>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(
            &request,
            "mainstay.scoring.v1.AccountService/BatchUpsertAccounts",
            &message.request_id,
            false,
        )?;
        let mut found = Violations::new();
        let all_or_nothing = convert::common::all_or_nothing(&mut found, message.mode);
        let size = message.accounts.len();
        found.require(
            (1..=ACCOUNTS_BATCH_MAX).contains(&size),
            "accounts",
            format!("has {size} entries, 1 to {ACCOUNTS_BATCH_MAX} are allowed"),
        );
        let known = convert::account::UPDATABLE_FIELDS;
        let fields = field_mask::resolve(message.update_mask.as_ref(), known, || known.to_vec());
        let fields = fields.map_err(|faults| found.extend(faults)).ok();
        let proto::BatchUpsertAccountsRequest { accounts, source, .. } = request.into_inner();
        let teller = fields.as_ref().and_then(|fields| Teller::given(&mut found, source, fields));
        let fields = wire::complete(found, fields)?;
        let items = convert::account::batch_items(&accounts);
        let facts = |place: usize, stored: Option<&Account>| {
            convert::account::upserted(items[place].id.as_ref(), stored, &accounts[place], &fields)
        };
        let answer =
            upsert_accounts::execute(&self.app, &mutation, &items, facts, all_or_nothing, teller.as_ref(), upserted)
                .await?;
        Ok(Response::new(answer))
    }

    async fn list_field_claims(
        &self,
        request: Request<proto::ListFieldClaimsRequest>,
    ) -> Result<Response<proto::ListFieldClaimsResponse>, Status> {
        let id = account_id("account", &request.get_ref().account)?;
        let claims = list_field_claims::execute(&self.app, &id).await?;
        let claims = claims.iter().map(convert::report::field_claim).collect();
        Ok(Response::new(proto::ListFieldClaimsResponse { claims }))
    }

    async fn archive_account(
        &self,
        request: Request<proto::ArchiveAccountRequest>,
    ) -> Result<Response<proto::Account>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(
            &request,
            "mainstay.scoring.v1.AccountService/ArchiveAccount",
            &message.request_id,
            false,
        )?;
        let id = account_id("name", &message.name)?;
        let etag = Some(message.etag.as_str()).filter(|etag| !etag.is_empty());
        let account =
            archive_account::execute(&self.app, &mutation, &id, etag, Archival::IntoArchive, convert::account::message)
                .await?;
        Ok(Response::new(account))
    }

    async fn unarchive_account(
        &self,
        request: Request<proto::UnarchiveAccountRequest>,
    ) -> Result<Response<proto::Account>, Status> {
        let message = request.get_ref();
        let mutation = request::mutation(
            &request,
            "mainstay.scoring.v1.AccountService/UnarchiveAccount",
            &message.request_id,
            false,
        )?;
        let id = account_id("name", &message.name)?;
        let etag = Some(message.etag.as_str()).filter(|etag| !etag.is_empty());
        let account = archive_account::execute(
            &self.app,
            &mutation,
            &id,
            etag,
            Archival::OutOfArchive,
            convert::account::message,
        )
        .await?;
        Ok(Response::new(account))
    }
}

fn account_id(field: &str, name: &str) -> Result<AccountId, ApiError> {
    let mut found = Violations::new();
    let id = found.take(field, AccountId::parse_name(name));
    wire::complete(found, id)
}

/// The account of a request, and who tells of it.
fn new_account(message: proto::CreateAccountRequest) -> Result<(GivenAccount, Option<Teller>), ApiError> {
    let mut found = Violations::new();
    let id = found.take("account_id", AccountId::parse(&message.account_id));
    let Some(account) = message.account else {
        found.add("account", "is required");
        return Err(ApiError::invalid(found));
    };
    if let Some(id) = &id {
        let name = id.name();
        let fits = account.name.is_empty() || account.name == name;
        found.require(fits, "account.name", format!("must be empty or `{name}`, as account_id says"));
    }
    let told = convert::account::set_fields(&account).into_iter().collect();
    let teller = Teller::given(&mut found, message.source, &told);
    let mut faults = Violations::new();
    let facts = convert::account::facts(&mut faults, id.as_ref(), account);
    found.absorb("account", faults);
    wire::complete(found, id.map(|id| (GivenAccount { id, facts }, teller)))
}

fn upserted(outcome: UpsertedAccounts) -> proto::BatchUpsertAccountsResponse {
    proto::BatchUpsertAccountsResponse {
        created_count: wire::count(outcome.created),
        updated_count: wire::count(outcome.updated),
        unchanged_count: wire::count(outcome.unchanged),
        errors: outcome
            .refused
            .into_iter()
            .map(|(index, error)| convert::common::item_error(index, ApiError::from(error)))
            .collect(),
    }
}
