//! `mainstay adoption`: which features customers use, and what they reach with them.

use clap::{Args, Subcommand, ValueEnum};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::adoption_service_client::AdoptionServiceClient;
use mainstay_clients::{ServiceChannel, retrying};

use crate::command::adoption_sections::{account_sections, feature_sections, outcome_sections};
use crate::command::adoption_targets::{self, SetArguments};
use crate::command::report_sections::{show_report, write};
use crate::command::reports::CustomersArguments;
use crate::command::{Listed, finish_list, is_enough, page_size};
use crate::connection::Connection;
use crate::csv::{csv_line, figure};
use crate::failure::Failure;
use crate::money;
use crate::output::Output;
use crate::table::{points, table};
use crate::words::{account_name, id_of, segment};

/// Commands about adoption.
#[derive(Debug, Subcommand)]
pub(crate) enum AdoptionCommand {
    /// Show which features customers use, month by month or fortnight by fortnight
    #[command(after_help = "\
The last period is under way; shares, changes and segments are of those that are over. A customer of a period was
activated before its end and did not leave before it began.

Examples:
  mainstay adoption features
  mainstay adoption features --period fortnight --periods 13 --segment enterprise
  mainstay adoption features --csv trend --periods 26 --size 100 > trend.csv")]
    Features(FeaturesArguments),
    /// Show which features an account uses beside its peers, and what it reached
    #[command(after_help = "\
Examples:
  mainstay adoption show acme
  mainstay adoption show acme --output json")]
    Show(ShowArguments),
    /// Show how targets stand, and customers by what they reached
    #[command(after_help = "\
Targets are judged by those whose time ended in the last 365 days; who left since counts as it stood, and who reached
it ahead of time counts when all others of that day have had theirs.

Examples:
  mainstay adoption outcomes
  mainstay adoption outcomes --owner mia@example.com --output markdown > outcomes.md
  mainstay adoption outcomes --csv targets > targets.csv")]
    Outcomes(OutcomesArguments),
    /// List customers by what they reached
    #[command(after_help = "\
Examples:
  mainstay adoption customers --group behind
  mainstay adoption customers --group behind,on-the-way --segment enterprise --limit 0 --csv > behind.csv")]
    Customers(ListArguments),
    /// List what customers are to reach
    #[command(after_help = "\
Examples:
  mainstay adoption targets
  mainstay adoption targets --output json")]
    Targets,
    /// Say what customers are to reach, within how many days, and which share of them
    #[command(after_help = "\
A target that is set again is replaced. All accounts are looked at anew, within the time in which all are scored.

Examples:
  mainstay adoption set first-report --milestone first-report --within 30 --share 0.6
  mainstay adoption set value-smb --metric invoices_sent --quantity 100 --within 60 --share 0.5 --segment smb
  mainstay adoption set exports --feature export --quantity 10 --within 45 --share 0.4 --name 'Ten exports'")]
    Set(SetArguments),
    /// Take a target away
    #[command(after_help = "\
Examples:
  mainstay adoption remove first-report")]
    Remove(RemoveArguments),
}

/// Which periods, customers and features.
#[derive(Debug, Args)]
pub(crate) struct FeaturesArguments {
    /// How long the periods are
    #[arg(long, value_enum, default_value_t = GrainWord::Month)]
    pub(crate) period: GrainWord,
    /// How many periods, the one under way among them, 1 to 26
    #[arg(long, value_name = "COUNT", default_value_t = 7)]
    pub(crate) periods: i32,
    #[command(flatten)]
    pub(crate) customers: CustomersArguments,
    /// How many features at most, 1 to 100
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub(crate) size: i32,
    /// Write one section as CSV
    #[arg(long, value_name = "SECTION", value_enum)]
    pub(crate) csv: Option<FeaturesSection>,
}

/// Which account.
#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// The account
    account: String,
}

/// Which customers.
#[derive(Debug, Args)]
pub(crate) struct OutcomesArguments {
    #[command(flatten)]
    customers: CustomersArguments,
    /// Write one section as CSV
    #[arg(long, value_name = "SECTION", value_enum)]
    csv: Option<OutcomesSection>,
}

/// Which customers, and how many.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Only customers who stand so
    #[arg(long, value_enum, value_delimiter = ',')]
    group: Vec<GroupWord>,
    #[command(flatten)]
    customers: CustomersArguments,
    /// How many at most; 0 for all
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
    /// Write CSV
    #[arg(long)]
    csv: bool,
}

/// Which target.
#[derive(Debug, Args)]
pub(crate) struct RemoveArguments {
    /// Its id
    id: String,
}

/// How long periods are, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GrainWord {
    /// Months of the calendar
    Month,
    /// Fourteen days from a Monday
    Fortnight,
}

impl From<GrainWord> for proto::AdoptionGrain {
    fn from(word: GrainWord) -> Self {
        match word {
            GrainWord::Month => Self::Month,
            GrainWord::Fortnight => Self::Fortnight,
        }
    }
}

/// How customers stand, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GroupWord {
    /// Reached all of their targets, be it late
    Achieved,
    /// Did not reach all, and have time
    OnTheWay,
    /// Time has run out for a target that they did not reach
    Behind,
    /// Have no targets, or are not known to be activated
    NoTarget,
}

impl From<GroupWord> for proto::OutcomeGroup {
    fn from(word: GroupWord) -> Self {
        match word {
            GroupWord::Achieved => Self::Achieved,
            GroupWord::OnTheWay => Self::OnTheWay,
            GroupWord::Behind => Self::Behind,
            GroupWord::NoTarget => Self::NoTarget,
        }
    }
}

