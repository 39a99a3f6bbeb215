//! Sends what payloads say of accounts.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use mainstay_adapters::{AccountNews, News};
use mainstay_api::mainstay::scoring::v1::account_service_client::AccountServiceClient;
use mainstay_api::mainstay::scoring::v1::{
    Account, BatchMode, BatchUpsertAccountsRequest, Contact, CreateAccountRequest, GetAccountRequest,
    UpdateAccountRequest,
};
use mainstay_clients::{ErrorReport, ServiceChannel, retrying};
use mainstay_domain::{IdSource, SystemClock};
use prost_types::FieldMask;
use tonic::{Code, Status};

use super::newest::Newest;
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
    client: AccountServiceClient<ServiceChannel>,
    ids: IdSource,
    newest: Newest,
    /// Accounts of which it is known that they exist.
    there: HashSet<String>,
}

impl<'a> AccountSender<'a> {
    /// A sender that knows of nothing yet.
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self {
            connection,
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
        let picked = self.newest.pick(all);
        let mut counts = AccountCounts { known: count(all.len() - picked.len()), ..AccountCounts::default() };
        let mut refused = Vec::new();
        let mut by_fields: BTreeMap<Vec<&'static str>, Vec<(usize, Account)>> = BTreeMap::new();
        let mut by_account: BTreeMap<String, Vec<(usize, Contact)>> = BTreeMap::new();
        for (place, AccountNews { account: id, news, .. }) in picked {
            match news {
                News::Exists(account) => match self.create(id.as_str(), account).await? {
                    Ok(true) => counts.added += 1,
                    Ok(false) => counts.known += 1,
                    Err(reason) => refused.push((place, reason)),
                },
                News::Fields { account, fields } => by_fields.entry(fields).or_default().push((place, account)),
                News::Contact(contact) => by_account.entry(id.name()).or_default().push((place, contact)),
            }
        }
        for (fields, accounts) in by_fields {
            self.upsert(&fields, accounts, &mut counts, &mut refused).await?;
        }
        for (name, people) in by_account {
            self.add_people(&name, &people, &mut counts, &mut refused).await?;
        }
        Ok((counts, refused))
    }

    /// Creates an account, unless there is one. The answer: whether it is new, or why it is refused.
    async fn create(&mut self, id: &str, account: Account) -> Result<Result<bool, String>, Failure> {
        if self.there.contains(id) {
            return Ok(Ok(false));
        }
        let request = CreateAccountRequest {
            account_id: id.to_owned(),
            account: Some(account),
            request_id: self.ids.new_id().to_string(),
            validate_only: false,
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
        fields: &[&'static str],
        accounts: Vec<(usize, Account)>,
        counts: &mut AccountCounts,
        refused: &mut Vec<Refused>,
    ) -> Result<(), Failure> {
        let (places, accounts): (Vec<usize>, Vec<Account>) = accounts.into_iter().unzip();
        let request = BatchUpsertAccountsRequest {
            accounts,
            mode: BatchMode::PerItem.into(),
            request_id: self.ids.new_id().to_string(),
            update_mask: Some(FieldMask { paths: fields.iter().map(|&field| field.to_owned()).collect() }),
        };
        let call = async || self.client.clone().batch_upsert_accounts(request.clone()).await;
        let answer = retrying(&self.connection.retries, call).await?.into_inner();
        counts.added += u64::try_from(answer.created_count).unwrap_or(0);
        counts.changed += u64::try_from(answer.updated_count).unwrap_or(0);
        counts.known += u64::try_from(answer.unchanged_count).unwrap_or(0);
        for error in &answer.errors {
            let place = usize::try_from(error.index).ok().and_then(|index| places.get(index));
            if let (Some(&place), Some(status)) = (place, &error.status) {
                refused.push((place, item_reason(status, error.index)));
            }
        }
        Ok(())
    }

    /// Adds people to an account's contacts, or replaces those with their ids.
    async fn add_people(
        &self,
        name: &str,
        people: &[(usize, Contact)],
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
    async fn try_to_add_people(&self, name: &str, people: &[(usize, Contact)]) -> Result<bool, Status> {
        let request = GetAccountRequest { name: name.to_owned() };
        let call = async || self.client.clone().get_account(request.clone()).await;
        let mut account = retrying(&self.connection.retries, call).await?.into_inner();
        let before = account.contacts.clone();
        for (_, person) in people {
            match account.contacts.iter_mut().find(|contact| contact.id == person.id) {
                // Whether somebody is a champion is for people to say.
                Some(known) => *known = Contact { champion: known.champion, ..person.clone() },
                None => account.contacts.push(person.clone()),
            }
        }
        if account.contacts == before {
            return Ok(false);
        }
        let request = UpdateAccountRequest {
            account: Some(account),
            update_mask: Some(FieldMask { paths: vec!["contacts".to_owned()] }),
            request_id: self.ids.new_id().to_string(),
            validate_only: false,
        };
        let call = async || self.client.clone().update_account(request.clone()).await;
        retrying(&self.connection.retries, call).await?;
        Ok(true)
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
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
