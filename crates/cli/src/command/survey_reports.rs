//! `mainstay surveys report`: answers, counted.

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use mainstay_api::mainstay::surveys::v1 as proto;
use mainstay_api::mainstay::surveys::v1::report_service_client::ReportServiceClient;
use mainstay_clients::{ServiceChannel, retrying};

use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{facts, percent, table};
use crate::words::interventions::enum_word;
use crate::words::surveys::DimensionWord;
use crate::words::{SegmentWord, id_of, midnight, parse_day, resource_name, segment};

/// Reports.
#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    /// The net promoter score
    #[command(after_help = "\
Examples:
  mainstay surveys report nps
  mainstay surveys report nps --by segment,quarter --from 2026-01-01")]
    Nps(ReportArguments),
    /// Customer satisfaction
    #[command(after_help = "\
Examples:
  mainstay surveys report csat --by month")]
    Csat(ReportArguments),
    /// How many of those who were asked answered
    #[command(after_help = "\
Examples:
  mainstay surveys report rate --by program")]
    Rate(ReportArguments),
    /// The net promoter score quarter by quarter, and whether it changed
    #[command(after_help = "\
A change is called one only when a two-sample z-test finds it at 5 %.

Examples:
  mainstay surveys report trend --quarters 8")]
    Trend(TrendArguments),
    /// What contacts answered before and after their case was resolved
    #[command(after_help = "\
Examples:
  mainstay surveys report resurveys --from 2026-01-01")]
    Resurveys(FilterArguments),
}

/// What a report is about.
#[derive(Debug, Args)]
pub(crate) struct FilterArguments {
    /// Only of these programmes
    #[arg(long, value_delimiter = ',')]
    program: Vec<String>,
    /// Only of these segments
    #[arg(long, value_enum, value_delimiter = ',')]
    segment: Vec<SegmentWord>,
    /// Only from this day on (UTC)
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    from: Option<NaiveDate>,
    /// Only before this day (UTC)
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    to: Option<NaiveDate>,
}

/// What a report is about, and by what it is broken down.
#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    #[command(flatten)]
    filter: FilterArguments,
    /// A row for each
    #[arg(long, value_enum, value_delimiter = ',')]
    by: Vec<DimensionWord>,
}

/// What a trend is about.
#[derive(Debug, Args)]
pub(crate) struct TrendArguments {
    /// Only of these programmes
    #[arg(long, value_delimiter = ',')]
    program: Vec<String>,
    /// Only of these segments
    #[arg(long, value_enum, value_delimiter = ',')]
    segment: Vec<SegmentWord>,
    /// How many quarters, the current one included
    #[arg(long, default_value_t = 5, value_name = "COUNT")]
    quarters: i32,
}

fn client(connection: &Connection) -> ReportServiceClient<ServiceChannel> {
    ReportServiceClient::new(connection.channel.clone())
}

fn programs(given: &[String]) -> Result<Vec<String>, Failure> {
    given.iter().map(|program| resource_name("programs", program)).collect()
}

fn segments(given: &[SegmentWord]) -> Vec<i32> {
    given.iter().map(|&word| mainstay_api::mainstay::scoring::v1::Segment::from(word).into()).collect()
}

impl FilterArguments {
    fn message(&self) -> Result<Option<proto::ReportFilter>, Failure> {
        Ok(Some(proto::ReportFilter {
            programs: programs(&self.program)?,
            segments: segments(&self.segment),
            start_time: self.from.map(midnight),
            end_time: self.to.map(midnight),
        }))
    }
}

impl ReportArguments {
    fn group_by(&self) -> Vec<i32> {
        self.by.iter().map(|&word| proto::ReportDimension::from(word).into()).collect()
    }
}

/// Sends a call, again if the answer is lost.
macro_rules! ask {
    ($connection:expr, $method:ident, $request:expr) => {{
        let request = $request;
        retrying(&$connection.retries, async || client($connection).$method(request.clone()).await).await?.into_inner()
    }};
}

/// Runs the command.
pub(crate) async fn run(command: &ReportCommand, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    match command {
        ReportCommand::Nps(arguments) => nps(arguments, connection, output).await,
        ReportCommand::Csat(arguments) => csat(arguments, connection, output).await,
        ReportCommand::Rate(arguments) => rate(arguments, connection, output).await,
        ReportCommand::Trend(arguments) => trend(arguments, connection, output).await,
        ReportCommand::Resurveys(arguments) => resurveys(arguments, connection, output).await,
    }
}

/// What a row is about, in words.
fn group(key: Option<&proto::ReportKey>) -> String {
    let Some(key) = key else { return "all".to_owned() };
    let mut parts: Vec<String> = [key.period.clone(), id_of(&key.program).to_owned()].to_vec();
    if key.segment.is_some() {
        let word = segment(key.segment());
        parts.push(if word.is_empty() { "no segment".to_owned() } else { word.to_owned() });
    }
    parts.retain(|part| !part.is_empty());
    if parts.is_empty() { "all".to_owned() } else { parts.join(" · ") }
}

fn points(figure: Option<f64>) -> String {
    figure.map_or_else(|| "–".to_owned(), |figure| format!("{figure:+.1}"))
}

fn point_range(interval: Option<proto::Interval>) -> String {
    interval.map_or_else(String::new, |interval| format!("{:+.1} … {:+.1}", interval.low, interval.high))
}