/// How customers stand, in words.
pub(super) fn group(group: proto::OutcomeGroup) -> &'static str {
    match group {
        proto::OutcomeGroup::Unspecified => "",
        proto::OutcomeGroup::Achieved => "achieved",
        proto::OutcomeGroup::OnTheWay => "on the way",
        proto::OutcomeGroup::Behind => "behind",
        proto::OutcomeGroup::NoTarget => "no target",
    }
}

/// A section of the report of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FeaturesSection {
    /// What the report is of
    Summary,
    /// The features in the newest period that is over
    Features,
    /// The features in that period, by segment
    Segments,
    /// The features in each period
    Trend,
}

/// A section of the report of outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutcomesSection {
    /// How targets stand
    Targets,
    /// How targets stand, by segment
    Segments,
    /// Customers by what they reached
    Groups,
}

/// Runs the command.
pub(crate) async fn run(
    command: &AdoptionCommand,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    match command {
        AdoptionCommand::Features(arguments) => features(arguments, connection, output).await,
        AdoptionCommand::Show(arguments) => show(arguments, connection, output).await,
        AdoptionCommand::Outcomes(arguments) => outcomes(arguments, connection, output).await,
        AdoptionCommand::Customers(arguments) => customers(arguments, connection, output).await,
        AdoptionCommand::Targets => adoption_targets::list(connection, output).await,
        AdoptionCommand::Set(arguments) => adoption_targets::set(arguments, connection, output).await,
        AdoptionCommand::Remove(RemoveArguments { id }) => adoption_targets::remove(id, connection).await,
    }
}

/// The service of adoption.
pub(super) fn client(connection: &Connection) -> AdoptionServiceClient<ServiceChannel> {
    AdoptionServiceClient::new(connection.channel.clone())
}

async fn features(arguments: &FeaturesArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = proto::GetFeatureAdoptionReportRequest {
        grain: proto::AdoptionGrain::from(arguments.period).into(),
        period_count: Some(arguments.periods),
        segments: arguments.customers.segments(),
        owner_email: arguments.customers.owner.clone(),
        list_size: Some(arguments.size),
    };
    let get = async || client(connection).get_feature_adoption_report(request.clone()).await;
    let report = retrying(&connection.retries, get).await?.into_inner();
    let sections = feature_sections(&report, arguments);
    show_report(("Adoption of features", report.as_of_time), &report, &sections, arguments.csv, output)
}

async fn show(arguments: &ShowArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = proto::GetAccountAdoptionRequest { account: account_name(&arguments.account)? };
    let get = async || client(connection).get_account_adoption(request.clone()).await;
    let adoption = retrying(&connection.retries, get).await?.into_inner();
    if output.is_json() {
        return Ok(output.json_object(&adoption)?);
    }
    let title = format!("Adoption of {}", id_of(&adoption.account));
    write(&title, adoption.as_of_time, &account_sections(&adoption), output)
}

async fn outcomes(arguments: &OutcomesArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = proto::GetOutcomeReportRequest {
        segments: arguments.customers.segments(),
        owner_email: arguments.customers.owner.clone(),
    };
    let report = retrying(&connection.retries, async || client(connection).get_outcome_report(request.clone()).await)
        .await?
        .into_inner();
    let sections = outcome_sections(&report);
    show_report(("What customers reach", report.as_of_time), &report, &sections, arguments.csv, output)
}

async fn customers(arguments: &ListArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let titles = ["ACCOUNT", "NAME", "SEGMENT", "STANDS", "MISSING", "DUE", ">ARR", ">SCORE"];
    let mut shown = table(&titles);
    if arguments.csv {
        output.csv_line(&csv_line(
            &["account", "display_name", "segment", "group", "missing", "due_day", "arr", "score"].map(str::to_owned),
        ))?;
    }
    let (mut count, mut page_token) = (0, String::new());
    loop {
        let request = proto::ListCustomerOutcomesRequest {
            page_size: page_size(arguments.limit, count),
            page_token,
            groups: arguments.group.iter().map(|word| proto::OutcomeGroup::from(*word).into()).collect(),
            segments: arguments.customers.segments(),
            owner_email: arguments.customers.owner.clone(),
        };
        let list = async || client(connection).list_customer_outcomes(request.clone()).await;
        let page = retrying(&connection.retries, list).await?.into_inner();
        for customer in &page.customers {
            if arguments.csv {
                output.csv_line(&csv_line(&csv_fields(customer)))?;
            } else if output.is_json() {
                output.json_line(customer)?;
            } else {
                let arr = customer.arr.as_ref().map(money::format).unwrap_or_default();
                let [id, name, of, stands, missing, due, ..] = csv_fields(customer);
                shown.add_row([id, name, of, stands, missing, due, arr, points(customer.score)]);
            }
        }
        count += page.customers.len();
        page_token = page.next_page_token;
        if page_token.is_empty() || is_enough(arguments.limit, count) {
            break;
        }
    }
    if arguments.csv {
        return Ok(());
    }
    let nothing = "No customer stands so.";
    finish_list(output, shown, &Listed { shown: count, which: "first", next_page_token: &page_token, nothing })
}

/// Which targets it did not reach, and until when it has time for the next of them.
fn csv_fields(customer: &proto::CustomerOutcome) -> [String; 8] {
    let missing = || customer.outcomes.iter().filter(|outcome| outcome.reached_day.is_empty());
    [
        id_of(&customer.account).to_owned(),
        customer.display_name.clone(),
        segment(customer.segment()).to_owned(),
        group(customer.group()).to_owned(),
        missing().map(|outcome| id_of(&outcome.adoption_target)).collect::<Vec<_>>().join(" "),
        missing().map(|outcome| outcome.due_day.as_str()).min().unwrap_or_default().to_owned(),
        customer.arr.as_ref().map(money::exact).unwrap_or_default(),
        figure(customer.score),
    ]
}
