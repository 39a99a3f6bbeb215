//! `mainstay renewals forecast`, `report`, `retention`: what renews, by quarter, against the target, and in revenue.

use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_clients::retrying;

use crate::command::renewals::client;
use crate::command::report_sections::{Section, Value, show_report};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{Output, note};
use crate::words::{day_of_time, day_text, id_of, parse_day};

/// How many quarters.
#[derive(Debug, Args)]
pub(crate) struct ForecastArguments {
    /// How many quarters, the running one included
    #[arg(long, value_name = "COUNT", default_value_t = 4)]
    quarters: i32,
    /// Write one section as CSV
    #[arg(long, value_name = "SECTION", value_enum)]
    csv: Option<ForecastSection>,
}

/// A section of the forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ForecastSection {
    /// How many renew, and what people expect
    Quarters,
    /// What revenue renews
    Revenues,
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

/// Which renewals to report.
#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    #[command(flatten)]
    period: PeriodArguments,
    /// Write one section as CSV
    #[arg(long, value_name = "SECTION", value_enum)]
    csv: Option<ReportSection>,
}

/// A section of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportSection {
    /// How many renewed, against the target
    Summary,
    /// What revenue renewed
    Revenues,
    /// How right people and the model were
    Accuracy,
}

/// Which period to compare.
#[derive(Debug, Args)]
pub(crate) struct RetentionArguments {
    #[command(flatten)]
    period: PeriodArguments,
    /// Write one section as CSV
    #[arg(long, value_name = "SECTION", value_enum)]
    csv: Option<RetentionSection>,
}

/// A section of the retention of revenue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RetentionSection {
    /// What is compared
    Summary,
    /// What stayed of the revenue in each currency
    Revenues,
}

/// Shows what can be expected to renew.
pub(super) async fn forecast(
    arguments: &ForecastArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let request = proto::GetRenewalForecastRequest { quarter_count: arguments.quarters };
    let get = async || client(connection).get_renewal_forecast(request).await;
    let forecast = retrying(&connection.retries, get).await?.into_inner();
    let title = ("Renewals to come", forecast.as_of_time);
    show_report(title, &forecast, &forecast_sections(&forecast), arguments.csv, output)?;
    if forecast.forecast_model.is_empty() && !output.is_json() {
        note("There is no forecast model, and so no likelihood: mainstay forecast train.");
    }
    Ok(())
}

/// Shows how many renewed.
pub(super) async fn report(
    arguments: &ReportArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let PeriodArguments { from, to } = arguments.period;
    let request = proto::GetRenewalReportRequest { start_day: day_text(from), end_day: day_text(to) };
    let get = async || client(connection).get_renewal_report(request.clone()).await;
    let report = retrying(&connection.retries, get).await?.into_inner();
    let title = ("What became of renewals", report.as_of_time);
    show_report(title, &report, &report_sections(&report), arguments.csv, output)
}

/// Shows how much of the revenue stayed.
pub(super) async fn retention(
    arguments: &RetentionArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let PeriodArguments { from, to } = arguments.period;
    let request = proto::GetRevenueRetentionRequest { start_day: day_text(from), end_day: day_text(to) };
    let get = async || client(connection).get_revenue_retention(request.clone()).await;
    let retention = retrying(&connection.retries, get).await?.into_inner();
    let title = ("Retention of revenue", retention.as_of_time);
    show_report(title, &retention, &retention_sections(&retention), arguments.csv, output)
}

