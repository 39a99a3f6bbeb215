//! `mainstay forecast compare`: what money is worth that keeps customers, beside money that wins new ones.

use clap::{Args, ValueEnum};
use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::forecast_service_client::ForecastServiceClient;
use mainstay_clients::retrying;

use crate::command::forecast::COLLECTION;
use crate::command::report_sections::{Section, Value, show_report};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::money;
use crate::output::{Output, note};
use crate::words::{SegmentWord, counted, resource_name};

pub(crate) const HELP: &str = "\
Says which share of the expected losses the work that keeps customers must prevent to be worth its cost, and to bring as
much for it as each project does. With --prevented, also what it brings.

A project is NAME,COST,ANNUAL REVENUE or NAME,COST,ANNUAL REVENUE,PROBABILITY. Revenue counts for as many months as
such customers stay on average, neither discounted nor less anything but the cost.

Examples:
  mainstay forecast compare --cost '120000 EUR'
  mainstay forecast compare --cost '120000 EUR' --prevented 0.2 --margin 0.75 \\
    --project 'Partner channel,90000 EUR,200000 EUR,0.6' --project 'Second sales team,300000 EUR,500000 EUR'
  mainstay forecast compare --cost '120000 EUR' --segment smb --csv losses > losses.csv";

/// What to compare.
#[derive(Debug, Args)]
pub(crate) struct CompareArguments {
    /// What the work that keeps customers costs in a year
    #[arg(long, value_name = "AMOUNT", value_parser = money::parse_argument)]
    cost: Money,
    /// The share of the expected losses that it prevents, above 0 to 1
    #[arg(long, value_name = "SHARE")]
    prevented: Option<f64>,
    /// A project that is to win customers; can be given several times
    #[arg(long, value_name = "PROJECT", value_parser = parse_project)]
    project: Vec<proto::GrowthProject>,
    /// What is left of a unit of revenue after the cost of serving it, above 0 to 1 [default: 1]
    #[arg(long, value_name = "SHARE")]
    margin: Option<f64>,
    /// For how many months from now on revenue counts
    #[arg(long, value_name = "COUNT", default_value_t = 36)]
    months: i32,
    /// Only customers of these segments
    #[arg(long, value_enum, value_delimiter = ',')]
    segment: Vec<SegmentWord>,
    /// By the model of this number
    #[arg(long, default_value = "newest", hide_default_value = true)]
    model: String,
    /// Write one section as CSV
    #[arg(long, value_name = "SECTION", value_enum)]
    csv: Option<CompareSection>,
}

/// A section of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompareSection {
    /// What can be lost, and what it is worth
    Losses,
    /// Retention and each project
    Investments,
}

/// `NAME,COST,ANNUAL REVENUE[,PROBABILITY]`; commas before the last ones are of the name.
fn parse_project(text: &str) -> Result<proto::GrowthProject, String> {
    let (front, probability) = match text.rsplit_once(',') {
        Some((front, last)) if last.trim().parse::<f64>().is_ok() => (front, last.trim().parse().ok()),
        _ => (text, None),
    };
    let mut fields = front.rsplitn(3, ',').map(str::trim);
    let (Some(annual_revenue), Some(cost), Some(name)) = (fields.next(), fields.next(), fields.next()) else {
        return Err("must be NAME,COST,ANNUAL REVENUE or NAME,COST,ANNUAL REVENUE,PROBABILITY, for example \
                    'Partner channel,90000 EUR,200000 EUR,0.6'"
            .to_owned());
    };
    Ok(proto::GrowthProject {
        display_name: name.to_owned(),
        cost: Some(money::parse_argument(cost)?),
        annual_revenue: Some(money::parse_argument(annual_revenue)?),
        probability,
    })
}

/// Runs the command.
pub(super) async fn run(
    arguments: &CompareArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let request = proto::CompareInvestmentsRequest {
        retention_cost: Some(arguments.cost.clone()),
        prevented_share: arguments.prevented,
        growth_projects: arguments.project.clone(),
        gross_margin: arguments.margin,
        month_count: arguments.months,
        segments: arguments.segment.iter().map(|word| proto::Segment::from(*word).into()).collect(),
        forecast_model: resource_name(COLLECTION, &arguments.model)?,
    };
    let client = || ForecastServiceClient::new(connection.channel.clone());
    let compare = async || client().compare_investments(request.clone()).await;
    let compared = retrying(&connection.retries, compare).await?.into_inner();
    let title = ("Keeping customers and winning new ones", compared.as_of_time);
    show_report(title, &compared, &sections(&compared), arguments.csv, output)?;
    if arguments.csv.is_none() && !output.is_json() {
        let left_out = [
            (compared.unforecast_account_count, "without a forecast, not read today by the model's health model"),
            (compared.other_currency_account_count, "without revenue in this currency"),
        ];
        for (count, why) in left_out.into_iter().filter(|(count, _)| *count > 0) {
            note(&format!("In no sum: {} {why}.", counted(count, "customer")));
        }
    }
    Ok(())
}

