//! `mainstay cohorts`: how long customers stay, and what they are worth.

use clap::{Args, Subcommand, ValueEnum};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::cohort_service_client::CohortServiceClient;
use mainstay_clients::retrying;

use crate::command::before_after::{self, ChangeArguments};
use crate::command::comparison_view::uncounted_lines;
use crate::command::exposure::{self, ExposureCommand};
use crate::command::touchpoints::{self, TouchpointArguments};
use crate::connection::Connection;
use crate::csv::{csv_line, figure};
use crate::failure::Failure;
use crate::money;
use crate::output::{Output, note};
use crate::table::{facts, percent, table};
use crate::words::{SegmentWord, account_name, counted, id_of, time_text};

/// Ages of which the table shows how many are left.
const MONTHS_SHOWN: [i32; 8] = [1, 3, 6, 12, 24, 36, 60, 120];

/// Commands about cohorts.
#[derive(Debug, Subcommand)]
pub(crate) enum CohortsCommand {
    /// Show how many customers of each cohort are left after so many months, and whether cohorts differ
    #[command(after_help = "\
Shares are Kaplan–Meier estimates with their 95 % intervals: customers that are still there count for as long as they
were seen. A customer's time begins with its activation, else its contract's start, else its sign-up.

Examples:
  mainstay cohorts retention --by segment
  mainstay cohorts retention --by month --segment enterprise --from 2026-01
  mainstay cohorts retention --by plan --compare basic,pro
  mainstay cohorts retention --by product-line --months 60 --csv > curves.csv")]
    Retention(RetentionArguments),
    /// Compare customers to whom something happened with those to whom it did not: how many of each stayed
    #[command(
        subcommand,
        after_help = "\
What happened counts up to the end of a day, the landmark; those who are customers then are followed from there. Whoever
stays longer has more time for things to happen: without a landmark, outages would seem to keep customers. It shows what
goes together, not what causes what.

Examples:
  mainstay cohorts exposure incidents --at-least 2
  mainstay cohorts exposure touches --at-least 3 --follow 180
  mainstay cohorts exposure cases --outcome recovered
  mainstay cohorts exposure features --name sso"
    )]
    Exposure(ExposureCommand),
    /// See where customers meet friction, and whether those who do leave more often
    #[command(after_help = touchpoints::HELP)]
    Touchpoints(TouchpointArguments),
    /// Compare customers after a change of how the company works with those before it
    #[command(after_help = "\
Who was a customer when the days before the change began is followed up to it, and who was when the day of the change
began from then on, for as many days. The months around it show whether the change lasts, and how much they differ
anyway. It shows that retention changed at that time, not why.

Examples:
  mainstay cohorts change 2026-03-01 --label \"24/7 support\"
  mainstay cohorts change --feature sso --segment enterprise --follow 180
  mainstay cohorts change 2026-03-01 --output markdown > support.md
  mainstay cohorts change 2026-03-01 --csv months > months.csv")]
    Change(ChangeArguments),
    /// Show what can still be expected of an account
    #[command(after_help = "\
By how long customers of its cohort stayed that became as old. Neither discounted nor less its costs.

Examples:
  mainstay cohorts value acme
  mainstay cohorts value acme --by segment --months 12 --output json")]
    Value(ValueArguments),
}

/// Which cohorts.
#[derive(Debug, Args)]
pub(crate) struct RetentionArguments {
    /// What cohorts are by [default: all customers are one]
    #[arg(long, value_enum)]
    by: Option<DimensionWord>,
    /// Only these segments
    #[arg(long, value_enum, value_delimiter = ',')]
    segment: Vec<SegmentWord>,
    /// Only this product line
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    product_line: String,
    /// Only customers since this month or later, for example 2026-01
    #[arg(long, value_name = "MONTH", default_value = "", hide_default_value = true)]
    from: String,
    /// Only customers since this month or before
    #[arg(long, value_name = "MONTH", default_value = "", hide_default_value = true)]
    to: String,
    /// How many months of the curves to show
    #[arg(long, value_name = "COUNT", default_value_t = 24)]
    months: i32,
    /// How many months a lifetime is at most
    #[arg(long, value_name = "COUNT", default_value_t = 36)]
    lifetime: i32,
    /// Test only these cohorts against one another, two at least
    #[arg(long, value_name = "COHORT", value_delimiter = ',')]
    compare: Vec<String>,
    /// Write all points of the curves as CSV
    #[arg(long)]
    csv: bool,
}