fn forecast_sections(forecast: &proto::RenewalForecast) -> Vec<Section> {
    let columns = [
        ("QUARTER", "quarter"),
        (">DUE", "renewals"),
        (">WITH FORECAST", "renewals_forecast"),
        (">RENEW", "expected_renewals"),
        (">FROM", "expected_renewals_low"),
        (">TO", "expected_renewals_high"),
        (">COMMIT", "called_commit"),
        (">LIKELY", "called_likely"),
        (">AT RISK", "called_at_risk"),
        (">CHURN", "called_churn"),
        ("MODEL", "forecast_model"),
    ];
    let quarters = Section::new(("quarters", "Quarters, with 95 % intervals, and what people call"), &columns, "")
        .with(forecast.quarters.iter().map(|quarter| {
            let called = |expectation| {
                let found = quarter.calls.iter().find(|called| called.expectation() == expectation);
                Value::count(found.map_or(0, |called| called.count))
            };
            vec![
                Value::text(&quarter.quarter),
                Value::count(quarter.renewal_count),
                Value::count(quarter.forecast_count),
                Value::decimal(Some(quarter.expected_count)),
                Value::count(quarter.count_low),
                Value::count(quarter.count_high),
                called(proto::RenewalExpectation::Commit),
                called(proto::RenewalExpectation::Likely),
                called(proto::RenewalExpectation::AtRisk),
                called(proto::RenewalExpectation::Churn),
                Value::text(id_of(&forecast.forecast_model)),
            ]
        }));
    let columns = [
        ("QUARTER", "quarter"),
        (">ARR", "arr"),
        (">WITH FORECAST", "forecast_arr"),
        (">EXPECTED", "expected_arr"),
        (">FROM", "expected_arr_low"),
        (">TO", "expected_arr_high"),
    ];
    let rows = forecast.quarters.iter().flat_map(|quarter| {
        quarter.revenues.iter().map(|revenue| {
            vec![
                Value::text(&quarter.quarter),
                Value::amount(revenue.arr.as_ref()),
                Value::amount(revenue.forecast_arr.as_ref()),
                Value::amount(revenue.expected_arr.as_ref()),
                Value::amount(revenue.low.as_ref()),
                Value::amount(revenue.high.as_ref()),
            ]
        })
    });
    let title = ("revenues", "Revenue, with 95 % intervals");
    let revenues = Section::new(title, &columns, "No revenue is due that is known of.").with(rows);
    vec![quarters, revenues]
}

fn report_sections(report: &proto::RenewalReport) -> Vec<Section> {
    let columns = [
        ("DUE FROM", "start_day"),
        ("TO BEFORE", "end_day"),
        (">RENEWED", "renewed"),
        (">CHURNED", "churned"),
        (">OVERDUE", "undecided"),
        (">RATE", "renewal_rate"),
        (">FROM", "renewal_rate_low"),
        (">TO", "renewal_rate_high"),
        (">TARGET", "target_rate"),
    ];
    let title = ("summary", "Renewal rate of those that are decided, with its 95 % interval");
    let summary = Section::new(title, &columns, "").with([vec![
        Value::text(&report.start_day),
        Value::text(&report.end_day),
        Value::count(report.renewed_count),
        Value::count(report.churned_count),
        Value::count(report.undecided_count),
        Value::share(report.renewal_rate),
        Value::share(report.rate_low),
        Value::share(report.rate_high),
        Value::share(Some(report.target_rate)),
    ]]);
    let columns = [(">RENEWED", "renewed_arr"), (">CHURNED", "churned_arr"), (">RATE", "renewal_rate")];
    let revenues = Section::new(("revenues", "The same by revenue"), &columns, "Of none the revenue is known.").with(
        report.revenues.iter().map(|revenue| {
            vec![
                Value::amount(revenue.renewed_arr.as_ref()),
                Value::amount(revenue.churned_arr.as_ref()),
                Value::share(revenue.renewal_rate),
            ]
        }),
    );
    let columns = [(">CALLS", "calls"), (">PEOPLE", "people_brier"), (">MODEL", "model_brier")];
    let title = ("accuracy", "Who knew it: Brier scores, the smaller the better");
    let accuracy = Section::new(title, &columns, "Of no decided renewal people and a forecast model said something.")
        .with(report.accuracy.iter().map(|accuracy| {
            vec![
                Value::count(accuracy.count),
                Value::thousandths(Some(accuracy.people_brier)),
                Value::thousandths(Some(accuracy.model_brier)),
            ]
        }));
    vec![summary, revenues, accuracy]
}

