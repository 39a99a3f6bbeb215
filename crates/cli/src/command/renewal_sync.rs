//! `mainstay renewals sync`: open renewals as a file for sales tools, all of them first, then what changed and what is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::account_service_client::AccountServiceClient;
use mainstay_clients::retrying;
use tonic::Code;

use crate::command::renewal_changes::{Key, Known, Readers};
use crate::command::renewals::{client, expectation};
use crate::connection::Connection;
use crate::csv::{csv_line, figure};
use crate::failure::Failure;
use crate::money;
use crate::output::{Output, note, to_json};
use crate::sync_file::{Places, SyncArguments, SyncFile};
use crate::words::{band, id_of, segment, time_text};

/// Most renewals that are listed at once.
const PAGE_SIZE: i32 = 1_000;
/// Accounts that are looked at again at once: so few that all their renewals stand in a page, which is of one moment.
const ACCOUNTS_AT_ONCE: usize = 100;
const COLUMNS: [&str; 24] = [
    "account",
    "renewal_time",
    "status",
    "display_name",
    "segment",
    "quarter",
    "arr",
    "expected_arr",
    "currency",
    "likelihood",
    "likelihood_low",
    "likelihood_high",
    "forecast_model",
    "call",
    "called_by",
    "call_time",
    "call_note",
    "score",
    "band",
    "csm",
    "account_manager",
    "csm_director",
    "decided",
    "moved_to",
];

pub(crate) const HELP: &str = "\
Each line is a renewal, known by its account and renewal_time. The first run writes all that are open, each
later one those whose line changed since (a fact, the band, the score by a point, the likelihood by a percent),
and those that are gone. status says which: open; renewed, churned, archived, moved (to the time in moved_to),
or withdrawn (there is no renewal any more). What is gone may be told twice, or of renewals never told before.

Move or remove the file when it is taken over: as long as it is there, the next run writes what it held, too,
with the figures of then. A run that dies is made up for by the next one. With --output json the file has a
line of JSON for each renewal, a DueRenewal with status and movedToTime, instead of CSV.

Examples:
  mainstay renewals sync renewals.csv && crm-load renewals.csv && rm renewals.csv
  mainstay renewals sync renewals.csv --full
  mainstay renewals sync /var/spool/crm/renewals.jsonl --output json --state /var/lib/crm/renewals";

/// What a renewal is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Open,
    Renewed,
    Churned,
    /// With its account.
    Archived,
    /// Its account has another that is open.
    Moved(Option<prost_types::Timestamp>),
    /// Its account has none.
    Withdrawn,
}

impl Status {
    const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Renewed => "renewed",
            Self::Churned => "churned",
            Self::Archived => "archived",
            Self::Moved(_) => "moved",
            Self::Withdrawn => "withdrawn",
        }
    }

    const fn moved_to(self) -> Option<prost_types::Timestamp> {
        match self {
            Self::Moved(to) => to,
            _ => None,
        }
    }
}

/// The renewals of some accounts, or of all, as they were found.
type Found = BTreeMap<Key, proto::DueRenewal>;

/// Writes the file. Before it is put in place it is kept that whoever takes it over may have it, and after it that they have it: so that
/// a line that changes and changes back is not lost when a run dies in between.
pub(crate) async fn run(
    arguments: &SyncArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let file = SyncFile::open(arguments)?;
    let readers = readers(&file)?;
    let base = readers.may_know(file.is_there()?);
    let base = if arguments.full { base.uncertain() } else { base };
    let mut open = list(connection, proto::ListRenewalsRequest { undecided_only: true, ..Default::default() }).await?;
    let seen_again = look_again(connection, &base, &mut open).await?;
    let changes = base.changes(&open);

    let mut lines: BTreeMap<Key, (Status, proto::DueRenewal)> = BTreeMap::new();
    for key in &changes.changed {
        lines.insert(key.clone(), (Status::Open, open[key].clone()));
    }
    for key in &changes.gone {
        lines.insert(key.clone(), gone(connection, key, &seen_again, &open).await?);
    }
    let what = if base.is_empty() { "in all" } else { "new or changed" };
    let (changed, gone) = (changes.changed.len(), changes.gone.len());
    let readers = readers.replacing(base, &changes.after);
    file.keep(&places(&readers)?)?;
    file.write(texts(&lines, output)?)?;
    file.keep(&places(&readers.replaced(changes.after))?)?;
    note(&format!("{changed} renewals {what} and {gone} gone are in {}.", file.path().display()));
    Ok(())
}