/// Whose value.
#[derive(Debug, Args)]
pub(crate) struct ValueArguments {
    /// The account
    account: String,
    /// By which cohort [default: all customers are one]
    #[arg(long, value_enum)]
    by: Option<DimensionWord>,
    /// How many months to look ahead
    #[arg(long, value_name = "COUNT", default_value_t = 36)]
    months: i32,
}

/// What cohorts are by, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DimensionWord {
    /// Size class
    Segment,
    /// Product line
    ProductLine,
    /// Plan
    Plan,
    /// Industry
    Industry,
    /// Month of the start
    Month,
}

fn dimension(word: Option<DimensionWord>) -> proto::CohortDimension {
    match word {
        None => proto::CohortDimension::Unspecified,
        Some(DimensionWord::Segment) => proto::CohortDimension::Segment,
        Some(DimensionWord::ProductLine) => proto::CohortDimension::ProductLine,
        Some(DimensionWord::Plan) => proto::CohortDimension::Plan,
        Some(DimensionWord::Industry) => proto::CohortDimension::Industry,
        Some(DimensionWord::Month) => proto::CohortDimension::OnboardingMonth,
    }
}

/// Runs the command.
pub(crate) async fn run(command: &CohortsCommand, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    match command {
        CohortsCommand::Retention(arguments) => retention(arguments, connection, output).await,
        CohortsCommand::Exposure(command) => exposure::run(command, connection, output).await,
        CohortsCommand::Touchpoints(arguments) => touchpoints::run(arguments, connection, output).await,
        CohortsCommand::Change(arguments) => before_after::run(arguments, connection, output).await,
        CohortsCommand::Value(arguments) => value(arguments, connection, output).await,
    }
}

async fn retention(
    arguments: &RetentionArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let request = proto::GetRetentionRequest {
        dimension: dimension(arguments.by).into(),
        segments: arguments.segment.iter().map(|word| proto::Segment::from(*word).into()).collect(),
        product_line: arguments.product_line.clone(),
        first_month: arguments.from.clone(),
        last_month: arguments.to.clone(),
        month_count: arguments.months,
        lifetime_month_count: arguments.lifetime,
        compared_cohorts: arguments.compare.clone(),
    };
    let client = || CohortServiceClient::new(connection.channel.clone());
    let answer =
        retrying(&connection.retries, async || client().get_retention(request.clone()).await).await?.into_inner();
    if output.is_json() {
        return Ok(output.json_object(&answer)?);
    }
    let title = format!("Retention of customers, as of {}", time_text(answer.as_of_time));
    if arguments.csv {
        return Ok(output.csv_table(&csv_lines(&answer), &title)?);
    }
    output.title(&title)?;
    if answer.cohorts.is_empty() {
        note("There are no customers.");
    } else {
        output.table(curves(&answer, arguments.months))?;
    }
    for line in remarks(&answer) {
        output.line(&line)?;
    }
    Ok(())
}

fn cohort_word(key: &str, dimension: proto::CohortDimension) -> &str {
    match (key, dimension) {
        ("", proto::CohortDimension::Unspecified) => "all",
        ("", _) => "not known",
        (key, _) => key,
    }
}

