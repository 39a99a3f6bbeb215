//! `mainstay reports`: how all customers are, how they pay, how they are served and what they ask for, and how far the data can be
//! trusted.

use clap::{Args, Subcommand, ValueEnum};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::report_service_client::ReportServiceClient;
use mainstay_clients::{ServiceChannel, retrying};

use crate::command::data_sections::data_sections;
use crate::command::feature_sections::feature_sections;
use crate::command::models::new_request_id;
use crate::command::report_sections::{health_sections, show_report};
use crate::command::report_targets::{self, MetricWord, SetTargetArguments, parse_target};
use crate::command::revenue_sections::revenue_sections;
use crate::command::service_sections::service_sections;
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
    /// Show how customers pay, what of the revenue is in danger, and how the shared goals stand
    #[command(after_help = "\
An invoice is unpaid from when a payment failed or it was overdue until it is paid or voided. Over a day it is the
digest of billing.

Examples:
  mainstay reports revenue
  mainstay reports revenue --period day --output markdown > billing.md
  mainstay reports revenue --target net-retention=1.1 --target critical-share=0.05
  mainstay reports revenue --csv unpaid --size 100 > unpaid.csv")]
    Revenue(RevenueArguments),
    /// Show how customers were served: tickets, how many were resolved at first contact, and how easy it was
    #[command(after_help = "\
A ticket was resolved at first contact when, up to 7 days after its resolution, it was neither escalated nor reopened,
and the customer did not write again before the resolution. Until those days are over it is pending.

Examples:
  mainstay reports service
  mainstay reports service --period week --segment enterprise,smb
  mainstay reports service --output markdown > service.md
  mainstay reports service --csv first-contact > first-contact.csv")]
    Service(ServiceArguments),
    /// Show which features customers ask for, and whose revenue hangs on them
    #[command(after_help = "\
Features stand by the revenue at risk of those who ask; currencies are not compared with one another.

Examples:
  mainstay reports features
  mainstay reports features --days 90 --segment enterprise
  mainstay reports features --csv features --size 100 > features.csv")]
    Features(FeaturesArguments),
    /// Show what is missing, silent, unread or told twice in the data
    #[command(after_help = "\
A source is silent after twice the longest pause that it made in the 90 days before, a rare one after 30 days. Sources
are the kinds of signals that models read, whoever sends them, and what each system tells: one of two help desks is seen
to fall silent. What is wrong is taken back with `mainstay accounts withdraw-signals` and `mainstay accounts archive`.

Examples:
  mainstay reports data
  mainstay reports data --csv fields > fields.csv")]
    Data(DataArguments),
    /// List the targets by which teams are measured together
    #[command(after_help = "\
Examples:
  mainstay reports targets
  mainstay reports targets --output json")]
    Targets,
    /// Set the target of a metric for all, and say which teams share it
    #[command(after_help = "\
From then on it is that of every report of revenue, unless the report is asked for another.

Examples:
  mainstay reports set-target net-retention 1.1 --team sales --team support
  mainstay reports set-target time-to-value-days 21
  mainstay reports set-target net-retention --usual")]
    SetTarget(SetTargetArguments),
    /// Say who answers for a field or a source of data
    #[command(after_help = "\
Fields and sources are named as `mainstay reports data` names them.

Examples:
  mainstay reports own fields/renewal_time sam@example.com
  mainstay reports own sources/stories/tickets support@example.com
  mainstay reports own sources/systems/zendesk/ticket support@example.com
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
    /// From how many points on a fall or rise is listed [default: more than 15]
    #[arg(long, value_name = "POINTS")]
    pub(crate) change: Option<f64>,
    /// Write one section as CSV
    #[arg(long, value_name = "SECTION", value_enum)]
    pub(crate) csv: Option<HealthSection>,
}

/// Which customers.
#[derive(Debug, Args)]
pub(crate) struct CustomersArguments {
    /// Only these segments
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) segment: Vec<SegmentWord>,
    /// Only customers whom this person looks after, in any role
    #[arg(long, value_name = "EMAIL", default_value = "", hide_default_value = true)]
    pub(crate) owner: String,
}

impl CustomersArguments {
    /// As requests have them.
    pub(crate) fn segments(&self) -> Vec<i32> {
        self.segment.iter().map(|word| proto::Segment::from(*word).into()).collect()
    }
}

/// Which customers, over how long, and against which targets.
#[derive(Debug, Args)]
pub(crate) struct RevenueArguments {
    /// How far back the period goes
    #[arg(long, value_enum, default_value_t = PeriodWord::Week)]
    pub(crate) period: PeriodWord,
    #[command(flatten)]
    pub(crate) customers: CustomersArguments,
    /// How many customers the list has at most for each currency, 1 to 100
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    pub(crate) size: i32,
    /// Another target than the one that holds: a share such as 0.9, or days; may be repeated
    #[arg(long, value_name = "METRIC=VALUE", value_parser = parse_target)]
    pub(crate) target: Vec<(MetricWord, f64)>,
    /// Write one section as CSV
    #[arg(long, value_name = "SECTION", value_enum)]
    pub(crate) csv: Option<RevenueSection>,
}

/// Which customers, and over how long.
#[derive(Debug, Args)]
pub(crate) struct ServiceArguments {
    /// How far back the period goes
    #[arg(long, value_enum, default_value_t = PeriodWord::Month)]
    pub(crate) period: PeriodWord,
    #[command(flatten)]
    pub(crate) customers: CustomersArguments,
    /// Write one section as CSV
    #[arg(long, value_name = "SECTION", value_enum)]
    pub(crate) csv: Option<ServiceSection>,
}

