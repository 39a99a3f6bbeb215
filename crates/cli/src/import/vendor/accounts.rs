//! Sends what payloads say of accounts.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use mainstay_adapters::{AccountField, AccountNews, News, Vendor};
use mainstay_api::mainstay::scoring::v1::account_service_client::AccountServiceClient;
use mainstay_api::mainstay::scoring::v1::{
    Account, BatchMode, BatchUpsertAccountsRequest, CreateAccountRequest, GetAccountRequest, UpdateAccountRequest,
};
use mainstay_clients::{ErrorReport, ServiceChannel, retrying};
use mainstay_domain::{AccountId, IdSource, SystemClock};
use prost_types::FieldMask;
use tonic::{Code, Status};

use super::newest::Newest;
use super::said::{Fields, Said};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::import::ledger::{AccountCounts, item_reason};

/// How often an account's contacts are read again when somebody else changed it meanwhile.
const ATTEMPTS_MAX: u32 = 5;

/// What could not be taken: the payload by its place in the batch, and why.
pub(super) type Refused = (usize, String);

/// Sends what is said of accounts; remembers what was sent, so that nothing older is sent after it.
pub(super) struct AccountSender<'a> {
    connection: &'a Connection,
    vendor: Vendor,
    client: AccountServiceClient<ServiceChannel>,
    ids: IdSource,
    newest: Newest,
    /// Accounts of which it is known that they exist.
    there: HashSet<String>,
}

impl<'a> AccountSender<'a> {
    /// A sender that knows of nothing yet.
    pub(super) fn new(connection: &'a Connection, vendor: Vendor) -> Self {
        Self {
            connection,
            vendor,
            client: AccountServiceClient::new(connection.channel.clone()),
            ids: IdSource::new(Arc::new(SystemClock)),
            newest: Newest::default(),
            there: HashSet::new(),
        }
    }

    /// Sends the news of a batch: accounts before their fields, and these before people.
    pub(super) async fn send(
        &mut self,
        all: &[(usize, AccountNews)],
    ) -> Result<(AccountCounts, Vec<Refused>), Failure> {
        let mut by_account: BTreeMap<AccountId, Said> =
            all.iter().map(|(_, news)| (news.account.clone(), Said::default())).collect();
        for (place, news) in self.newest.pick(all) {
            by_account.entry(news.account).or_default().add(place, news.news);
        }
        let mut counts = AccountCounts::default();
        let mut refused = Vec::new();
        let mut by_fields: BTreeMap<BTreeSet<AccountField>, Vec<(AccountId, Fields)>> = BTreeMap::new();
        let mut people = Vec::new();
        for (id, said) in by_account {
            if said.is_empty() {
                counts.known += 1;
            }
            if let Some((place, display_name)) = said.exists {
                match self.create(id.as_str(), display_name).await? {
                    Ok(true) => counts.added += 1,
                    Ok(false) => counts.known += 1,
                    Err(reason) => refused.push((place, reason)),
                }
            }
            if !said.fields.which.is_empty() {
                by_fields.entry(said.fields.which.clone()).or_default().push((id.clone(), said.fields));
            }
            if !said.people.is_empty() {
                people.push((id, said.people));
            }
        }
        for (which, accounts) in by_fields {
            self.upsert(&which, accounts, &mut counts, &mut refused).await?;
        }
        for (id, news) in people {
            self.add_people(&id.name(), &news, &mut counts, &mut refused).await?;
        }
        Ok((counts, refused))
    }

    /// Creates an account, unless there is one. The answer: whether it is new, or why it is refused.
    async fn create(&mut self, id: &str, display_name: String) -> Result<Result<bool, String>, Failure> {
        if self.there.contains(id) {
            return Ok(Ok(false));
        }
        let request = CreateAccountRequest {
            account_id: id.to_owned(),
            account: Some(Account { display_name, ..Account::default() }),
            request_id: self.ids.new_id().to_string(),
            ..CreateAccountRequest::default()
        };
        let client = &self.client;
        let call = async || client.clone().create_account(request.clone()).await;
        let created = match retrying(&self.connection.retries, call).await {
            Ok(_) => true,
            Err(status) if status.code() == Code::AlreadyExists => false,
            Err(status) => return Ok(Err(refusal(status)?)),
        };
        self.there.insert(id.to_owned());
        Ok(Ok(created))
    }

