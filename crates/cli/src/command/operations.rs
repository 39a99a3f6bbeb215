//! `mainstay operations`: long work of scoring, how far it is, and its end.

use clap::{Args, Subcommand};
use mainstay_api::google::longrunning::operation::Result as OperationResult;
use mainstay_api::google::longrunning::operations_client::OperationsClient;
use mainstay_api::google::longrunning::{
    CancelOperationRequest, ListOperationsRequest, Operation, WaitOperationRequest,
};
use mainstay_api::mainstay::scoring::v1::{BacktestModelMetadata, RecomputeHealthMetadata, TrainForecastMetadata};
use mainstay_clients::{ServiceChannel, retrying};
use prost::{Message, Name};
use prost_types::Timestamp;

use crate::command::{Listed, finish_list, is_enough, page_size};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{Output, note};
use crate::table::table;
use crate::words::{id_of, resource_name, time_text};

const COLLECTION: &str = "operations";
/// How long one call waits for an operation, in seconds: progress is shown as often.
const WAIT_SECONDS: i64 = 1;

/// Commands about long work.
#[derive(Debug, Subcommand)]
pub(crate) enum OperationsCommand {
    /// List recomputations, backtests and trainings of forecasts, the newest first
    #[command(after_help = "\
Examples:
  mainstay operations list
  mainstay operations list --limit 0 --output json")]
    List(ListArguments),
    /// Wait until an operation is over, and say how far it is
    #[command(after_help = "\
The exit code is 1 when it was cancelled, or could not be done.

Examples:
  mainstay operations wait 0198c0de-…")]
    Wait(OperationArguments),
    /// End an operation; what it did stays done
    #[command(after_help = "\
Accounts that a recomputation has scored keep their new scores, and the others their old ones. A backtest leaves no
report, and the training of a forecast no model.

Examples:
  mainstay operations cancel 0198c0de-…")]
    Cancel(OperationArguments),
}

/// How many operations.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// How many at most; 0 for all
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
}

/// Which operation.
#[derive(Debug, Args)]
pub(crate) struct OperationArguments {
    /// The operation, by id
    operation: String,
}

/// How far an operation is.
#[derive(Debug, Clone, PartialEq)]
struct Progress {
    /// For people.
    what: String,
    account_count: i64,
    done_count: i64,
    start_time: Option<Timestamp>,
    end_time: Option<Timestamp>,
}

impl Progress {
    fn of(operation: &Operation) -> Option<Self> {
        let metadata = operation.metadata.as_ref()?;
        let of_type = |full_name: String| metadata.type_url.rsplit('/').next() == Some(full_name.as_str());
        if of_type(RecomputeHealthMetadata::full_name()) {
            let metadata = RecomputeHealthMetadata::decode(metadata.value.as_slice()).ok()?;
            let RecomputeHealthMetadata { start_day, account_count, done_count, start_time, end_time } = metadata;
            let what = format!("recomputation from {start_day} on");
            return Some(Self { what, account_count, done_count, start_time, end_time });
        }
        if of_type(BacktestModelMetadata::full_name()) {
            let metadata = BacktestModelMetadata::decode(metadata.value.as_slice()).ok()?;
            let BacktestModelMetadata { account_count, done_count, start_time, end_time, .. } = metadata;
            return Some(Self { what: "backtest".to_owned(), account_count, done_count, start_time, end_time });
        }
        if of_type(TrainForecastMetadata::full_name()) {
            let metadata = TrainForecastMetadata::decode(metadata.value.as_slice()).ok()?;
            let TrainForecastMetadata { account_count, done_count, start_time, end_time } = metadata;
            let what = "training of a forecast".to_owned();
            return Some(Self { what, account_count, done_count, start_time, end_time });
        }
        None
    }

    /// In whole percent; none where there is nothing to do.
    fn percent(&self) -> Option<i64> {
        (self.account_count > 0).then(|| self.done_count * 100 / self.account_count)
    }
}

/// How an operation is or ended.
fn state(operation: &Operation) -> String {
    match &operation.result {
        None if operation.done => "ended".to_owned(),
        None => "under way".to_owned(),
        Some(OperationResult::Response(_)) => "done".to_owned(),
        Some(OperationResult::Error(status)) => status.message.clone(),
    }
}

fn client(connection: &Connection) -> OperationsClient<ServiceChannel> {
    OperationsClient::new(connection.channel.clone())
}

/// Runs the command.
pub(crate) async fn run(
    command: &OperationsCommand,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    match command {
        OperationsCommand::List(arguments) => list(arguments, connection, output).await,
        OperationsCommand::Wait(arguments) => wait(arguments, connection, output).await,
        OperationsCommand::Cancel(arguments) => cancel(arguments, connection).await,
    }
}

async fn list(arguments: &ListArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let mut request = ListOperationsRequest { name: COLLECTION.to_owned(), ..ListOperationsRequest::default() };
    let mut rows = table(&["OPERATION", "WHAT", ">ACCOUNTS", ">DONE", "BEGUN", "ENDED", "STATE"]);
    let mut shown = 0;
    loop {
        request.page_size = page_size(arguments.limit, shown);
        let page = retrying(&connection.retries, async || client(connection).list_operations(request.clone()).await)
            .await?
            .into_inner();
        for operation in &page.operations {
            if output.is_json() {
                output.json_line(operation)?;
                continue;
            }
            let progress = Progress::of(operation);
            let of = |text: fn(&Progress) -> String| progress.as_ref().map(text).unwrap_or_default();
            rows.add_row([
                id_of(&operation.name).to_owned(),
                of(|progress| progress.what.clone()),
                of(|progress| progress.account_count.to_string()),
                of(|progress| progress.done_count.to_string()),
                of(|progress| time_text(progress.start_time)),
                of(|progress| time_text(progress.end_time)),
                state(operation),
            ]);
        }
        shown += page.operations.len();
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() || is_enough(arguments.limit, shown) {
            break;
        }
    }
    let next_page_token = request.page_token.as_str();
    let nothing =
        "There was no long work yet: mainstay models backtest, mainstay forecast train, mainstay health recompute.";
    finish_list(output, rows, &Listed { shown, which: "newest", next_page_token, nothing })
}

