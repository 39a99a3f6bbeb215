//! `mainstay health sync`: the health of accounts as a file for a CRM, all of them first and then what changed.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use mainstay_api::mainstay::scoring::v1::{BatchGetHealthRequest, Health, ListHealthRequest, WatchHealthRequest};
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
const COLUMNS: [&str; 13] = [
    "account",
    "display_name",
    "segment",
    "arr",
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

/// Writes the file, then from where to go on: a run that dies in between is made up for by the next.
pub(crate) async fn run(
    arguments: &SyncArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let file = &arguments.file;
    let state = arguments.state.clone().unwrap_or_else(|| with_suffix(file, ".cursor"));
    let known = if arguments.full { None } else { read_cursor(&state)? };
    let (rows, cursor, what) = match known {
        Some(cursor) => match changed_since(connection, &cursor).await {
            Ok((accounts, cursor)) => (of_accounts(connection, &accounts).await?, cursor, "changed"),
            Err(Failure::Call(status)) if ErrorReport::from(&*status).reason.as_deref() == Some(CURSOR_EXPIRED) => {
                note("The last run is longer ago than changes are kept: all accounts are written.");
                everything(connection).await?
            }
            Err(failure) => return Err(failure),
        },
        None => everything(connection).await?,
    };
    write(file, &contents(&rows, output)?)?;
    write(&state, &cursor)?;
    note(&format!("{} accounts {what} are in {}.", rows.len(), file.display()));
    Ok(())
}

/// All accounts; changes from before they are listed on come with the next run.
async fn everything(connection: &Connection) -> Result<(Vec<Health>, String, &'static str), Failure> {
    let cursor = changed_since(connection, "").await?.1;
    Ok((all(connection).await?, cursor, "in all"))
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

/// The health of accounts; those that have none any more are left out.
async fn of_accounts(connection: &Connection, accounts: &BTreeSet<String>) -> Result<Vec<Health>, Failure> {
    let accounts: Vec<String> = accounts.iter().cloned().collect();
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

async fn all(connection: &Connection) -> Result<Vec<Health>, Failure> {
    let mut request =
        ListHealthRequest { page_size: i32::try_from(PAGE_SIZE).unwrap_or(i32::MAX), ..ListHealthRequest::default() };
    let mut found = Vec::new();
    loop {
        let page = retrying(&connection.retries, async || client(connection).list_health(request.clone()).await)
            .await?
            .into_inner();
        found.extend(page.health);
        if page.next_page_token.is_empty() {
            return Ok(found);
        }
        request.page_token = page.next_page_token;
    }
}

/// CSV, or with `--output json` a line of JSON for each account.
fn contents(rows: &[Health], output: &Output) -> io::Result<String> {
    let mut text = String::new();
    if output.is_json() {
        for health in rows {
            text += &format!("{}\n", crate::output::to_json(health)?);
        }
        return Ok(text);
    }
    text += &format!("{}\n", COLUMNS.join(","));
    for health in rows {
        text += &format!("{}\n", csv_line(&fields(health)));
    }
    Ok(text)
}

fn fields(health: &Health) -> [String; COLUMNS.len()] {
    [
        id_of(&health.account).to_owned(),
        health.account_display_name.clone(),
        segment(health.segment()).to_owned(),
        health.arr.as_ref().map(money::exact).unwrap_or_default(),
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

/// From where to go on; none when there was no run before.
fn read_cursor(state: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(state) {
        Ok(cursor) => Ok(Some(cursor.trim().to_owned()).filter(|cursor| !cursor.is_empty())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::Usage(format!("{} cannot be read: {error}", state.display()))),
    }
}

/// Puts a file in place as a whole: whoever reads it sees the old one or the new one.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let fault = |error: io::Error| Failure::Usage(format!("{} cannot be written: {error}", path.display()));
    let part = with_suffix(path, ".part");
    let mut file = fs::File::create(&part).map_err(fault)?;
    io::Write::write_all(&mut file, text.as_bytes()).map_err(fault)?;
    file.sync_all().map_err(fault)?;
    fs::rename(&part, path).map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_the_cursor_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("scores.csv.cursor");
        assert!(read_cursor(&state).expect("none").is_none());
        for cursor in ["AAA", "AAB"] {
            write(&state, cursor).expect("written");
            assert_eq!(read_cursor(&state).expect("a cursor").as_deref(), Some(cursor));
        }
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left behind");
    }
}