fn sections(compared: &proto::InvestmentComparison) -> Vec<Section> {
    let retention = compared.retention.clone().unwrap_or_default();
    vec![losses(compared, &retention), investments(compared, &retention)]
}

fn losses(compared: &proto::InvestmentComparison, retention: &proto::RetentionInvestment) -> Section {
    let columns = [
        ("LOSS", "loss"),
        (">ARR", "arr"),
        (">OF IT LOST", "expected_loss"),
        (">KEPT FOR MONTHS", "kept_customer_months"),
        (">OF", "month_limit"),
        (">WORTH", "value_at_stake"),
    ];
    let row = |name: &str, lost: &Option<Money>, worth: &Option<Money>| {
        vec![
            Value::text(name),
            Value::amount(retention.arr.as_ref()),
            Value::amount(lost.as_ref()),
            Value::decimal(Some(retention.kept_customer_months)),
            Value::decimal(Some(compared.month_limit)),
            Value::amount(worth.as_ref()),
        ]
    };
    let title = ("losses", "What is expected to be lost within a year, and what preventing all of it is worth");
    Section::new(title, &columns, "").with([
        row("expected", &retention.expected_loss, &retention.value_at_stake),
        row("low", &retention.expected_loss_low, &retention.value_at_stake_low),
        row("high", &retention.expected_loss_high, &retention.value_at_stake_high),
    ])
}

fn investments(compared: &proto::InvestmentComparison, retention: &proto::RetentionInvestment) -> Section {
    let columns = [
        ("INVESTMENT", "investment"),
        (">COST", "cost"),
        (">BRINGS", "value"),
        (">NET", "net_value"),
        (">PER UNIT", "ratio"),
        (">TO PREVENT", "required_share"),
        (">FROM", "required_share_low"),
        (">TO", "required_share_high"),
    ];
    let row = |name: &str,
               cost: &Option<Money>,
               brings: &Option<proto::InvestmentReturn>,
               required: Option<proto::RequiredShare>| {
        vec![
            Value::text(name),
            Value::amount(cost.as_ref()),
            Value::amount(brings.as_ref().and_then(|brings| brings.value.as_ref())),
            Value::amount(brings.as_ref().and_then(|brings| brings.net_value.as_ref())),
            Value::decimal(brings.as_ref().map(|brings| brings.ratio)),
            Value::share(required.map(|required| required.share)),
            Value::share(required.map(|required| required.low)),
            Value::share(required.and_then(|required| required.high)),
        ]
    };
    let first = row("keeping customers", &retention.cost, &retention.expected_return, retention.break_even);
    let projects = compared
        .growth_projects
        .iter()
        .map(|project| row(&project.display_name, &project.cost, &project.expected_return, project.equal_return));
    Section::new(
        (
            "investments",
            "Which share of the losses must be prevented to come out even, or to bring as much as a project",
        ),
        &columns,
        "",
    )
    .with(std::iter::once(first).chain(projects))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::report_sections::assert_asked_for_by;

    #[test]
    fn a_project_is_read_from_its_end_so_that_its_name_may_have_commas() {
        let project = parse_project("Sales, Nordics, 90000 EUR, 200000.50 EUR, 0.6").expect("a project");
        assert_eq!((project.display_name.as_str(), project.probability), ("Sales, Nordics", Some(0.6)));
        assert_eq!(project.annual_revenue.map(|amount| amount.minor_units), Some(20_000_050));
        let certain = parse_project("Nordics,90000 EUR,200000 EUR").expect("a project");
        assert_eq!((certain.display_name.as_str(), certain.probability), ("Nordics", None));
        assert!(parse_project("Nordics,90000 EUR").expect_err("a refusal").contains("for example"));
        assert_eq!(
            parse_project("Nordics,90000,200000 EUR").expect_err("a refusal"),
            "`90000` needs a currency: write `90000 EUR`"
        );
    }

    #[test]
    fn every_section_can_be_asked_for_and_no_other() {
        assert_asked_for_by::<CompareSection>(&sections(&proto::InvestmentComparison::default()));
    }
}