    /// Changes the same fields of accounts, and creates those that are not there.
    async fn upsert(
        &self,
        which: &BTreeSet<AccountField>,
        said: Vec<(AccountId, Fields)>,
        counts: &mut AccountCounts,
        refused: &mut Vec<Refused>,
    ) -> Result<(), Failure> {
        let account =
            |(id, fields): (AccountId, Fields)| (fields.places, Account { name: id.name(), ..fields.account });
        let (places, accounts): (Vec<Vec<usize>>, Vec<Account>) = said.into_iter().map(account).unzip();
        let request = BatchUpsertAccountsRequest {
            accounts,
            mode: BatchMode::PerItem.into(),
            request_id: self.ids.new_id().to_string(),
            update_mask: Some(FieldMask { paths: which.iter().map(|field| field.as_str().to_owned()).collect() }),
            source: self.vendor.as_str().to_owned(),
        };
        let call = async || self.client.clone().batch_upsert_accounts(request.clone()).await;
        let answer = retrying(&self.connection.retries, call).await?.into_inner();
        counts.added += u64::try_from(answer.created_count).unwrap_or(0);
        counts.changed += u64::try_from(answer.updated_count).unwrap_or(0);
        counts.known += u64::try_from(answer.unchanged_count).unwrap_or(0);
        for error in &answer.errors {
            let places = usize::try_from(error.index).ok().and_then(|index| places.get(index));
            if let (Some(places), Some(status)) = (places, &error.status) {
                let reason = item_reason(status, error.index);
                refused.extend(places.iter().map(|place| (*place, reason.clone())));
            }
        }
        Ok(())
    }

    /// Adds people to an account's contacts, or changes what is said of those who are there.
    async fn add_people(
        &self,
        name: &str,
        people: &[(usize, News)],
        counts: &mut AccountCounts,
        refused: &mut Vec<Refused>,
    ) -> Result<(), Failure> {
        for attempt in 1..=ATTEMPTS_MAX {
            match self.try_to_add_people(name, people).await {
                Ok(true) => counts.changed += 1,
                Ok(false) => counts.known += 1,
                Err(status) if status.code() == Code::Aborted && attempt < ATTEMPTS_MAX => continue,
                Err(status) => {
                    let reason = refusal(status)?;
                    refused.extend(people.iter().map(|(place, _)| (*place, reason.clone())));
                }
            }
            return Ok(());
        }
        Ok(())
    }

    /// Whether the account was changed. It is left alone when somebody else changed it since it was read.
    async fn try_to_add_people(&self, name: &str, people: &[(usize, News)]) -> Result<bool, Status> {
        let request = GetAccountRequest { name: name.to_owned() };
        let call = async || self.client.clone().get_account(request.clone()).await;
        let mut account = retrying(&self.connection.retries, call).await?.into_inner();
        let before = account.contacts.clone();
        people.iter().for_each(|(_, news)| news.apply(&mut account));
        if account.contacts == before {
            return Ok(false);
        }
        let request = UpdateAccountRequest {
            account: Some(account),
            update_mask: Some(FieldMask { paths: vec!["contacts".to_owned()] }),
            request_id: self.ids.new_id().to_string(),
            ..UpdateAccountRequest::default()
        };
        let call = async || self.client.clone().update_account(request.clone()).await;
        retrying(&self.connection.retries, call).await?;
        Ok(true)
    }
}

/// Why a payload is refused; other failures end the import.
fn refusal(status: Status) -> Result<String, Failure> {
    match status.code() {
        Code::InvalidArgument | Code::NotFound | Code::FailedPrecondition | Code::Aborted => {
            Ok(ErrorReport::from(&status).one_line())
        }
        _ => Err(status.into()),
    }
}
