//! `mainstay accounts withdraw-signals`: takes back what should not have been recorded.

use clap::{ArgGroup, Args};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::signal_service_client::SignalServiceClient;
use mainstay_clients::{ServiceChannel, retrying};

use crate::command::account_signals::SignalFilterArguments;
use crate::command::models::new_request_id;
use crate::command::page_size;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::Output;
use crate::words::account_name;

/// Most ids of one request.
const IDS_MAX: usize = 1_000;

/// Which signals, and why.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").args(["id", "all"]).required(true))]
pub(crate) struct WithdrawSignalsArguments {
    /// The account, by id
    account: String,
    /// The system that sent them
    #[arg(long)]
    source: String,
    /// The signal's id in its system, as `mainstay accounts signals` shows it; may be repeated
    #[arg(long, value_name = "ID", conflicts_with_all = ["from", "before", "kind"])]
    id: Vec<String>,
    /// All that the system sent, as far as the other options say
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    filter: SignalFilterArguments,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Have the server check it, and withdraw nothing
    #[arg(long)]
    check: bool,
}

fn client(connection: &Connection) -> SignalServiceClient<ServiceChannel> {
    SignalServiceClient::new(connection.channel.clone())
}

/// Withdraws signals, and says what became of them.
pub(crate) async fn run(
    arguments: &WithdrawSignalsArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let account = account_name(&arguments.account)?;
    let ids = if arguments.all { all(arguments, &account, connection).await? } else { arguments.id.clone() };
    let mut total = proto::WithdrawSignalsResponse::default();
    for source_ids in ids.chunks(IDS_MAX) {
        let request = proto::WithdrawSignalsRequest {
            account: account.clone(),
            source: arguments.source.clone(),
            source_ids: source_ids.to_vec(),
            reason: arguments.reason.clone(),
            request_id: new_request_id(),
            validate_only: arguments.check,
        };
        let answer =
            retrying(&connection.retries, async || client(connection).withdraw_signals(request.clone()).await).await?;
        add(&mut total, &answer.into_inner());
    }
    if output.is_json() {
        return Ok(output.json_object(&total)?);
    }
    Ok(output.line(&in_words(&total, arguments.check))?)
}

/// The ids of all signals of the source that count and that the filter lets through.
async fn all(
    arguments: &WithdrawSignalsArguments,
    account: &str,
    connection: &Connection,
) -> Result<Vec<String>, Failure> {
    let mut request = proto::ListSignalsRequest {
        parent: account.to_owned(),
        page_size: page_size(0, 0),
        source: arguments.source.clone(),
        exclude_withdrawn: true,
        ..arguments.filter.request()
    };
    let mut ids = Vec::new();
    loop {
        let page =
            retrying(&connection.retries, async || client(connection).list_signals(request.clone()).await).await?;
        let page = page.into_inner();
        ids.extend(page.signals.into_iter().map(|signal| signal.source_id));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return Ok(ids);
        }
    }
}

fn add(total: &mut proto::WithdrawSignalsResponse, part: &proto::WithdrawSignalsResponse) {
    total.withdrawn_count += part.withdrawn_count;
    total.already_withdrawn_count += part.already_withdrawn_count;
    if total.first_day.is_empty() || (!part.first_day.is_empty() && part.first_day < total.first_day) {
        total.first_day.clone_from(&part.first_day);
    }
}

fn in_words(total: &proto::WithdrawSignalsResponse, is_check: bool) -> String {
    let signals = if total.withdrawn_count == 1 { "signal" } else { "signals" };
    let done = match (is_check, total.withdrawn_count) {
        (true, _) => "would be withdrawn",
        (false, 1) => "was withdrawn",
        (false, _) => "were withdrawn",
    };
    let already = match total.already_withdrawn_count {
        0 => String::new(),
        count => format!(", {count} already had been"),
    };
    let scores = match (total.first_day.as_str(), is_check) {
        ("", _) => String::new(),
        (day, true) => format!(" Scores from {day} on would change."),
        (day, false) => format!(" Scores are computed again from {day} on."),
    };
    format!("{} {signals} {done}{already}.{scores}", total.withdrawn_count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_the_signals_is_said_in_a_sentence() {
        let mut total = proto::WithdrawSignalsResponse::default();
        assert_eq!(in_words(&total, false), "0 signals were withdrawn.");
        let part = |withdrawn_count, already_withdrawn_count, day: &str| proto::WithdrawSignalsResponse {
            withdrawn_count,
            already_withdrawn_count,
            first_day: day.to_owned(),
        };
        add(&mut total, &part(1, 0, "2026-03-02"));
        assert_eq!(in_words(&total, false), "1 signal was withdrawn. Scores are computed again from 2026-03-02 on.");
        add(&mut total, &part(2, 4, ""));
        add(&mut total, &part(1, 0, "2026-03-01"));
        assert_eq!(
            in_words(&total, true),
            "4 signals would be withdrawn, 4 already had been. Scores from 2026-03-01 on would change."
        );
    }
}