async fn wait(arguments: &OperationArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let name = resource_name(COLLECTION, &arguments.operation)?;
    let operation = until_done(Operation { name, ..Operation::default() }, connection).await?;
    if output.is_json() {
        output.json_object(&operation)?;
    }
    if let Some(OperationResult::Error(status)) = operation.result {
        return Err(refusal(status));
    }
    if !output.is_json() {
        note(&format!("{} is done.", operation.name));
    }
    Ok(())
}

async fn cancel(arguments: &OperationArguments, connection: &Connection) -> Result<(), Failure> {
    let name = resource_name(COLLECTION, &arguments.operation)?;
    let request = CancelOperationRequest { name: name.clone() };
    retrying(&connection.retries, async || client(connection).cancel_operation(request.clone()).await).await?;
    note(&format!("{name} is over, or ends now."));
    Ok(())
}

/// Waits until an operation is over, and says how far it is.
async fn until_done(mut operation: Operation, connection: &Connection) -> Result<Operation, Failure> {
    let mut told = None;
    while !operation.done {
        let percent = Progress::of(&operation).and_then(|progress| progress.percent());
        if percent.is_some() && percent != told {
            told = percent;
            note(&match percent {
                Some(100) => "All accounts are done; what follows from them …".to_owned(),
                percent => format!("{} % of the accounts are done …", percent.unwrap_or_default()),
            });
        }
        let timeout = Some(prost_types::Duration { seconds: WAIT_SECONDS, nanos: 0 });
        let request = WaitOperationRequest { name: operation.name.clone(), timeout };
        let waited = retrying(&connection.retries, async || client(connection).wait_operation(request.clone()).await);
        operation = waited.await?.into_inner();
    }
    Ok(operation)
}

/// Says how to wait for an operation that was begun.
pub(super) fn begun(operation: &Operation, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        return Ok(output.json_object(operation)?);
    }
    note(&format!("Begun: mainstay operations wait {}", id_of(&operation.name)));
    Ok(())
}

/// What an operation gives at its end, of which is said how far it is until then.
pub(super) async fn outcome<M: Message + Default>(operation: Operation, connection: &Connection) -> Result<M, Failure> {
    let operation = until_done(operation, connection).await?;
    match operation.result {
        Some(OperationResult::Response(response)) => M::decode(response.value.as_slice()).map_err(|fault| {
            Failure::Suite(format!("the answer of {} is not what it should be: {fault}", operation.name))
        }),
        Some(OperationResult::Error(status)) => Err(refusal(status)),
        None => Err(Failure::Suite(format!("{} ended without a result", operation.name))),
    }
}

/// The operation's error as if the call had answered with it: with its reason.
fn refusal(status: mainstay_api::google::rpc::Status) -> Failure {
    let details = status.encode_to_vec();
    Failure::from(tonic::Status::with_details(status.code.into(), status.message, details.into()))
}

#[cfg(test)]
mod tests {
    use prost_types::Any;

    use super::*;

    fn operation<M: Message + Name>(metadata: &M) -> Operation {
        let type_url = format!("type.googleapis.com/{}", M::full_name());
        let metadata = Some(Any { type_url, value: metadata.encode_to_vec() });
        Operation { metadata, ..Operation::default() }
    }

    #[test]
    fn progress_is_read_of_all_kinds_of_work() {
        let recomputation = RecomputeHealthMetadata {
            start_day: "2026-03-01".to_owned(),
            account_count: 200,
            done_count: 3,
            ..RecomputeHealthMetadata::default()
        };
        let progress = Progress::of(&operation(&recomputation)).expect("progress");
        assert_eq!((progress.what.as_str(), progress.percent()), ("recomputation from 2026-03-01 on", Some(1)));
        let progress = Progress::of(&operation(&BacktestModelMetadata::default())).expect("progress");
        assert_eq!((progress.what.as_str(), progress.percent()), ("backtest", None));
        let training =
            TrainForecastMetadata { account_count: 200, done_count: 100, ..TrainForecastMetadata::default() };
        let progress = Progress::of(&operation(&training)).expect("progress");
        assert_eq!((progress.what.as_str(), progress.percent()), ("training of a forecast", Some(50)));
        assert_eq!(Progress::of(&operation(&Timestamp::default())), None);
    }

    #[test]
    fn how_an_operation_ended_is_told() {
        let with = |done, result| state(&Operation { done, result, ..Operation::default() });
        assert_eq!(with(false, None), "under way");
        assert_eq!(with(true, Some(OperationResult::Response(Any::default()))), "done");
        let cancelled = mainstay_api::google::rpc::Status { message: "cancelled".to_owned(), ..Default::default() };
        assert_eq!(with(true, Some(OperationResult::Error(cancelled))), "cancelled");
    }
}