/// Which accounts, and how many features.
#[derive(Debug, Args)]
pub(crate) struct FeaturesArguments {
    /// How many days back requests count, 28 to 1095
    #[arg(long, value_name = "DAYS", default_value_t = 365)]
    pub(crate) days: i32,
    #[command(flatten)]
    pub(crate) customers: CustomersArguments,
    /// How many features at most, 1 to 100
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub(crate) size: i32,
    /// Write one section as CSV
    #[arg(long, value_name = "SECTION", value_enum)]
    pub(crate) csv: Option<FeaturesSection>,
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
    /// 1 day
    Day,
}

impl From<PeriodWord> for proto::ReportPeriod {
    fn from(word: PeriodWord) -> Self {
        match word {
            PeriodWord::Month => Self::Month,
            PeriodWord::Week => Self::Week,
            PeriodWord::Day => Self::Day,
        }
    }
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
    /// Who may need a larger plan
    ReadyToGrow,
    /// From sign-up to activation
    TimeToValue,
}

/// A section of the report of revenue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RevenueSection {
    /// What the report is of
    Summary,
    /// What is unpaid, disputed and at risk, now and before
    Status,
    /// Unpaid invoices by age
    Ages,
    /// What happened to invoices, credits and disputes
    Flows,
    /// Who has most unpaid money
    Unpaid,
    /// Revenue by band
    Bands,
    /// Revenue that stayed for a year
    Retention,
    /// Renewals of a year
    Renewals,
    /// What can be expected to be lost
    Churn,
    /// Metrics against their targets
    Goals,
}

/// A section of the report of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServiceSection {
    /// What the report is of
    Summary,
    /// Tickets resolved at first contact
    FirstContact,
    /// What happened to tickets
    Tickets,
    /// How long answers and resolutions took
    Hours,
    /// How easy customers found it
    Effort,
}

/// A section of the report of requested features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FeaturesSection {
    /// What the report is of
    Summary,
    /// What is asked for, and by whom
    Features,
    /// What became of those who got it
    Given,
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
    /// What systems say differently of customers
    Disagreements,
}

/// Runs the command.
pub(crate) async fn run(command: &ReportsCommand, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    match command {
        ReportsCommand::Health(arguments) => health(arguments, connection, output).await,
        ReportsCommand::Revenue(arguments) => revenue(arguments, connection, output).await,
        ReportsCommand::Service(arguments) => service(arguments, connection, output).await,
        ReportsCommand::Features(arguments) => features(arguments, connection, output).await,
        ReportsCommand::Data(arguments) => data(arguments, connection, output).await,
        ReportsCommand::Targets => report_targets::list(connection, output).await,
        ReportsCommand::SetTarget(arguments) => report_targets::set(arguments, connection, output).await,
        ReportsCommand::Own(arguments) => own(arguments, connection, output).await,
    }
}

pub(super) fn client(connection: &Connection) -> ReportServiceClient<ServiceChannel> {
    ReportServiceClient::new(connection.channel.clone())
}

async fn health(arguments: &HealthArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = proto::GetHealthReportRequest {
        period: proto::ReportPeriod::from(arguments.period).into(),
        segments: arguments.segment.iter().map(|word| proto::Segment::from(*word).into()).collect(),
        owner_email: arguments.owner.clone(),
        list_size: Some(arguments.size),
        change_at_least: arguments.change,
    };
    let report = retrying(&connection.retries, async || client(connection).get_health_report(request.clone()).await)
        .await?
        .into_inner();
    let sections = health_sections(&report, arguments);
    show_report(("Health of customers", report.as_of_time), &report, &sections, arguments.csv, output)
}

async fn revenue(arguments: &RevenueArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let target = |(metric, target): &(MetricWord, f64)| proto::GoalTarget {
        metric: proto::RetentionMetric::from(*metric).into(),
        target: *target,
    };
    let request = proto::GetRevenueReportRequest {
        period: proto::ReportPeriod::from(arguments.period).into(),
        segments: arguments.customers.segments(),
        owner_email: arguments.customers.owner.clone(),
        list_size: Some(arguments.size),
        targets: arguments.target.iter().map(target).collect(),
    };
    let report = retrying(&connection.retries, async || client(connection).get_revenue_report(request.clone()).await)
        .await?
        .into_inner();
    let sections = revenue_sections(&report, arguments);
    show_report(("Payments and revenue", report.as_of_time), &report, &sections, arguments.csv, output)
}

async fn service(arguments: &ServiceArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = proto::GetServiceReportRequest {
        period: proto::ReportPeriod::from(arguments.period).into(),
        segments: arguments.customers.segments(),
        owner_email: arguments.customers.owner.clone(),
    };
    let report = retrying(&connection.retries, async || client(connection).get_service_report(request.clone()).await)
        .await?
        .into_inner();
    let sections = service_sections(&report, arguments);
    show_report(("Service to customers", report.as_of_time), &report, &sections, arguments.csv, output)
}

async fn features(arguments: &FeaturesArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = proto::GetFeatureRequestReportRequest {
        window_days: Some(arguments.days),
        segments: arguments.customers.segments(),
        owner_email: arguments.customers.owner.clone(),
        list_size: Some(arguments.size),
    };
    let get = async || client(connection).get_feature_request_report(request.clone()).await;
    let report = retrying(&connection.retries, get).await?.into_inner();
    let sections = feature_sections(&report, arguments);
    show_report(("Requested features", report.as_of_time), &report, &sections, arguments.csv, output)
}

async fn data(arguments: &DataArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = proto::GetDataQualityReportRequest {};
    let report = retrying(&connection.retries, async || client(connection).get_data_quality_report(request).await)
        .await?
        .into_inner();
    let sections = data_sections(&report);
    show_report(("Quality of the data", report.as_of_time), &report, &sections, arguments.csv, output)
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
