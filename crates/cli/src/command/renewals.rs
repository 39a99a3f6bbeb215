//! `mainstay renewals`: which contracts are due, what is expected of them, and what became of others.

use chrono::NaiveDate;
use clap::{Args, Subcommand, ValueEnum};
use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::renewal_service_client::RenewalServiceClient;
use mainstay_clients::{ServiceChannel, retrying};

use crate::command::models::new_request_id;
use crate::command::renewal_reports::{self, ForecastArguments, ReportArguments, RetentionArguments};
use crate::command::{is_enough, page_size, renewal_sync};
use crate::connection::Connection;
use crate::csv::{csv_line, figure};
use crate::failure::Failure;
use crate::money;
use crate::output::{Output, note};
use crate::sync_file::SyncArguments;
use crate::table::{percent, points, table};
use crate::words::{account_name, counted, day_of_time, day_text, id_of, parse_day, segment};

/// Commands about renewals.
#[derive(Debug, Subcommand)]
pub(crate) enum RenewalsCommand {
    /// List renewals by due time, those that are decided too
    #[command(after_help = "\
Examples:
  mainstay renewals list --open
  mainstay renewals list --from 2026-07-01 --to 2026-10-01 --limit 0 --csv > third-quarter.csv")]
    List(ListArguments),
    /// Show what can be expected to renew, quarter by quarter
    #[command(after_help = "\
Examples:
  mainstay renewals forecast
  mainstay renewals forecast --quarters 2 --output json
  mainstay renewals forecast --quarters 8 --csv revenues > revenues.csv")]
    Forecast(ForecastArguments),
    /// Say what you expect of an account's next renewal
    #[command(after_help = "\
Examples:
  mainstay renewals call acme at-risk --by sam@example.com --note 'new CFO'")]
    Call(CallArguments),
    /// Write open renewals to a file for sales tools: all at first, then what changed and what is gone
    #[command(after_help = renewal_sync::HELP)]
    Sync(SyncArguments),
    /// Show how many renewed, against the target, and who knew it
    #[command(after_help = "\
Examples:
  mainstay renewals report
  mainstay renewals report --from 2026-01-01 --to 2026-04-01
  mainstay renewals report --csv summary > rate.csv")]
    Report(ReportArguments),
    /// Show gross and net revenue retention over a period
    #[command(after_help = "\
Examples:
  mainstay renewals retention
  mainstay renewals retention --from 2025-07-01 --to 2026-07-01 --output json
  mainstay renewals retention --csv revenues > retention.csv")]
    Retention(RetentionArguments),
}

/// Which renewals.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Due on this day or later
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    from: Option<NaiveDate>,
    /// Due before this day
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    to: Option<NaiveDate>,
    /// Only those that are not decided
    #[arg(long)]
    open: bool,
    /// How many at most; 0 for all
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
    /// Write CSV
    #[arg(long)]
    csv: bool,
}

/// What is expected.
#[derive(Debug, Args)]
pub(crate) struct CallArguments {
    /// The account
    account: String,
    /// What you expect
    #[arg(value_enum)]
    expectation: ExpectationWord,
    /// Who says so
    #[arg(long, value_name = "EMAIL")]
    by: String,
    /// Why
    #[arg(long, default_value = "", hide_default_value = true)]
    note: String,
}

/// What is expected, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExpectationWord {
    /// It renews
    Commit,
    /// It probably renews
    Likely,
    /// It may not renew
    AtRisk,
    /// It does not renew
    Churn,
}

impl From<ExpectationWord> for proto::RenewalExpectation {
    fn from(word: ExpectationWord) -> Self {
        match word {
            ExpectationWord::Commit => Self::Commit,
            ExpectationWord::Likely => Self::Likely,
            ExpectationWord::AtRisk => Self::AtRisk,
            ExpectationWord::Churn => Self::Churn,
        }
    }
}

/// The word for what is expected; empty for nothing.
pub(crate) fn expectation(expectation: proto::RenewalExpectation) -> &'static str {
    match expectation {
        proto::RenewalExpectation::Unspecified => "",
        proto::RenewalExpectation::Commit => "commit",
        proto::RenewalExpectation::Likely => "likely",
        proto::RenewalExpectation::AtRisk => "at risk",
        proto::RenewalExpectation::Churn => "churn",
    }
}

fn outcome(outcome: proto::RenewalOutcome) -> &'static str {
    match outcome {
        proto::RenewalOutcome::Unspecified => "",
        proto::RenewalOutcome::Renewed => "renewed",
        proto::RenewalOutcome::Churned => "churned",
    }
}

/// The client for renewals on a connection.
pub(crate) fn client(connection: &Connection) -> RenewalServiceClient<ServiceChannel> {
    RenewalServiceClient::new(connection.channel.clone())
}

/// Runs the command.
pub(crate) async fn run(
    command: &RenewalsCommand,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    match command {
        RenewalsCommand::List(arguments) => list(arguments, connection, output).await,
        RenewalsCommand::Forecast(arguments) => renewal_reports::forecast(arguments, connection, output).await,
        RenewalsCommand::Call(arguments) => call(arguments, connection, output).await,
        RenewalsCommand::Sync(arguments) => renewal_sync::run(arguments, connection, output).await,
        RenewalsCommand::Report(arguments) => renewal_reports::report(arguments, connection, output).await,
        RenewalsCommand::Retention(arguments) => renewal_reports::retention(arguments, connection, output).await,
    }
}