fn share(figure: Option<f64>) -> String {
    figure.map_or_else(|| "–".to_owned(), percent)
}

fn share_range(interval: Option<proto::Interval>) -> String {
    interval.map_or_else(String::new, |interval| format!("{} … {}", percent(interval.low), percent(interval.high)))
}

fn standing(standing: proto::TargetStanding) -> String {
    match standing {
        proto::TargetStanding::Unspecified => String::new(),
        other => enum_word(other.as_str_name(), "TARGET_STANDING_"),
    }
}

async fn nps(arguments: &ReportArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = proto::GetNpsReportRequest { filter: arguments.filter.message()?, group_by: arguments.group_by() };
    let answer = ask!(connection, get_nps_report, request);
    if output.is_json() {
        return Ok(output.json_object(&answer)?);
    }
    let mut table = table(&["GROUP", ">NPS", "95 % INTERVAL", ">PROMOTERS", ">PASSIVES", ">DETRACTORS"]);
    for row in &answer.rows {
        let figure = row.figure.unwrap_or_default();
        table.add_row([
            group(row.key.as_ref()),
            points(figure.nps),
            point_range(figure.interval),
            figure.promoter_count.to_string(),
            figure.passive_count.to_string(),
            figure.detractor_count.to_string(),
        ]);
    }
    Ok(output.table(table)?)
}

async fn csat(arguments: &ReportArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = proto::GetCsatReportRequest { filter: arguments.filter.message()?, group_by: arguments.group_by() };
    let answer = ask!(connection, get_csat_report, request);
    if output.is_json() {
        return Ok(output.json_object(&answer)?);
    }
    let mut table =
        table(&["GROUP", ">CSAT", "95 % INTERVAL", "TARGET 85 %", ">SATISFIED", ">NEUTRAL", ">DISSATISFIED"]);
    for row in &answer.rows {
        let figure = row.figure.unwrap_or_default();
        table.add_row([
            group(row.key.as_ref()),
            share(figure.csat),
            share_range(figure.interval),
            standing(figure.standing()),
            figure.satisfied_count.to_string(),
            figure.neutral_count.to_string(),
            figure.dissatisfied_count.to_string(),
        ]);
    }
    Ok(output.table(table)?)
}

async fn rate(arguments: &ReportArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = proto::GetResponseRateRequest { filter: arguments.filter.message()?, group_by: arguments.group_by() };
    let answer = ask!(connection, get_response_rate, request);
    if output.is_json() {
        return Ok(output.json_object(&answer)?);
    }
    let mut table =
        table(&["GROUP", ">RATE", "95 % INTERVAL", "TARGET 35 %", ">ASKED", ">ANSWERED", ">AFTER REMINDER", ">OPEN"]);
    for row in &answer.rows {
        let figure = row.figure.unwrap_or_default();
        table.add_row([
            group(row.key.as_ref()),
            share(figure.rate),
            share_range(figure.interval),
            standing(figure.standing()),
            figure.invited_count.to_string(),
            figure.answered_count.to_string(),
            figure.answered_after_reminder_count.to_string(),
            figure.open_count.to_string(),
        ]);
    }
    Ok(output.table(table)?)
}

async fn trend(arguments: &TrendArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = proto::GetNpsTrendRequest {
        programs: programs(&arguments.program)?,
        segments: segments(&arguments.segment),
        quarter_count: arguments.quarters,
    };
    let answer = ask!(connection, get_nps_trend, request);
    if output.is_json() {
        return Ok(output.json_object(&answer)?);
    }
    let mut table = table(&["QUARTER", ">NPS", "95 % INTERVAL", ">ANSWERS", ">CHANGE", "VERDICT", ">P"]);
    for quarter in &answer.quarters {
        let figure = quarter.figure.unwrap_or_default();
        let change = quarter.change;
        let verdict =
            change.map(|change| enum_word(change.verdict().as_str_name(), "CHANGE_VERDICT_")).unwrap_or_default();
        table.add_row([
            quarter.quarter.clone(),
            points(figure.nps),
            point_range(figure.interval),
            (figure.promoter_count + figure.passive_count + figure.detractor_count).to_string(),
            change.map(|change| format!("{:+.1}", change.difference)).unwrap_or_default(),
            verdict,
            change.map(|change| format!("{:.3}", change.p_value)).unwrap_or_default(),
        ]);
    }
    Ok(output.table(table)?)
}

async fn resurveys(arguments: &FilterArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let answer =
        ask!(connection, get_resurvey_report, proto::GetResurveyReportRequest { filter: arguments.message()? });
    if output.is_json() {
        return Ok(output.json_object(&answer)?);
    }
    let mean = |score: Option<f64>| score.map_or_else(|| "–".to_owned(), |score| format!("{score:.1}"));
    let rows = vec![
        ("answered again", answer.pair_count.to_string()),
        ("had been detractors", answer.detractor_count.to_string()),
        ("of them recovered", answer.recovered_count.to_string()),
        ("recovery rate", format!("{} {}", share(answer.recovery_rate), share_range(answer.recovery_interval))),
        ("mean score before", mean(answer.mean_score_before)),
        ("mean score after", mean(answer.mean_score_after)),
    ];
    Ok(output.table(facts(rows))?)
}
