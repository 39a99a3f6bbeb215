//! `mainstay health sync`: the health of accounts as a file for a CRM, all of them first and then what changed.

use std::collections::BTreeSet;
use std::io;

use mainstay_api::mainstay::scoring::v1::account_service_client::AccountServiceClient;
use mainstay_api::mainstay::scoring::v1::{BatchGetHealthRequest, Health, ListAccountsRequest, WatchHealthRequest};
use mainstay_clients::{ErrorReport, retrying};

use crate::command::health::client;
use crate::connection::Connection;
use crate::csv::{csv_line, figure};
use crate::failure::Failure;
use crate::money;
use crate::output::{Output, note, to_json};
use crate::sync_file::{Places, SyncArguments, SyncFile};
use crate::words::{band, id_of, segment, time_text};

/// The reason of a cursor that is older than what is kept.
const CURSOR_EXPIRED: &str = "CURSOR_EXPIRED";
/// Most accounts that are asked for, or listed, at once.
const PAGE_SIZE: usize = 1_000;
const COLUMNS: [&str; 14] = [
    "account",
    "display_name",
    "segment",
    "arr",
    "currency",
    "day",
    "score",
    "band",
    "change_1d",
    "change_7d",
    "change_30d",
    "coverage",
    "model",
    "scored",
];

/// Writes the file, then from where to go on: a run that dies in between is made up for by the next. A file that nobody has taken over
/// is replaced by one that holds what it held, too.
pub(crate) async fn run(
    arguments: &SyncArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let file = SyncFile::open(arguments)?;
    let known = if arguments.full { None } else { file.places()? };
    let start = match known {
        Some(Places { start, .. }) if file.is_there()? => start,
        Some(Places { end, .. }) => end,
        None => String::new(),
    };
    let (rows, places) = if start.is_empty() {
        everything(connection).await?
    } else {
        match changed_since(connection, &start).await {
            Ok((accounts, end)) => (of_accounts(connection, accounts).await?, Places { start, end }),
            Err(Failure::Call(status)) if ErrorReport::from(&*status).reason.as_deref() == Some(CURSOR_EXPIRED) => {
                note("The last run is longer ago than changes are kept: all accounts are written.");
                everything(connection).await?
            }
            Err(failure) => return Err(failure),
        }
    };
    file.write(lines(&rows, output)?)?;
    file.keep(&places)?;
    let what = if places.start.is_empty() { "in all" } else { "changed and" };
    note(&format!("{} accounts {what} are in {}.", rows.len(), file.path().display()));
    Ok(())
}

/// All accounts; changes from before they are read on come with the next run.
async fn everything(connection: &Connection) -> Result<(Vec<Health>, Places), Failure> {
    let end = changed_since(connection, "").await?.1;
    let accounts = all_accounts(connection).await?;
    Ok((of_accounts(connection, accounts).await?, Places { start: String::new(), end }))
}

/// The accounts whose health changed since a cursor, and the cursor after that; with an empty one only the cursor.
async fn changed_since(connection: &Connection, cursor: &str) -> Result<(BTreeSet<String>, String), Failure> {
    let request = WatchHealthRequest { cursor: cursor.to_owned(), until_now: true, ..WatchHealthRequest::default() };
    let mut stream = client(connection).watch_health(request).await?.into_inner();
    let (mut accounts, mut after) = (BTreeSet::new(), cursor.to_owned());
    while let Some(answer) = stream.message().await? {
        accounts.extend(answer.changes.into_iter().map(|change| change.account));
        after = answer.cursor;
    }
    Ok((accounts, after))
}

/// The health of accounts; those that have none are left out.
async fn of_accounts(connection: &Connection, accounts: BTreeSet<String>) -> Result<Vec<Health>, Failure> {
    let accounts: Vec<String> = accounts.into_iter().collect();
    let mut found = Vec::with_capacity(accounts.len());
    for page in accounts.chunks(PAGE_SIZE) {
        let request = BatchGetHealthRequest { accounts: page.to_vec(), ..BatchGetHealthRequest::default() };
        let answer = retrying(&connection.retries, async || client(connection).batch_get_health(request.clone()).await)
            .await?
            .into_inner();
        found.extend(answer.health);
    }
    Ok(found)
}

/// By id: a list by score would miss accounts whose score moves meanwhile.
async fn all_accounts(connection: &Connection) -> Result<BTreeSet<String>, Failure> {
    let mut request = ListAccountsRequest {
        page_size: i32::try_from(PAGE_SIZE).unwrap_or(i32::MAX),
        ..ListAccountsRequest::default()
    };
    let mut found = BTreeSet::new();
    loop {
        let list = async || AccountServiceClient::new(connection.channel.clone()).list_accounts(request.clone()).await;
        let page = retrying(&connection.retries, list).await?.into_inner();
        found.extend(page.accounts.into_iter().map(|account| account.name));
        if page.next_page_token.is_empty() {
            return Ok(found);
        }
        request.page_token = page.next_page_token;
    }
}

/// CSV, or with `--output json` a line of JSON for each account.
fn lines(rows: &[Health], output: &Output) -> io::Result<Vec<String>> {
    if output.is_json() {
        return rows.iter().map(|health| Ok(to_json(health)?.to_string())).collect();
    }
    Ok(std::iter::once(COLUMNS.join(",")).chain(rows.iter().map(|health| csv_line(&fields(health)))).collect())
}

fn fields(health: &Health) -> [String; COLUMNS.len()] {
    let (arr, currency) = money::amount_and_currency(health.arr.as_ref());
    [
        id_of(&health.account).to_owned(),
        health.account_display_name.clone(),
        segment(health.segment()).to_owned(),
        arr,
        currency,
        health.day.clone(),
        figure(health.score),
        band(health.band()).to_owned(),
        figure(health.change_1d),
        figure(health.change_7d),
        figure(health.change_30d),
        health.coverage.to_string(),
        id_of(&health.model).to_owned(),
        time_text(health.score_time),
    ]
}
