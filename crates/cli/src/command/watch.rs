//! `mainstay health watch`: changes of health as they happen.

use std::time::Duration;

use clap::Args;
use mainstay_api::mainstay::scoring::v1::{HealthChange, WatchHealthRequest, WatchHealthResponse};
use mainstay_clients::ErrorReport;
use mainstay_rpc::shutdown;
use tonic::Streaming;

use crate::command::health::client;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{Output, note};
use crate::table::{change, points};
use crate::words::{account_name, band, id_of, time_text};

/// The reasons of ends after which a watch goes on, from the cursor in their metadata.
const SHUTTING_DOWN: &str = "SHUTTING_DOWN";
const SLOW_READER: &str = "SLOW_READER";

/// Which changes.
#[derive(Debug, Args)]
pub(crate) struct WatchArguments {
    /// Only changes of these accounts, by id; of all when none is given
    #[arg(value_name = "ACCOUNT")]
    accounts: Vec<String>,
    /// Go on from here: the cursor that an earlier watch ended with
    #[arg(long, conflicts_with = "from_oldest")]
    cursor: Option<String>,
    /// From the oldest change kept, instead of from now on
    #[arg(long)]
    from_oldest: bool,
    /// End when the changes that exist now have been printed
    #[arg(long)]
    until_now: bool,
}

/// Runs the command until the stream ends, or until it is interrupted.
pub(crate) async fn run(
    arguments: &WatchArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let mut request = WatchHealthRequest {
        cursor: arguments.cursor.clone().unwrap_or_default(),
        from_oldest: arguments.from_oldest,
        accounts: arguments.accounts.iter().map(|given| account_name(given)).collect::<Result<_, _>>()?,
        until_now: arguments.until_now,
    };
    let interrupted = shutdown::on_signals()?;
    let result = tokio::select! {
        result = follow(&mut request, connection, output) => result,
        () = interrupted.cancelled() => Ok(()),
    };
    output.flush()?;
    if !request.cursor.is_empty() && (result.is_ok() || Some(&request.cursor) != arguments.cursor.as_ref()) {
        note(&format!("Go on from here with --cursor {}", request.cursor));
    }
    result
}

/// Prints changes, connecting again when the connection is lost; `request` is
/// kept at where to go on.
async fn follow(request: &mut WatchHealthRequest, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let mut attempt = 1;
    loop {
        let before = request.cursor.clone();
        let status = match client(connection).watch_health(request.clone()).await {
            Ok(stream) => match print(stream.into_inner(), request, output).await {
                Ok(()) => return Ok(()),
                Err(Failure::Call(status)) => *status,
                Err(failure) => return Err(failure),
            },
            Err(status) => status,
        };
        let end = ErrorReport::from(&status);
        if let Some(cursor) = cursor_at_end(&end) {
            cursor.clone_into(&mut request.cursor);
            request.from_oldest = false;
        }
        if request.cursor != before {
            attempt = 1;
        }
        let pause = match end.reason.as_deref() {
            Some(SLOW_READER) => Some(Duration::ZERO),
            _ => connection.retries.pause_after(attempt, &status),
        };
        let Some(pause) = pause else { return Err(status.into()) };
        note(&format!("{}; connecting again", status.message()));
        tokio::time::sleep(pause).await;
        attempt += 1;
    }
}

/// Where to go on, when the server that ended the stream says so.
fn cursor_at_end(end: &ErrorReport) -> Option<&str> {
    match end.reason.as_deref() {
        Some(SHUTTING_DOWN | SLOW_READER) => end.metadata.get("cursor").map(String::as_str),
        _ => None,
    }
}

async fn print(
    mut stream: Streaming<WatchHealthResponse>,
    request: &mut WatchHealthRequest,
    output: &mut Output,
) -> Result<(), Failure> {
    while let Some(answer) = stream.message().await? {
        let moved = answer.cursor != request.cursor;
        if output.is_json() && (moved || !answer.changes.is_empty()) {
            output.json_line(&answer)?;
        }
        if !output.is_json() {
            answer.changes.iter().try_for_each(|health_change| output.line(&line(health_change)))?;
        }
        output.flush()?;
        request.cursor = answer.cursor;
        request.from_oldest = false;
    }
    Ok(())
}

/// One change on a line, for people.
fn line(health_change: &HealthChange) -> String {
    let moved = health_change.score.zip(health_change.previous_score).map(|(score, previous)| score - previous);
    let (now, before) = (health_change.band(), health_change.previous_band());
    let bands = if now == before { band(now).to_owned() } else { format!("{} → {}", band(before), band(now)) };
    format!(
        "{}  {:<24}  {:>5}  {:>6}  {bands}",
        time_text(health_change.change_time),
        id_of(&health_change.account),
        points(health_change.score),
        change(moved)
    )
}

#[cfg(test)]
mod tests {
    use mainstay_api::mainstay::scoring::v1::Band;

    use super::*;

    #[test]
    fn a_change_is_one_line() {
        let health_change = HealthChange {
            account: "accounts/acme".to_owned(),
            score: Some(63.5),
            previous_score: Some(78.5),
            band: Band::AtRisk.into(),
            previous_band: Band::Stable.into(),
            change_time: Some(prost_types::Timestamp { seconds: 86_400, nanos: 5 }),
            ..HealthChange::default()
        };
        assert_eq!(
            line(&health_change),
            "1970-01-02T00:00:00Z  acme                       63.5  ▼ 15.0  stable → at risk"
        );
    }
}