async fn list(arguments: &ListArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let mut found: Vec<proto::DueRenewal> = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = proto::ListRenewalsRequest {
            page_size: page_size(arguments.limit, found.len()),
            page_token,
            start_day: day_text(arguments.from),
            end_day: day_text(arguments.to),
            undecided_only: arguments.open,
            ..Default::default()
        };
        let fetch = async || client(connection).list_renewals(request.clone()).await;
        let page = retrying(&connection.retries, fetch).await?.into_inner();
        found.extend(page.renewals);
        page_token = page.next_page_token;
        if page_token.is_empty() || is_enough(arguments.limit, found.len()) {
            break;
        }
    }
    if output.is_json() {
        return found.iter().try_for_each(|one| Ok(output.json_line(one)?));
    }
    if arguments.csv {
        return csv_lines(&found).iter().try_for_each(|line| Ok(output.csv_line(line)?));
    }
    if found.is_empty() {
        note("There are no such renewals.");
        return Ok(());
    }
    output.table(renewals(&found))?;
    if !page_token.is_empty() {
        note(&format!(
            "The first {}; --limit 0 shows all.",
            counted(found.len().try_into().unwrap_or(i64::MAX), "renewal")
        ));
    }
    Ok(())
}

fn renewals(found: &[proto::DueRenewal]) -> comfy_table::Table {
    let mut rows =
        table(&["DUE", "ACCOUNT", "NAME", "SEGMENT", ">ARR", ">SCORE", ">LIKELY", ">EXPECTED", "CALL", "OUTCOME"]);
    for one in found {
        rows.add_row([
            day_of_time(one.due_time),
            id_of(&one.account).to_owned(),
            one.account_display_name.clone(),
            segment(one.segment()).to_owned(),
            amount(one.arr.as_ref()),
            points(one.score),
            one.likelihood.map_or_else(|| "–".to_owned(), percent),
            amount(one.expected_arr.as_ref()),
            one.call.as_ref().map_or("", |call| expectation(call.expectation())).to_owned(),
            outcome(one.outcome()).to_owned(),
        ]);
    }
    rows
}

fn amount(amount: Option<&Money>) -> String {
    amount.map(money::format).unwrap_or_default()
}

/// A renewal a line, amounts in minor units.
fn csv_lines(found: &[proto::DueRenewal]) -> Vec<String> {
    let titles = [
        "due",
        "account",
        "name",
        "segment",
        "currency",
        "arr",
        "score",
        "likelihood",
        "expected_arr",
        "call",
        "called_by",
        "outcome",
        "decided",
    ];
    let line = |one: &proto::DueRenewal| {
        let units = |amount: &Option<Money>| figure(amount.as_ref().map(|amount| amount.minor_units));
        let call = one.call.clone().unwrap_or_default();
        csv_line(&[
            day_of_time(one.due_time),
            id_of(&one.account).to_owned(),
            one.account_display_name.clone(),
            segment(one.segment()).to_owned(),
            one.arr.as_ref().map(|arr| arr.currency_code.clone()).unwrap_or_default(),
            units(&one.arr),
            figure(one.score),
            figure(one.likelihood),
            units(&one.expected_arr),
            expectation(call.expectation()).to_owned(),
            call.author_email,
            outcome(one.outcome()).to_owned(),
            day_of_time(one.decision_time),
        ])
    };
    std::iter::once(csv_line(&titles.map(str::to_owned))).chain(found.iter().map(line)).collect()
}

async fn call(arguments: &CallArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = proto::SetRenewalCallRequest {
        account: account_name(&arguments.account)?,
        expectation: proto::RenewalExpectation::from(arguments.expectation).into(),
        note: arguments.note.clone(),
        author_email: arguments.by.clone(),
        request_id: new_request_id(),
    };
    let set = async || client(connection).set_renewal_call(request.clone()).await;
    let kept = retrying(&connection.retries, set).await?.into_inner();
    if output.is_json() {
        return Ok(output.json_object(&kept)?);
    }
    let by_model =
        kept.likelihood.map_or_else(String::new, |likelihood| format!("; the model says {}", percent(likelihood)));
    Ok(output.line(&format!(
        "{}, due on {}: {}{by_model}.",
        id_of(&kept.account),
        day_of_time(kept.due_time),
        expectation(kept.expectation())
    ))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renewal_has_a_line_for_people_and_for_spreadsheets() {
        let euros = |minor_units| Some(Money { currency_code: "EUR".to_owned(), minor_units });
        let one = proto::DueRenewal {
            account: "accounts/acme".to_owned(),
            account_display_name: "Acme, Inc.".to_owned(),
            segment: proto::Segment::Smb.into(),
            due_time: Some(prost_types::Timestamp { seconds: 1_782_864_000, nanos: 0 }),
            arr: euros(100_000),
            score: Some(61.5),
            likelihood: Some(0.875),
            expected_arr: euros(87_500),
            call: Some(proto::RenewalCall {
                expectation: proto::RenewalExpectation::AtRisk.into(),
                author_email: "sam@example.com".to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        };
        let decided = proto::DueRenewal {
            account: "accounts/b".to_owned(),
            outcome: proto::RenewalOutcome::Renewed.into(),
            ..Default::default()
        };
        let found = [one, decided];
        let mut shown = renewals(&found);
        shown.force_no_tty();
        let expected = "\
DUE         ACCOUNT  NAME        SEGMENT           ARR  SCORE  LIKELY    EXPECTED  CALL     OUTCOME
2026-07-01  acme     Acme, Inc.  smb      1,000.00 EUR   61.5     88%  875.00 EUR  at risk
            b                                               –       –                       renewed";
        assert_eq!(shown.trim_fmt(), expected);
        assert_eq!(
            csv_lines(&found)[1..],
            [
                "2026-07-01,acme,\"Acme, Inc.\",smb,EUR,100000,61.5,0.875,87500,at risk,sam@example.com,,",
                ",b,,,,,,,,,,renewed,",
            ]
        );
    }
}
