//! `mainstay cohorts change`: whether customers stay longer since a change.

use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::cohort_service_client::CohortServiceClient;
use mainstay_clients::retrying;
use proto::compare_before_after_request::Change;

use crate::command::comparison_view::{
    CURVE_TITLES, curve_lines, difference, revenue, stayed, test_line, uncounted_lines,
};
use crate::connection::Connection;
use crate::csv::{csv_line, figure};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::table;
use crate::words::{SegmentWord, counted, parse_day, time_text};

/// Which change.
#[derive(Debug, Args)]
pub(crate) struct ChangeArguments {
    /// The day of the change, for example 2026-03-01
    #[arg(value_name = "DAY", value_parser = parse_day, required_unless_present = "feature", conflicts_with = "feature")]
    day: Option<NaiveDate>,
    /// Instead of a day: the feature whose first release is the change
    #[arg(long, value_name = "NAME")]
    feature: Option<String>,
    /// What the change is called in the answer
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    label: String,
    /// How many days before and after the change are compared
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    follow: i32,
    /// Only these segments
    #[arg(long, value_enum, value_delimiter = ',')]
    segment: Vec<SegmentWord>,
    /// Write one part as CSV
    #[arg(long, value_name = "PART", value_enum)]
    csv: Option<Part>,
}

/// A part of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The curves before and after
    Curves,
    /// How many left month by month
    Months,
}

/// Runs the command.
pub(crate) async fn run(
    arguments: &ChangeArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let day = arguments.day.map(|day| Change::Day(day.to_string()));
    let request = proto::CompareBeforeAfterRequest {
        change: arguments.feature.clone().map(Change::Feature).or(day),
        label: arguments.label.clone(),
        follow_day_count: arguments.follow,
        segments: arguments.segment.iter().map(|word| proto::Segment::from(*word).into()).collect(),
    };
    let client = || CohortServiceClient::new(connection.channel.clone());
    let answer = retrying(&connection.retries, async || client().compare_before_after(request.clone()).await)
        .await?
        .into_inner();
    if output.is_json() {
        return Ok(output.json_object(&answer)?);
    }
    let name = match (answer.label.as_str(), arguments.feature.as_deref()) {
        ("", None) => "the change".to_owned(),
        ("", Some(feature)) => format!("the feature {feature}"),
        (label, _) => label.to_owned(),
    };
    let as_of = time_text(answer.as_of_time);
    let title = format!("Retention before and after {name} of {}, as of {as_of}", answer.change_day);
    if let Some(part) = arguments.csv {
        let lines = match part {
            Part::Curves => curves_csv(&answer),
            Part::Months => months_csv(&answer),
        };
        return Ok(output.csv_table(&lines, &title)?);
    }
    output.title(&title)?;
    output.table(periods(&answer))?;
    for line in remarks(&answer) {
        output.line(&line)?;
    }
    output.heading("Who left, month by month")?;
    output.table(months(&answer))?;
    Ok(())
}

/// The customers before and after.
fn periods(answer: &proto::BeforeAfterComparison) -> comfy_table::Table {
    let mut rows = table(&["PERIOD", "FROM", "TO", ">CUSTOMERS", ">LEFT", ">STAYED", ">ARR"]);
    let comparison = answer.comparison.clone().unwrap_or_default();
    let until_change = "the day before".to_owned();
    for (name, from, to, group) in [
        ("before", &answer.before_first_day, &until_change, &comparison.reference),
        ("after", &answer.change_day, &answer.after_last_day, &comparison.group),
    ] {
        let group = group.clone().unwrap_or_default();
        rows.add_row([
            name.to_owned(),
            from.clone(),
            to.clone(),
            group.customer_count.to_string(),
            group.churned_count.to_string(),
            stayed(&group),
            revenue(&group.annual_revenues),
        ]);
    }
    rows
}

/// What is to be said of both.
fn remarks(answer: &proto::BeforeAfterComparison) -> Vec<String> {
    let comparison = answer.comparison.clone().unwrap_or_default();
    let mut lines = vec![
        format!("After less before, in points: {}.", difference(&comparison)),
        test_line("Log-rank test", comparison.test.as_ref(), &comparison.test_obstacle),
    ];
    if !answer.complete {
        lines.push(format!(
            "The time after the change is not over: {} before and after it are compared so far.",
            counted(answer.follow_day_count.into(), "day")
        ));
    }
    lines.extend(uncounted_lines(&answer.uncounted_accounts));
    lines.push(
        "This shows that retention changed at that time, not why: seasons, prices and all else that changed are in it."
            .to_owned(),
    );
    lines
}