fn retention_sections(retention: &proto::RevenueRetention) -> Vec<Section> {
    let columns = [
        ("FROM", "start_day"),
        ("TO", "end_day"),
        ("KNOWN SINCE", "known_since_day"),
        (">CHANGED THEIR CURRENCY", "customers_currency_changed"),
    ];
    let summary = Section::new(("summary", "What is compared"), &columns, "").with([vec![
        Value::text(&retention.start_day),
        Value::text(&retention.end_day),
        Value::text(day_of_time(retention.known_since_time)),
        Value::count(retention.currency_changed_account_count),
    ]]);
    let columns = [
        (">CUSTOMERS", "customers"),
        (">START", "start_arr"),
        (">CHURNED", "churned_arr"),
        (">CONTRACTION", "contraction_arr"),
        (">EXPANSION", "expansion_arr"),
        (">GRR", "gross_retention"),
        (">NRR", "net_retention"),
    ];
    let nothing = "No revenue is known of those who were customers then.";
    let rows = retention.currencies.iter().map(|one| {
        vec![
            Value::count(one.account_count),
            Value::amount(one.start_arr.as_ref()),
            Value::amount(one.churned_arr.as_ref()),
            Value::amount(one.contraction_arr.as_ref()),
            Value::amount(one.expansion_arr.as_ref()),
            Value::share(Some(one.gross_retention)),
            Value::share(Some(one.net_retention)),
        ]
    });
    let revenues = Section::new(("revenues", "Gross and net retention"), &columns, nothing).with(rows);
    vec![summary, revenues]
}

#[cfg(test)]
mod tests {
    use mainstay_api::mainstay::common::v1::Money;

    use super::*;
    use crate::command::report_sections::assert_asked_for_by;

    #[test]
    fn every_section_can_be_asked_for_and_no_other() {
        assert_asked_for_by::<ForecastSection>(&forecast_sections(&proto::RenewalForecast::default()));
        assert_asked_for_by::<ReportSection>(&report_sections(&proto::RenewalReport::default()));
        assert_asked_for_by::<RetentionSection>(&retention_sections(&proto::RevenueRetention::default()));
    }

    #[test]
    fn r88_a_quarter_has_a_line_with_a_column_for_each_call_and_one_for_each_currency() {
        let money = |code: &str, minor_units| Some(Money { currency_code: code.to_owned(), minor_units });
        let revenue = |code: &str| proto::QuarterRevenue {
            arr: money(code, 300_000),
            forecast_arr: money(code, 200_000),
            expected_arr: money(code, 150_000),
            low: money(code, 100_000),
            high: money(code, 200_000),
        };
        let forecast = proto::RenewalForecast {
            quarters: vec![proto::QuarterForecast {
                quarter: "2026-Q3".to_owned(),
                renewal_count: 3,
                forecast_count: 2,
                expected_count: 1.625,
                count_low: 1,
                count_high: 2,
                revenues: vec![revenue("EUR"), revenue("USD")],
                calls: vec![proto::CalledRenewals { expectation: proto::RenewalExpectation::AtRisk.into(), count: 2 }],
            }],
            forecast_model: "forecastModels/7".to_owned(),
            ..Default::default()
        };
        let [quarters, revenues] = forecast_sections(&forecast).try_into().ok().expect("two sections");
        assert_eq!(quarters.csv_lines()[1..], ["2026-Q3,3,2,1.625,1,2,0,0,2,0,7"]);
        assert_eq!(
            revenues.csv_lines()[1..],
            ["EUR", "USD"].map(|code| format!(
                "2026-Q3,3000.00 {code},2000.00 {code},1500.00 {code},1000.00 {code},2000.00 {code}"
            ))
        );
    }
}
