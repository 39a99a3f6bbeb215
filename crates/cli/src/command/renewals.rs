//! `mainstay renewals`: which contracts are due, what is expected of them, and what became of others.

use chrono::NaiveDate;
use clap::{Args, Subcommand, ValueEnum};
use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::renewal_service_client::RenewalServiceClient;
use mainstay_clients::{ServiceChannel, retrying};

use crate::command::models::new_request_id;
use crate::command::{is_enough, page_size, renewal_sync};
use crate::connection::Connection;
use crate::csv::{csv_line, figure};
use crate::failure::Failure;
use crate::money;
use crate::output::{Output, note};
use crate::sync_file::SyncArguments;
use crate::table::{facts, percent, points, table};
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
  mainstay renewals forecast --quarters 2 --output json")]
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
  mainstay renewals report --from 2026-01-01 --to 2026-04-01")]
    Report(PeriodArguments),
    /// Show gross and net revenue retention over a period
    #[command(after_help = "\
Examples:
  mainstay renewals retention
  mainstay renewals retention --from 2025-07-01 --to 2026-07-01 --output json")]
    Retention(PeriodArguments),
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

/// How many quarters.
#[derive(Debug, Args)]
pub(crate) struct ForecastArguments {
    /// How many quarters, the running one included
    #[arg(long, value_name = "COUNT", default_value_t = 4)]
    quarters: i32,
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

/// Which days.
#[derive(Debug, Args)]
pub(crate) struct PeriodArguments {
    /// From this day on [default: a year before the end]
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    from: Option<NaiveDate>,
    /// Before this day [default: today]
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    to: Option<NaiveDate>,
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
        RenewalsCommand::Forecast(arguments) => forecast(arguments, connection, output).await,
        RenewalsCommand::Call(arguments) => call(arguments, connection, output).await,
        RenewalsCommand::Sync(arguments) => renewal_sync::run(arguments, connection, output).await,
        RenewalsCommand::Report(arguments) => report(arguments, connection, output).await,
        RenewalsCommand::Retention(arguments) => retention(arguments, connection, output).await,
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

async fn forecast(arguments: &ForecastArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = proto::GetRenewalForecastRequest { quarter_count: arguments.quarters };
    let get = async || client(connection).get_renewal_forecast(request).await;
    let forecast = retrying(&connection.retries, get).await?.into_inner();
    if output.is_json() {
        return Ok(output.json_object(&forecast)?);
    }
    let mut rows = table(&["QUARTER", ">DUE", ">RENEW", "95 %", ">ARR", ">EXPECTED", "95 %", "CALLS"]);
    for quarter in &forecast.quarters {
        let called = |one: &proto::CalledRenewals| format!("{} {}", one.count, expectation(one.expectation()));
        let mut first = vec![
            quarter.quarter.clone(),
            quarter.renewal_count.to_string(),
            format!("{:.1}", quarter.expected_count),
            format!("{}–{}", quarter.count_low, quarter.count_high),
        ];
        let mut calls = quarter.calls.iter().map(called).collect::<Vec<_>>().join(", ");
        let empty = proto::QuarterRevenue::default();
        let none = [empty];
        for revenue in if quarter.revenues.is_empty() { &none[..] } else { &quarter.revenues } {
            let low_to_high = if revenue.arr.is_some() {
                format!("{} – {}", amount(revenue.low.as_ref()), amount(revenue.high.as_ref()))
            } else {
                String::new()
            };
            first.extend([
                amount(revenue.arr.as_ref()),
                amount(revenue.expected_arr.as_ref()),
                low_to_high,
                std::mem::take(&mut calls),
            ]);
            rows.add_row(std::mem::replace(&mut first, vec![String::new(); 4]));
        }
    }
    output.table(rows)?;
    if forecast.forecast_model.is_empty() {
        note("There is no forecast model, and so no likelihood: mainstay forecast train.");
    }
    Ok(())
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

async fn report(arguments: &PeriodArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request =
        proto::GetRenewalReportRequest { start_day: day_text(arguments.from), end_day: day_text(arguments.to) };
    let get = async || client(connection).get_renewal_report(request.clone()).await;
    let report = retrying(&connection.retries, get).await?.into_inner();
    if output.is_json() {
        return Ok(output.json_object(&report)?);
    }
    let rate = match (report.renewal_rate, report.rate_low, report.rate_high) {
        (Some(rate), Some(low), Some(high)) => {
            format!("{} ({}–{}), target {}", percent(rate), percent(low), percent(high), percent(report.target_rate))
        }
        _ => "none was decided".to_owned(),
    };
    let mut rows = vec![
        ("Due", format!("{} to before {}", report.start_day, report.end_day)),
        ("Renewal rate", rate),
        ("Renewed", report.renewed_count.to_string()),
        ("Churned", report.churned_count.to_string()),
        ("Overdue", report.undecided_count.to_string()),
    ];
    for revenue in &report.revenues {
        let share = revenue.renewal_rate.map_or_else(|| "–".to_owned(), percent);
        rows.push((
            "Revenue",
            format!(
                "{share}: {} renewed, {} churned",
                amount(revenue.renewed_arr.as_ref()),
                amount(revenue.churned_arr.as_ref())
            ),
        ));
    }
    if let Some(accuracy) = &report.accuracy {
        rows.push((
            "Brier score",
            format!(
                "of {}: people {:.3}, model {:.3}; the smaller, the better",
                counted(accuracy.count, "call"),
                accuracy.people_brier,
                accuracy.model_brier
            ),
        ));
    }
    Ok(output.table(facts(rows))?)
}

async fn retention(arguments: &PeriodArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request =
        proto::GetRevenueRetentionRequest { start_day: day_text(arguments.from), end_day: day_text(arguments.to) };
    let get = async || client(connection).get_revenue_retention(request.clone()).await;
    let retention = retrying(&connection.retries, get).await?.into_inner();
    if output.is_json() {
        return Ok(output.json_object(&retention)?);
    }
    let mut rows = table(&[">ACCOUNTS", ">START", ">CHURNED", ">CONTRACTION", ">EXPANSION", ">GRR", ">NRR"]);
    for one in &retention.currencies {
        rows.add_row([
            one.account_count.to_string(),
            amount(one.start_arr.as_ref()),
            amount(one.churned_arr.as_ref()),
            amount(one.contraction_arr.as_ref()),
            amount(one.expansion_arr.as_ref()),
            format!("{:.1}%", one.gross_retention * 100.0),
            format!("{:.1}%", one.net_retention * 100.0),
        ]);
    }
    if retention.currencies.is_empty() {
        note("No revenue is known of those who were customers then.");
    } else {
        output.table(rows)?;
    }
    let since = day_of_time(retention.known_since_time);
    output.line(&format!("From {} to {}; revenue is known since {since}.", retention.start_day, retention.end_day))?;
    Ok(())
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
