//! `mainstay health judge`: what those who look after an account think of it.

use clap::Args;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::signal_service_client::SignalServiceClient;
use mainstay_api::mainstay::scoring::v1::{BatchRecordSignalsRequest, PulseSignal, Signal};
use mainstay_clients::retrying;

use crate::command::models::new_request_id;
use crate::connection::Connection;
use crate::due::now_time;
use crate::failure::Failure;
use crate::output::Output;
use crate::words::account_name;

/// The source of judgements that are given here.
const SOURCE: &str = "mainstay.cli";

pub(crate) const HELP: &str = "\
The newest judgement counts in full on its day, fades to the middle, and after 90 days counts no more.

Examples:
  mainstay health judge acme 4
  mainstay health judge acme 1 --note 'The sponsor left, nobody answers' --by mia@example.com";

/// A judgement.
#[derive(Debug, Args)]
pub(crate) struct JudgeArguments {
    /// The account, by id
    account: String,
    /// From 1 (about to leave) to 5 (delighted)
    #[arg(value_parser = clap::value_parser!(i32).range(1..=5))]
    rating: i32,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// Who judges, by mail address
    #[arg(long, value_name = "EMAIL", default_value = "")]
    by: String,
}

/// Records the judgement.
pub(crate) async fn run(
    arguments: &JudgeArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let JudgeArguments { account, rating, note, by } = arguments;
    let pulse = PulseSignal { rating: *rating, note: note.clone(), author_email: by.clone() };
    let signal = Signal {
        account: account_name(account)?,
        source: SOURCE.to_owned(),
        source_id: new_request_id(),
        event_time: Some(now_time()),
        payload: Some(Payload::Pulse(pulse)),
        record_time: None,
        withdrawal: None,
    };
    let request = BatchRecordSignalsRequest { signals: vec![signal.clone()], ..BatchRecordSignalsRequest::default() };
    let client = || SignalServiceClient::new(connection.channel.clone());
    retrying(&connection.retries, async || client().batch_record_signals(request.clone()).await).await?;
    if output.is_json() {
        output.json_object(&signal)?;
    } else {
        output.line(&format!("{account} is judged with {rating} of 5; its score follows in a moment."))?;
    }
    Ok(())
}
