//! `mainstay reports`: how all customers are, and how far the data can be trusted.

use clap::{Args, Subcommand, ValueEnum};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::report_service_client::ReportServiceClient;
use mainstay_clients::{ServiceChannel, retrying};

use crate::command::models::new_request_id;
use crate::command::report_sections::{Section, data_sections, health_sections, write};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{Output, note};
use crate::words::SegmentWord;

/// Commands about reports.
#[derive(Debug, Subcommand)]
pub(crate) enum ReportsCommand {
    /// Show how all customers are, and what changed in a month or a week
    #[command(after_help = "\
Customers are accounts that are neither archived nor churned. Bands of before are by the cuts of the model that scores
today.

Examples:
  mainstay reports health
  mainstay reports health --period week --segment enterprise
  mainstay reports health --owner mia@example.com --output markdown > health.md
  mainstay reports health --csv fallen --size 100 > fallen.csv
  mainstay reports health --csv trend > trend.csv")]
    Health(HealthArguments),
    /// Show what is missing, silent, unread or told twice in the data
    #[command(after_help = "\
A source is silent after twice the longest pause that it made in the 90 days before.

Examples:
  mainstay reports data
  mainstay reports data --csv fields > fields.csv")]
    Data(DataArguments),
    /// Say who answers for a field or a source of data
    #[command(after_help = "\
Fields and sources are named as `mainstay reports data` names them.

Examples:
  mainstay reports own fields/renewal_time sam@example.com
  mainstay reports own sources/stories/tickets support@example.com
  mainstay reports own fields/renewal_time --nobody")]
    Own(OwnArguments),
}

/// Which customers, and how much of them.
#[derive(Debug, Args)]
pub(crate) struct HealthArguments {
    /// Over how long changes are looked at
    #[arg(long, value_enum, default_value_t = PeriodWord::Month)]
    pub(crate) period: PeriodWord,
    /// Only these segments
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) segment: Vec<SegmentWord>,
    /// Only customers whom this person looks after, in any role
    #[arg(long, value_name = "EMAIL", default_value = "", hide_default_value = true)]
    pub(crate) owner: String,
    /// How many customers each list has at most, 1 to 100
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    pub(crate) size: i32,
    /// From how many points on a fall or rise is listed
    #[arg(long, value_name = "POINTS", default_value_t = 15.0)]
    pub(crate) change: f64,
    /// Write one section as CSV
    #[arg(long, value_name = "SECTION", value_enum)]
    pub(crate) csv: Option<HealthSection>,
}

/// In which shape.
#[derive(Debug, Args)]
pub(crate) struct DataArguments {
    /// Write one section as CSV
    #[arg(long, value_name = "SECTION", value_enum)]
    csv: Option<DataSection>,
}

/// Who answers for what.
#[derive(Debug, Args)]
pub(crate) struct OwnArguments {
    /// The field or source
    subject: String,
    /// Who answers for it: mail address
    #[arg(required_unless_present = "nobody", conflicts_with = "nobody")]
    email: Option<String>,
    /// Nobody any more
    #[arg(long)]
    nobody: bool,
}

/// A period, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PeriodWord {
    /// 30 days
    Month,
    /// 7 days
    Week,
}

/// A section of the report of health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum HealthSection {
    /// What the report is of
    Summary,
    /// Customers by band, now and before
    Bands,
    /// From which band into which
    Moves,
    /// Customers by segment
    Segments,
    /// Today and the four weeks before
    Trend,
    /// Who fell most
    Fallen,
    /// Who rose most
    Risen,
    /// Most revenue at risk
    AtRisk,
    /// What puts customers at risk
    Triggers,
    /// From sign-up to activation
    TimeToValue,
}

/// A section of the report of data quality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DataSection {
    /// Customers on little or old data
    Summary,
    /// What customers' accounts lack
    Fields,
    /// Where signals come from, and who is silent
    Sources,
    /// What is sent and not read, and read and not sent
    Inputs,
    /// Names that several customers have
    Duplicates,
}

/// Runs the command.
pub(crate) async fn run(command: &ReportsCommand, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    match command {
        ReportsCommand::Health(arguments) => health(arguments, connection, output).await,
        ReportsCommand::Data(arguments) => data(arguments, connection, output).await,
        ReportsCommand::Own(arguments) => own(arguments, connection, output).await,
    }
}

fn client(connection: &Connection) -> ReportServiceClient<ServiceChannel> {
    ReportServiceClient::new(connection.channel.clone())
}

async fn health(arguments: &HealthArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let period = match arguments.period {
        PeriodWord::Month => proto::ReportPeriod::Month,
        PeriodWord::Week => proto::ReportPeriod::Week,
    };
    let request = proto::GetHealthReportRequest {
        period: period.into(),
        segments: arguments.segment.iter().map(|word| proto::Segment::from(*word).into()).collect(),
        owner_email: arguments.owner.clone(),
        list_size: Some(arguments.size),
        change_at_least: Some(arguments.change),
    };
    let report = retrying(&connection.retries, async || client(connection).get_health_report(request.clone()).await)
        .await?
        .into_inner();
    if output.is_json() {
        return Ok(output.json_object(&report)?);
    }
    let sections = health_sections(&report, arguments);
    match arguments.csv {
        Some(section) => csv(&sections, &section, output),
        None => write("Health of customers", report.as_of_time, &sections, output),
    }
}

async fn data(arguments: &DataArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = proto::GetDataQualityReportRequest {};
    let report = retrying(&connection.retries, async || client(connection).get_data_quality_report(request).await)
        .await?
        .into_inner();
    if output.is_json() {
        return Ok(output.json_object(&report)?);
    }
    let sections = data_sections(&report);
    match arguments.csv {
        Some(section) => csv(&sections, &section, output),
        None => write("Quality of the data", report.as_of_time, &sections, output),
    }
}

/// Writes the section that has the name of the argument.
fn csv(sections: &[Section], wanted: &impl ValueEnum, output: &mut Output) -> Result<(), Failure> {
    let name = wanted.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let section = sections.iter().find(|section| section.name == name);
    let section = section.ok_or_else(|| Failure::Usage(format!("the report has no section `{name}`")))?;
    section.csv_lines().iter().try_for_each(|line| Ok(output.csv_line(line)?))
}

async fn own(arguments: &OwnArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = proto::SetDataOwnerRequest {
        subject: arguments.subject.clone(),
        owner_email: arguments.email.clone().unwrap_or_default(),
        request_id: new_request_id(),
    };
    let owner = retrying(&connection.retries, async || client(connection).set_data_owner(request.clone()).await)
        .await?
        .into_inner();
    if output.is_json() {
        return Ok(output.json_object(&owner)?);
    }
    note(&match owner.owner_email.as_str() {
        "" => format!("Nobody answers for {} any more.", owner.subject),
        email => format!("{email} answers for {}.", owner.subject),
    });
    Ok(())
}
