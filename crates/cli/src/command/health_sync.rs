//! `mainstay health sync`: the health of accounts as a file for a CRM, all of them first and then what changed.

use std::collections::BTreeSet;
use std::io;

use mainstay_api::mainstay::events::v1::SubscribeRequest;
use mainstay_api::mainstay::events::v1::event_feed_service_client::EventFeedServiceClient;
use mainstay_api::mainstay::scoring::v1::account_service_client::AccountServiceClient;
use mainstay_api::mainstay::scoring::v1::{
    AccountChanged, AccountFilter, BatchGetHealthRequest, Health, HealthChanged, LabelCorrected, LabelExpired,
    LabelKind, LabelReviewed, LabelWithdrawn, ListAccountsRequest, WatchHealthRequest,
};
use mainstay_clients::{ErrorReport, retrying};
use prost::Name as _;

use crate::command::corrections::speaker;
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
const COLUMNS: [&str; 18] = [
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
    "corrected_band",
    "corrected_by",
    "disputed_by",
    "archived",
];

pub(crate) const HELP: &str = "\
Each line is an account that was scored. The first run writes all, each later one those of which something changed
since: the health, by a point or more or into another band; a fact of the account; what a CSM or customer says against
the computed band, as long as it is open (corrected_band by corrected_by, disputed_by); or that it was archived, from
when archived says since when, and taken out again. An account that was archived may be told twice, or without having
been told before.

Move or remove the file when it is taken over: as long as it is there, the next run writes what it held, too, with
the figures of then. A run that dies is made up for by the next one. With --output json the file has a line of JSON
for each account, a Health, instead of CSV.

Examples:
  mainstay health sync scores.csv && crm-load scores.csv && rm scores.csv
  mainstay health sync scores.csv --full
  mainstay health sync /var/spool/crm/scores.jsonl --output json --state /var/lib/crm/cursor";

/// Writes the file, then from where to go on: a run that dies in between is made up for by the next. A file that nobody has taken over
/// is replaced by one that holds what it held, too.
pub(crate) async fn run(
    arguments: &SyncArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let file = SyncFile::open(arguments)?;
    let known = file.places()?;
    let is_known = known.is_some();
    let start = match known {
        _ if arguments.full => String::new(),
        Some(Places { start, .. }) if file.is_there()? => start,
        Some(Places { end, .. }) => end,
        None => String::new(),
    };
    let (rows, places) = if start.is_empty() {
        everything(connection, is_known).await?
    } else {
        match changed_since(connection, &start).await {
            Ok((accounts, end)) => (of_accounts(connection, accounts).await?, Places { start, end }),
            Err(Failure::Call(status)) if ErrorReport::from(&*status).reason.as_deref() == Some(CURSOR_EXPIRED) => {
                note("The last run is longer ago than changes are kept: all accounts are written.");
                everything(connection, is_known).await?
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

/// All accounts, those that are archived only for whoever may have them; changes from before they are read on come with the next
/// run.
async fn everything(connection: &Connection, with_archived: bool) -> Result<(Vec<Health>, Places), Failure> {
    let end = newest_cursor(connection).await?;
    let accounts = all_accounts(connection, with_archived).await?;
    Ok((of_accounts(connection, accounts).await?, Places { start: String::new(), end }))
}

/// Where the feed stands: after all that is committed, which a mere look at its position would leave out.
async fn newest_cursor(connection: &Connection) -> Result<String, Failure> {
    let request = WatchHealthRequest { until_now: true, ..WatchHealthRequest::default() };
    let mut stream = client(connection).watch_health(request).await?.into_inner();
    let mut cursor = String::new();
    while let Some(answer) = stream.message().await? {
        cursor = answer.cursor;
    }
    Ok(cursor)
}

/// The accounts whose line may have changed since a cursor, and the cursor after that.
async fn changed_since(connection: &Connection, cursor: &str) -> Result<(BTreeSet<String>, String), Failure> {
    let types = vec![
        HealthChanged::full_name(),
        AccountChanged::full_name(),
        LabelCorrected::full_name(),
        LabelReviewed::full_name(),
        LabelWithdrawn::full_name(),
        LabelExpired::full_name(),
    ];
    let request = SubscribeRequest { cursor: cursor.to_owned(), types, until_now: true, ..SubscribeRequest::default() };
    let mut stream = EventFeedServiceClient::new(connection.channel.clone()).subscribe(request).await?.into_inner();
    let (mut accounts, mut after) = (BTreeSet::new(), cursor.to_owned());
    while let Some(answer) = stream.message().await? {
        accounts.extend(answer.events.into_iter().map(|event| event.account));
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
async fn all_accounts(connection: &Connection, include_archived: bool) -> Result<BTreeSet<String>, Failure> {
    let mut request = ListAccountsRequest {
        page_size: i32::try_from(PAGE_SIZE).unwrap_or(i32::MAX),
        filter: Some(AccountFilter { include_archived, ..AccountFilter::default() }),
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
    let said = |kind: LabelKind| health.corrections.iter().find(|label| label.kind() == kind);
    let (corrected, disputed) = (said(LabelKind::Override), said(LabelKind::Dispute));
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
        corrected.map_or("", |label| band(label.band())).to_owned(),
        corrected.map_or("", speaker).to_owned(),
        disputed.map_or("", speaker).to_owned(),
        time_text(health.archive_time),
    ]
}

#[cfg(test)]
mod tests {
    use mainstay_api::mainstay::scoring::v1::{Band, Label, LabelSpeaker};

    use super::*;

    #[test]
    fn r84_what_people_say_stands_beside_the_computed_band() {
        let label = |kind: LabelKind, band: Band, speaker: LabelSpeaker| Label {
            kind: kind.into(),
            band: band.into(),
            speaker: speaker.into(),
            ..Default::default()
        };
        let health = Health {
            account: "accounts/acme".to_owned(),
            score: Some(61.5),
            band: Band::AtRisk.into(),
            corrections: vec![
                label(LabelKind::Override, Band::Healthy, LabelSpeaker::Csm),
                label(LabelKind::Dispute, Band::Unspecified, LabelSpeaker::Customer),
            ],
            archive_time: Some(prost_types::Timestamp { seconds: 1_782_864_000, nanos: 0 }),
            ..Default::default()
        };
        let line = csv_line(&fields(&health));
        assert_eq!(line, "acme,,,,,,61.5,at risk,,,,0,,,healthy,CSM,customer,2026-07-01T00:00:00Z");
        let plain = csv_line(&fields(&Health { corrections: Vec::new(), archive_time: None, ..health }));
        assert_eq!(plain, "acme,,,,,,61.5,at risk,,,,0,,,,,,");
    }
}