/// A cohort a line: how many are left after some of the months.
fn curves(answer: &proto::Retention, months: i32) -> comfy_table::Table {
    let shown: Vec<i32> = MONTHS_SHOWN.into_iter().filter(|month| *month <= months).collect();
    let mut titles = vec!["COHORT".to_owned(), ">ACCOUNTS".to_owned(), ">LEFT".to_owned(), ">MEDIAN".to_owned()];
    titles.extend(shown.iter().map(|month| format!(">{month} MO")));
    titles.push(">LIFETIME VALUE".to_owned());
    let mut rows = table(&titles.iter().map(String::as_str).collect::<Vec<_>>());
    for cohort in &answer.cohorts {
        let share = |month: &i32| {
            let point = cohort.months.iter().find(|point| point.month == *month);
            point.map_or_else(|| "–".to_owned(), |point| share_text(point.survival, point.low, point.high))
        };
        let mut row = vec![
            cohort_word(&cohort.key, answer.dimension()).to_owned(),
            cohort.account_count.to_string(),
            cohort.churned_count.to_string(),
            cohort.median_months.map_or_else(|| "–".to_owned(), |months| format!("{months:.1} mo")),
        ];
        row.extend(shown.iter().map(share));
        let values = cohort.revenues.iter().filter_map(|revenue| revenue.lifetime_value.as_ref());
        row.push(values.map(money::format).collect::<Vec<_>>().join(", "));
        rows.add_row(row);
    }
    rows
}

/// A share in percent with its interval.
pub(crate) fn share_text(share: f64, low: f64, high: f64) -> String {
    format!("{} ({:.0}–{:.0})", percent(share), low * 100.0, high * 100.0)
}

/// What is to be said of the cohorts as a whole.
fn remarks(answer: &proto::Retention) -> Vec<String> {
    let mut lines = Vec::new();
    match &answer.test {
        Some(test) => lines.push(format!(
            "Log-rank test of {} cohorts: chi² {:.2}, p {:.4}.",
            test.cohorts.len(),
            test.chi_squared,
            test.p_value
        )),
        None if answer.cohorts.len() > 1 => {
            lines.push(format!("The cohorts cannot be compared: {}.", answer.test_obstacle));
        }
        None => {}
    }
    if answer.omitted_cohort_count > 0 {
        lines.push(format!("{} more are not shown.", counted(answer.omitted_cohort_count, "cohort")));
    }
    lines.extend(uncounted_lines(&answer.uncounted_accounts));
    lines
}

/// Why an account is not counted, behind "accounts".
pub(crate) fn why(reason: proto::UncountedReason) -> &'static str {
    match reason {
        proto::UncountedReason::Unspecified => "for a reason this program does not know",
        proto::UncountedReason::Trial => "in trial",
        proto::UncountedReason::StartUnknown => "without activation, contract start or sign-up",
        proto::UncountedReason::NotStarted => "which start in the future",
        proto::UncountedReason::ChurnTimeUnknown => "churned nobody knows when; a churn signal tells it",
        proto::UncountedReason::EndedBeforeStart => "which ended before they started",
    }
}

/// All points of all curves, those of customers with an empty currency.
fn csv_lines(answer: &proto::Retention) -> Vec<String> {
    let titles = ["cohort", "currency", "month", "at_risk", "churned", "survival", "low", "high"].map(str::to_owned);
    let mut lines = vec![csv_line(&titles)];
    for cohort in &answer.cohorts {
        for point in &cohort.months {
            lines.push(csv_line(&[
                cohort.key.clone(),
                String::new(),
                point.month.to_string(),
                point.at_risk_count.to_string(),
                point.churned_count.to_string(),
                point.survival.to_string(),
                point.low.to_string(),
                point.high.to_string(),
            ]));
        }
        for revenue in &cohort.revenues {
            let currency = revenue.annual_revenue.as_ref().map(|sum| sum.currency_code.clone()).unwrap_or_default();
            for point in &revenue.months {
                lines.push(csv_line(&[
                    cohort.key.clone(),
                    currency.clone(),
                    point.month.to_string(),
                    figure(point.at_risk.as_ref().map(|sum| sum.minor_units)),
                    figure(point.churned.as_ref().map(|sum| sum.minor_units)),
                    point.survival.to_string(),
                    String::new(),
                    String::new(),
                ]));
            }
        }
    }
    lines
}

