//! `mainstay health recompute`: scores all accounts again.

use chrono::NaiveDate;
use clap::Args;
use mainstay_api::mainstay::scoring::v1::{RecomputeHealthRequest, RecomputeHealthResponse};
use mainstay_clients::retrying;

use crate::command::health::client;
use crate::command::models::new_request_id;
use crate::command::operations;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{Output, note};
use crate::words::{counted, day_text, parse_day};

pub(crate) const HELP: &str = "\
Late signals and changes of accounts score again what they change by themselves; this is for what does not: after
another model was activated, scoring the past with it gives histories and forecasts that can be compared. Health of
days before --from stays as it is. Ending this command does not end the work: see `mainstay operations`.

Examples:
  mainstay health recompute
  mainstay health recompute --from 2025-12-01
  mainstay health recompute --from 2025-12-01 --detach";

/// What to score again.
#[derive(Debug, Args)]
pub(crate) struct RecomputeArguments {
    /// From this UTC day on, at most 730 days ago [default: today]
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    from: Option<NaiveDate>,
    /// Begin, and do not wait for the end
    #[arg(long)]
    detach: bool,
}

/// Runs the command.
pub(super) async fn run(
    arguments: &RecomputeArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let request = RecomputeHealthRequest { start_day: day_text(arguments.from), request_id: new_request_id() };
    let begin = async || client(connection).recompute_health(request.clone()).await;
    let operation = retrying(&connection.retries, begin).await?.into_inner();
    if arguments.detach {
        return operations::begun(&operation, output);
    }
    let scored: RecomputeHealthResponse = operations::outcome(operation, connection).await?;
    if output.is_json() {
        return Ok(output.json_object(&scored)?);
    }
    note(&format!("{} scored again.", counted(scored.account_count, "account")));
    Ok(())
}