/// A month a line.
fn months(answer: &proto::BeforeAfterComparison) -> comfy_table::Table {
    let mut rows = table(&["MONTH", ">CUSTOMERS", ">LEFT", ">RATE", ""]);
    for month in &answer.months {
        let rate = match (month.churn_rate, month.churn_rate_low, month.churn_rate_high) {
            (Some(rate), Some(low), Some(high)) => {
                let [rate, low, high] = [rate, low, high].map(|share| share * 100.0);
                format!("{rate:.1}% ({low:.1}–{high:.1})")
            }
            _ => "–".to_owned(),
        };
        let has_change = answer.change_day.starts_with(&month.month);
        let remark = match (has_change, month.over) {
            (true, true) => "change",
            (true, false) => "change, so far",
            (false, true) => "",
            (false, false) => "so far",
        };
        rows.add_row([
            month.month.clone(),
            month.customer_count.to_string(),
            month.churned_count.to_string(),
            rate,
            remark.to_owned(),
        ]);
    }
    rows
}

fn curves_csv(answer: &proto::BeforeAfterComparison) -> Vec<String> {
    let titles: Vec<String> = ["period"].into_iter().chain(CURVE_TITLES).map(str::to_owned).collect();
    let comparison = answer.comparison.clone().unwrap_or_default();
    let mut lines = vec![csv_line(&titles)];
    lines.extend(curve_lines(&["before".to_owned()], comparison.reference.as_ref()));
    lines.extend(curve_lines(&["after".to_owned()], comparison.group.as_ref()));
    lines
}

fn months_csv(answer: &proto::BeforeAfterComparison) -> Vec<String> {
    let titles = ["month", "customers", "churned", "churn_rate", "low", "high", "over"].map(str::to_owned);
    let line = |month: &proto::ChurnMonth| {
        csv_line(&[
            month.month.clone(),
            month.customer_count.to_string(),
            month.churned_count.to_string(),
            figure(month.churn_rate),
            figure(month.churn_rate_low),
            figure(month.churn_rate_high),
            month.over.to_string(),
        ])
    };
    std::iter::once(csv_line(&titles)).chain(answer.months.iter().map(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> proto::BeforeAfterComparison {
        let group = |customer_count, churned_count, share: f64| proto::RetentionGroup {
            customer_count,
            churned_count,
            retention: Some(share),
            retention_low: Some(share / 2.0),
            retention_high: Some(1.0),
            ..Default::default()
        };
        let month = |month: &str, churned_count, rate, over| proto::ChurnMonth {
            month: month.to_owned(),
            customer_count: 40,
            churned_count,
            churn_rate: Some(rate),
            churn_rate_low: Some(rate / 2.0),
            churn_rate_high: Some(rate * 2.0),
            over,
        };
        proto::BeforeAfterComparison {
            change_day: "2026-05-20".to_owned(),
            before_first_day: "2026-04-23".to_owned(),
            after_last_day: "2026-06-15".to_owned(),
            follow_day_count: 27,
            comparison: Some(proto::RetentionComparison {
                group: Some(group(40, 2, 0.95)),
                reference: Some(group(44, 4, 0.9)),
                difference: Some(0.05),
                test_obstacle: "too few left".to_owned(),
                ..Default::default()
            }),
            months: vec![month("2026-05", 4, 0.1, true), month("2026-06", 1, 0.025, false)],
            ..Default::default()
        }
    }

    #[test]
    fn r90_both_periods_and_the_months_around_the_change_are_shown() {
        let mut shown = periods(&answer());
        shown.force_no_tty();
        let expected = "\
PERIOD  FROM        TO              CUSTOMERS  LEFT        STAYED  ARR
before  2026-04-23  the day before         44     4  90% (45–100)    –
after   2026-05-20  2026-06-15             40     2  95% (48–100)    –";
        assert_eq!(shown.trim_fmt(), expected);
        let mut shown = months(&answer());
        shown.force_no_tty();
        let expected = "\
MONTH    CUSTOMERS  LEFT              RATE
2026-05         40     4  10.0% (5.0–20.0)  change
2026-06         40     1    2.5% (1.2–5.0)  so far";
        assert_eq!(shown.trim_fmt(), expected);
    }

    #[test]
    fn r90_what_is_not_over_and_what_it_does_not_prove_are_said() {
        assert_eq!(
            remarks(&answer()),
            [
                "After less before, in points: +5.0.",
                "Log-rank test: none; too few left.",
                "The time after the change is not over: 27 days before and after it are compared so far.",
                "This shows that retention changed at that time, not why: seasons, prices and all else that changed are in it.",
            ]
        );
        let lines = months_csv(&answer());
        assert_eq!(lines[0], "month,customers,churned,churn_rate,low,high,over");
        assert_eq!(lines[2], "2026-06,40,1,0.025,0.0125,0.05,false");
        assert_eq!(curves_csv(&answer()), ["period,day,at_risk,churned,survival,low,high"]);
    }
}