async fn value(arguments: &ValueArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = proto::GetLifetimeValueRequest {
        account: account_name(&arguments.account)?,
        dimension: dimension(arguments.by).into(),
        month_count: arguments.months,
    };
    let client = || CohortServiceClient::new(connection.channel.clone());
    let worth =
        retrying(&connection.retries, async || client().get_lifetime_value(request.clone()).await).await?.into_inner();
    if output.is_json() {
        return Ok(output.json_object(&worth)?);
    }
    if worth.uncounted_reason() != proto::UncountedReason::Unspecified {
        return Ok(output.line(&format!(
            "Nothing can be said of {}: it is among the accounts {}.",
            id_of(&worth.account),
            why(worth.uncounted_reason())
        ))?);
    }
    let months =
        |months: Option<f64>| months.map_or_else(|| "not known".to_owned(), |months| format!("{months:.1} months"));
    let cohort = cohort_word(&worth.cohort, dimension(arguments.by));
    output.table(facts(vec![
        ("As of", time_text(worth.as_of_time)),
        ("Value", worth.value.as_ref().map_or_else(|| "not known".to_owned(), money::format)),
        ("Expected to stay", months(worth.expected_months)),
        ("Looked ahead", months(worth.lookahead_months)),
        ("Age", months(worth.age_months)),
        (
            "Cohort",
            format!(
                "{cohort}: {}, {} left",
                counted(worth.cohort_account_count, "account"),
                worth.cohort_churned_count
            ),
        ),
    ]))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use mainstay_api::mainstay::common::v1::Money;

    use super::*;

    fn answer() -> proto::Retention {
        let euros = |minor_units| Some(Money { currency_code: "EUR".to_owned(), minor_units });
        let point = |month, at_risk_count, churned_count, survival: f64| proto::RetentionMonth {
            month,
            at_risk_count,
            churned_count,
            survival,
            low: survival / 2.0,
            high: 1.0,
        };
        let smb = proto::Cohort {
            key: "smb".to_owned(),
            account_count: 4,
            churned_count: 2,
            median_months: Some(3.0),
            observed_months: 3.0,
            months: vec![point(0, 4, 0, 1.0), point(1, 4, 1, 0.75), point(2, 3, 0, 0.75), point(3, 3, 1, 0.5)],
            revenues: vec![proto::CohortRevenue {
                annual_revenue: euros(1_200),
                months: vec![proto::RevenueMonth { month: 0, at_risk: euros(1_200), churned: euros(0), survival: 1.0 }],
                lifetime_value: euros(123_450),
                ..Default::default()
            }],
        };
        let unknown = proto::Cohort { account_count: 1, months: vec![point(0, 1, 0, 1.0)], ..Default::default() };
        proto::Retention {
            dimension: proto::CohortDimension::Segment.into(),
            cohorts: vec![smb, unknown],
            omitted_cohort_count: 2,
            test_obstacle: "nobody left".to_owned(),
            uncounted_accounts: vec![proto::UncountedAccounts {
                reason: proto::UncountedReason::Trial.into(),
                count: 1,
            }],
            ..Default::default()
        }
    }

    #[test]
    fn a_cohort_has_a_line_with_its_shares_and_their_intervals() {
        let mut shown = curves(&answer(), 3);
        shown.force_no_tty();
        let expected = "\
COHORT     ACCOUNTS  LEFT  MEDIAN          1 MO          3 MO  LIFETIME VALUE
smb               4     2  3.0 mo  75% (38–100)  50% (25–100)    1,234.50 EUR
not known         1     0       –             –             –";
        assert_eq!(shown.trim_fmt(), expected);
        assert_eq!(
            remarks(&answer()),
            [
                "The cohorts cannot be compared: nobody left.",
                "2 cohorts more are not shown.",
                "Not counted: 1 account, in trial.",
            ]
        );
    }

    #[test]
    fn csv_has_all_points_of_customers_and_of_revenue() {
        assert_eq!(
            csv_lines(&answer()),
            [
                "cohort,currency,month,at_risk,churned,survival,low,high",
                "smb,,0,4,0,1,0.5,1",
                "smb,,1,4,1,0.75,0.375,1",
                "smb,,2,3,0,0.75,0.375,1",
                "smb,,3,3,1,0.5,0.25,1",
                "smb,EUR,0,1200,0,1,,",
                ",,0,1,0,1,0.5,1",
            ]
        );
    }
}