/// What the last run kept of those who take files over.
fn readers(file: &SyncFile) -> Result<Readers, Failure> {
    let Some(places) = file.places()? else { return Ok(Default::default()) };
    let read = |text: &str| {
        serde_json::from_str(text).map_err(|error| {
            let state = file.state().display();
            Failure::Usage(format!(
                "{state} was not kept by `mainstay renewals sync` ({error}): name another with --state, or remove it to begin anew"
            ))
        })
    };
    Ok(Readers { while_there: read(&places.start)?, once_gone: read(&places.end)? })
}

fn places(Readers { while_there, once_gone }: &Readers) -> io::Result<Places> {
    Ok(Places { start: serde_json::to_string(while_there)?, end: serde_json::to_string(once_gone)? })
}

/// All renewals of a list.
async fn list(connection: &Connection, mut request: proto::ListRenewalsRequest) -> Result<Found, Failure> {
    request.page_size = PAGE_SIZE;
    let mut found = Found::new();
    loop {
        let fetch = async || client(connection).list_renewals(request.clone()).await;
        let page = retrying(&connection.retries, fetch).await?.into_inner();
        found.extend(page.renewals.into_iter().map(|one| (Key::of(&one), one)));
        if page.next_page_token.is_empty() {
            return Ok(found);
        }
        request.page_token = page.next_page_token;
    }
}

/// Looks again at the accounts of which a renewal seems gone, or which seem to have two: one that is moved while the list is read may
/// be missed, or stand in it twice. Gives all renewals of these accounts, those that are decided too.
async fn look_again(connection: &Connection, base: &Known, open: &mut Found) -> Result<Found, Failure> {
    let mut accounts: BTreeSet<String> = base.gone(open).into_iter().map(|key| key.account).collect();
    let twice = open.keys().zip(open.keys().skip(1)).filter(|(one, next)| one.account == next.account);
    accounts.extend(twice.map(|(one, _)| one.account.clone()));
    open.retain(|key, _| !accounts.contains(&key.account));
    let mut found = Found::new();
    let names: Vec<String> = accounts.iter().map(|account| format!("accounts/{account}")).collect();
    for names in names.chunks(ACCOUNTS_AT_ONCE) {
        let request = proto::ListRenewalsRequest { accounts: names.to_vec(), ..Default::default() };
        found.extend(list(connection, request).await?);
    }
    let is_open = |one: &proto::DueRenewal| one.outcome() == proto::RenewalOutcome::Unspecified;
    open.extend(found.iter().filter(|(_, one)| is_open(one)).map(|(key, one)| (key.clone(), one.clone())));
    Ok(found)
}

/// What became of a renewal that is not open any more.
async fn gone(
    connection: &Connection,
    key: &Key,
    found: &Found,
    open: &Found,
) -> Result<(Status, proto::DueRenewal), Failure> {
    if let Some(renewal) = found.get(key) {
        let is_renewed = renewal.outcome() == proto::RenewalOutcome::Renewed;
        return Ok((if is_renewed { Status::Renewed } else { Status::Churned }, renewal.clone()));
    }
    let name = format!("accounts/{}", key.account);
    let other = open.values().find(|one| one.account == name);
    let account = if other.is_some() { None } else { account(connection, &name).await? };
    let status = match (other, &account) {
        (Some(other), _) => Status::Moved(other.due_time),
        (None, Some(account)) if account.archive_time.is_some() => Status::Archived,
        _ => Status::Withdrawn,
    };
    let display_name = other.map(|other| &other.account_display_name);
    let display_name = display_name.or(account.as_ref().map(|account| &account.display_name));
    let renewal = proto::DueRenewal {
        account_display_name: display_name.cloned().unwrap_or_default(),
        account: name,
        due_time: key.due_time(),
        ..Default::default()
    };
    Ok((status, renewal))
}

/// An account; none when it is not known.
async fn account(connection: &Connection, name: &str) -> Result<Option<proto::Account>, Failure> {
    let request = proto::GetAccountRequest { name: name.to_owned() };
    let get = async || AccountServiceClient::new(connection.channel.clone()).get_account(request.clone()).await;
    match retrying(&connection.retries, get).await {
        Ok(account) => Ok(Some(account.into_inner())),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(status.into()),
    }
}

/// CSV, or with `--output json` a line of JSON for each renewal.
fn texts(lines: &BTreeMap<Key, (Status, proto::DueRenewal)>, output: &Output) -> io::Result<Vec<String>> {
    if output.is_json() {
        return lines.values().map(|(status, renewal)| json_line(*status, renewal)).collect();
    }
    let rows = lines.values().map(|(status, renewal)| csv_line(&fields(*status, renewal)));
    Ok(std::iter::once(COLUMNS.join(",")).chain(rows).collect())
}

