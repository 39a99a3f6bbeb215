//! `mainstay cases report`: how well the work goes.

use chrono::{NaiveDate, TimeDelta};
use clap::Args;
use comfy_table::Table;
use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_api::mainstay::interventions::v1::report_service_client::ReportServiceClient;
use mainstay_api::mainstay::scoring::v1::Segment;
use mainstay_clients::retrying;

use crate::connection::Connection;
use crate::due::{length, today};
use crate::failure::Failure;
use crate::output::{Output, note};
use crate::table::{percent, table};
use crate::words::interventions::{clock_step, enum_word};
use crate::words::{SegmentWord, midnight, parse_day, time_text};

/// Days that a report is about when nobody says from when.
const DAYS: i64 = 90;

/// What a report is about.
#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// From this day on (UTC) [default: 90 days ago]
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    from: Option<NaiveDate>,
    /// Before this day (UTC) [default: up to now]
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    to: Option<NaiveDate>,
    /// Only accounts of this segment
    #[arg(long, value_enum)]
    segment: Option<SegmentWord>,
}

/// Shows the report.
pub(crate) async fn report(
    arguments: &ReportArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let from = arguments.from.unwrap_or_else(|| today() - TimeDelta::days(DAYS));
    let request = proto::GetInterventionReportRequest {
        start_time: Some(midnight(from)),
        end_time: arguments.to.map(midnight),
        segment: arguments.segment.map_or(Segment::Unspecified, Segment::from).into(),
    };
    let send = || async { ReportServiceClient::new(connection.channel.clone()).get_intervention_report(request).await };
    let report = retrying(&connection.retries, send).await?.into_inner();
    if output.is_json() {
        return Ok(output.json_object(&report)?);
    }
    output.line(&format!("From {} to {}.", time_text(report.start_time), time_text(report.end_time)))?;
    output.line("")?;
    output.table(outcomes(&report))?;
    if report.response_times.is_empty() {
        note("No deadline was due in this time.");
        return Ok(());
    }
    output.line("")?;
    output.table(deadlines(&report.response_times))?;
    Ok(())
}

/// How cases ended, next to what is aimed at.
fn outcomes(report: &proto::InterventionReport) -> Table {
    let mut table = table(&["CASES", ">FIGURE", "95 % INTERVAL", ">OF", "TARGET"]);
    let success = report.success.unwrap_or_default();
    let detractors = report.detractors_recovered.unwrap_or_default();
    let critical = report.critical_response.unwrap_or_default();
    let answered = critical.in_time.unwrap_or_default();
    let days = report.recovery_days.unwrap_or_default();
    let gained = report.points_gained.unwrap_or_default();
    for (title, share, target) in [
        ("saved, of those saved or churned", success, "75 to 80 %"),
        ("detractors who answered 7 or more again", detractors, ""),
        ("critical alerts answered within 4 hours", answered, "all"),
    ] {
        table.add_row([
            title.to_owned(),
            share_text(&share),
            share_range(&share),
            share.total.to_string(),
            target.to_owned(),
        ]);
    }
    for (title, measured, target) in
        [("days from the intervention to saved", days, "60 to 90"), ("points of health gained", gained, "25 to 30")]
    {
        table.add_row([
            title.to_owned(),
            number(measured.mean),
            number_range(&measured),
            measured.count.to_string(),
            target.to_owned(),
        ]);
    }
    let without = report.no_action_count.to_string();
    table.add_row(["ended without action", &without, "", "", ""].map(str::to_owned));
    table
}

/// How deadlines were kept, a row for each kind and step.
fn deadlines(all: &[proto::ResponseTimes]) -> Table {
    let mut table = table(&[
        "OF",
        "DEADLINE",
        ">IN TIME",
        "95 % INTERVAL",
        ">DUE",
        ">NEVER MET",
        ">HOURS, MEDIAN",
        ">9 OF 10",
        ">TARGET",
    ]);
    for times in all {
        let of = match times.alert_kind() {
            proto::AlertKind::Unspecified => "cases".to_owned(),
            kind => enum_word(kind.as_str_name(), "ALERT_KIND_"),
        };
        let in_time = times.in_time.unwrap_or_default();
        let hours = times.hours.unwrap_or_default();
        table.add_row([
            of,
            clock_step(times.step()).to_owned(),
            share_text(&in_time),
            share_range(&in_time),
            in_time.total.to_string(),
            times.never_met_count.to_string(),
            number(hours.median),
            number(hours.p90),
            times.target.map_or_else(String::new, |target| length(target.seconds)),
        ]);
    }
    table
}

fn share_text(share: &proto::Share) -> String {
    share.share.map_or_else(|| "–".to_owned(), percent)
}

fn share_range(share: &proto::Share) -> String {
    let (Some(low), Some(high)) = (share.low, share.high) else { return String::new() };
    format!("{} … {}", percent(low), percent(high))
}

fn number(figure: Option<f64>) -> String {
    figure.map_or_else(|| "–".to_owned(), |figure| format!("{figure:.1}"))
}

fn number_range(measured: &proto::Measurement) -> String {
    let (Some(low), Some(high)) = (measured.mean_low, measured.mean_high) else { return String::new() };
    format!("{low:.1} … {high:.1}")
}
