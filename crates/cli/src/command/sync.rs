//! `mainstay health sync`: the health of accounts as a file for a CRM, all of them first and then what changed.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use mainstay_api::mainstay::scoring::v1::account_service_client::AccountServiceClient;
use mainstay_api::mainstay::scoring::v1::{BatchGetHealthRequest, Health, ListAccountsRequest, WatchHealthRequest};
use mainstay_clients::{ErrorReport, retrying};

use crate::command::health::client;
use crate::connection::Connection;
use crate::csv::{csv_line, figure};
use crate::failure::Failure;
use crate::money;
use crate::output::{Output, note};
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

/// Which file, and from where to go on.
#[derive(Debug, Args)]
pub(crate) struct SyncArguments {
    /// The file to write
    file: PathBuf,
    /// Where it is kept from where to go on [default: the file's name with `.cursor` behind it]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// All accounts, whatever was written before
    #[arg(long)]
    full: bool,
}

/// From where the file of the last run began, and from where the next one goes on once that file was taken over.
#[derive(Debug, PartialEq, Eq)]
struct Cursors {
    /// None: with all accounts.
    start: Option<String>,
    end: String,
}

/// Writes the file, then from where to go on: a run that dies in between is made up for by the next. A file that nobody has taken over
/// is replaced by one that holds what it held, too.
pub(crate) async fn run(
    arguments: &SyncArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let file = &arguments.file;
    let state = arguments.state.clone().unwrap_or_else(|| with_suffix(file, ".cursor"));
    let _lock = lock(&state)?;
    let known = if arguments.full { None } else { read_cursors(&state)? };
    let start = known.and_then(|cursors| if file.exists() { cursors.start } else { Some(cursors.end) });
    let (rows, cursors) = match start {
        Some(start) => match changed_since(connection, &start).await {
            Ok((accounts, end)) => (of_accounts(connection, accounts).await?, Cursors { start: Some(start), end }),
            Err(Failure::Call(status)) if ErrorReport::from(&*status).reason.as_deref() == Some(CURSOR_EXPIRED) => {
                note("The last run is longer ago than changes are kept: all accounts are written.");
                everything(connection).await?
            }
            Err(failure) => return Err(failure),
        },
        None => everything(connection).await?,
    };
    write(file, &contents(&rows, output)?)?;
    write(&state, &format!("{}\n{}\n", cursors.start.as_deref().unwrap_or_default(), cursors.end))?;
    let what = if cursors.start.is_some() { "changed and" } else { "in all" };
    note(&format!("{} accounts {what} are in {}.", rows.len(), file.display()));
    Ok(())
}

/// All accounts; changes from before they are read on come with the next run.
async fn everything(connection: &Connection) -> Result<(Vec<Health>, Cursors), Failure> {
    let end = changed_since(connection, "").await?.1;
    let accounts = all_accounts(connection).await?;
    Ok((of_accounts(connection, accounts).await?, Cursors { start: None, end }))
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
fn contents(rows: &[Health], output: &Output) -> io::Result<String> {
    let lines: Vec<String> = if output.is_json() {
        rows.iter().map(|health| Ok(crate::output::to_json(health)?.to_string())).collect::<io::Result<_>>()?
    } else {
        std::iter::once(COLUMNS.join(",")).chain(rows.iter().map(|health| csv_line(&fields(health)))).collect()
    };
    Ok(lines.into_iter().map(|line| line + "\n").collect())
}

fn fields(health: &Health) -> [String; COLUMNS.len()] {
    let arr = health.arr.as_ref().map(money::exact);
    let (amount, currency) = arr.as_deref().and_then(|arr| arr.split_once(' ')).unzip();
    [
        id_of(&health.account).to_owned(),
        health.account_display_name.clone(),
        segment(health.segment()).to_owned(),
        amount.unwrap_or_default().to_owned(),
        currency.unwrap_or_default().to_owned(),
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

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Keeps others from writing the same file, for as long as it is held.
fn lock(state: &Path) -> Result<fs::File, Failure> {
    let path = with_suffix(state, ".lock");
    let fault = |error: &dyn std::fmt::Display| Failure::Usage(format!("{} cannot be locked: {error}", path.display()));
    let file = fs::File::create(&path).map_err(|error| fault(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(fault(&"another run is writing the same file")),
        Err(fs::TryLockError::Error(error)) => Err(fault(&error)),
    }
}

/// From where to go on; none when there was no run before.
fn read_cursors(state: &Path) -> Result<Option<Cursors>, Failure> {
    let text = match fs::read_to_string(state) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::Usage(format!("{} cannot be read: {error}", state.display()))),
    };
    let mut lines = text.lines().map(str::to_owned);
    let start = lines.next().filter(|start| !start.is_empty());
    Ok(lines.next().map(|end| Cursors { start, end }))
}

/// Puts a file in place as a whole, and for good: whoever reads it sees the old one or the new one.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let fault = |error: io::Error| Failure::Usage(format!("{} cannot be written: {error}", path.display()));
    let part = with_suffix(path, ".part");
    let mut file = fs::File::create(&part).map_err(fault)?;
    io::Write::write_all(&mut file, text.as_bytes()).map_err(fault)?;
    file.sync_all().map_err(fault)?;
    fs::rename(&part, path).map_err(fault)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_the_cursors_are_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("scores.csv.cursor");
        assert!(read_cursors(&state).expect("none").is_none());
        for (text, start) in [("\nAAA\n", None), ("AAA\nAAB\n", Some("AAA"))] {
            write(&state, text).expect("written");
            let cursors = read_cursors(&state).expect("readable").expect("cursors");
            assert_eq!((cursors.start.as_deref(), cursors.end.as_str()), (start, text.lines().nth(1).expect("an end")));
        }
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left behind");
    }

    #[test]
    fn two_runs_do_not_write_the_same_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("scores.csv.cursor");
        let held = lock(&state).expect("a lock");
        assert!(lock(&state).is_err());
        drop(held);
        lock(&state).expect("free again");
    }
}