fn json_line(status: Status, renewal: &proto::DueRenewal) -> io::Result<String> {
    let mut line = to_json(renewal)?;
    line["status"] = status.word().into();
    if let Some(to) = status.moved_to() {
        line["movedToTime"] = to.to_string().into();
    }
    Ok(line.to_string())
}

fn fields(status: Status, renewal: &proto::DueRenewal) -> [String; COLUMNS.len()] {
    let (arr, currency) = money::amount_and_currency(renewal.arr.as_ref());
    let (expected_arr, _) = money::amount_and_currency(renewal.expected_arr.as_ref());
    let call = renewal.call.clone().unwrap_or_default();
    let owner = |role: proto::OwnerRole| {
        let emails = renewal.owners.iter().filter(|owner| owner.role() == role).map(|owner| owner.email.clone());
        emails.collect::<Vec<_>>().join(";")
    };
    let is_open = status == Status::Open;
    [
        id_of(&renewal.account).to_owned(),
        time_text(renewal.due_time),
        status.word().to_owned(),
        renewal.account_display_name.clone(),
        segment(renewal.segment()).to_owned(),
        renewal.quarter.clone(),
        arr,
        expected_arr,
        currency,
        figure(renewal.likelihood),
        figure(renewal.likelihood_low),
        figure(renewal.likelihood_high),
        id_of(&renewal.forecast_model).to_owned(),
        expectation(call.expectation()).to_owned(),
        call.author_email.clone(),
        time_text(call.call_time),
        call.note.clone(),
        figure(renewal.score),
        if is_open { band(renewal.band()).to_owned() } else { String::new() },
        owner(proto::OwnerRole::Csm),
        owner(proto::OwnerRole::AccountManager),
        owner(proto::OwnerRole::CsmDirector),
        time_text(renewal.decision_time),
        time_text(status.moved_to()),
    ]
}

#[cfg(test)]
mod tests {
    use mainstay_api::mainstay::common::v1::Money;

    use super::*;

    #[test]
    fn r184_a_line_says_of_a_renewal_what_a_sales_tool_maps() {
        let time = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let euros = |minor_units| Some(Money { currency_code: "EUR".to_owned(), minor_units });
        let owner = |role: proto::OwnerRole, email: &str| proto::Owner {
            role: role.into(),
            email: email.to_owned(),
            ..Default::default()
        };
        let renewal = proto::DueRenewal {
            account: "accounts/acme".to_owned(),
            account_display_name: "Acme, Inc.".to_owned(),
            segment: proto::Segment::Smb.into(),
            due_time: time(1_782_864_000),
            quarter: "2026-Q3".to_owned(),
            arr: euros(100_000),
            expected_arr: euros(87_500),
            score: Some(61.5),
            band: proto::Band::AtRisk.into(),
            likelihood: Some(0.875),
            likelihood_low: Some(0.8),
            likelihood_high: Some(0.9),
            forecast_model: "forecastModels/3".to_owned(),
            call: Some(proto::RenewalCall {
                expectation: proto::RenewalExpectation::AtRisk.into(),
                author_email: "sam@example.com".to_owned(),
                call_time: time(1_780_000_000),
                note: "new CFO".to_owned(),
                ..Default::default()
            }),
            owners: vec![
                owner(proto::OwnerRole::Csm, "mia@example.com"),
                owner(proto::OwnerRole::AccountManager, "al@example.com"),
            ],
            ..Default::default()
        };
        assert_eq!(
            csv_line(&fields(Status::Open, &renewal)),
            "acme,2026-07-01T00:00:00Z,open,\"Acme, Inc.\",smb,2026-Q3,1000.00,875.00,EUR,0.875,0.8,0.9,3,at risk,sam@example.com,\
             2026-05-28T20:26:40Z,new CFO,61.5,at risk,mia@example.com,al@example.com,,,"
        );
        let gone = proto::DueRenewal {
            account: "accounts/acme".to_owned(),
            due_time: time(1_782_864_000),
            ..Default::default()
        };
        let moved = Status::Moved(time(1_782_950_400));
        assert_eq!(
            csv_line(&fields(moved, &gone)),
            format!("acme,2026-07-01T00:00:00Z,moved{},2026-07-02T00:00:00Z", ",".repeat(20))
        );
        let json: serde_json::Value = serde_json::from_str(&json_line(moved, &gone).expect("a line")).expect("JSON");
        let expected = serde_json::json!({
            "account": "accounts/acme",
            "dueTime": "2026-07-01T00:00:00Z",
            "status": "moved",
            "movedToTime": "2026-07-02T00:00:00Z",
        });
        assert_eq!(json, expected);
    }
}
