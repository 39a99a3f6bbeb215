//! `mainstay alerts`: what a person has to look at, and what is done about it.

use clap::{Args, Subcommand, ValueEnum};
use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_api::mainstay::interventions::v1::alert_service_client::AlertServiceClient;
use mainstay_clients::{ServiceChannel, retrying};

use crate::command::alert_view::{headings, row, show};
use crate::command::models::new_request_id;
use crate::command::{is_enough, page_size, policies};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{Output, note};
use crate::table::table;
use crate::words::interventions::ChannelWord;
use crate::words::{account_name, resource_name};

/// Commands about alerts.
#[derive(Debug, Subcommand)]
pub(crate) enum AlertsCommand {
    /// List alerts, soonest due first
    #[command(after_help = "\
Examples:
  mainstay alerts list --owner mia@example.com
  mainstay alerts list --breached
  mainstay alerts list --closed --limit 10 --output json")]
    List(ListArguments),
    /// Show all that is known of an alert
    #[command(after_help = "\
Examples:
  mainstay alerts get 0198c0de-0000-7000-8000-000000000000")]
    Get(AlertArgument),
    /// Raise an alert by hand
    #[command(after_help = "\
One is open for an account and subject: the same again is counted on it, with the newer headline and
details. Another matter needs a --subject of its own.

Examples:
  mainstay alerts create acme 'The sponsor leaves in May' --detail 'Heard in the QBR'
  mainstay alerts create acme 'VAT is disputed' --subject vat")]
    Create(CreateArguments),
    /// Say that you have seen it, or several
    #[command(after_help = "\
Each is acknowledged on its own: one that is refused does not undo those before it.

Examples:
  mainstay alerts acknowledge 0198c0de-0000-7000-8000-000000000000
  mainstay alerts acknowledge 0198c0de-… 0198c0df-…")]
    Acknowledge(AcknowledgeArguments),
    /// Say what you found, and whether something must be done now
    #[command(after_help = "\
Examples:
  mainstay alerts assess 0198c0de-… 'The champion left; nobody knows the product' --immediate")]
    Assess(AssessArguments),
    /// Say what will be done
    #[command(after_help = "\
Examples:
  mainstay alerts plan 0198c0de-… 'Train the new admin on Thursday'")]
    Plan(TextArguments),
    /// Say how the customer was contacted, and what came of it
    #[command(after_help = "\
Examples:
  mainstay alerts execute 0198c0de-… 'Showed the exports to Bo' --channel call --answered")]
    Execute(ExecuteArguments),
    /// Say whether it helped
    #[command(after_help = "\
Examples:
  mainstay alerts follow-up 0198c0de-… 'Two of five are back, the others on leave'
  mainstay alerts follow-up 0198c0de-… 'They use it daily again' --resolved")]
    FollowUp(FollowUpArguments),
    /// Close it
    #[command(after_help = "\
Resolved needs all steps before, and a follow-up with --resolved; the others need --notes.

Examples:
  mainstay alerts close 0198c0de-… --resolution resolved
  mainstay alerts close 0198c0de-… --resolution no-action --notes 'On holiday until the 15th'")]
    Close(CloseArguments),
    /// Give it to another person, who is told so
    #[command(after_help = "\
Examples:
  mainstay alerts reassign 0198c0de-… bo@example.com")]
    Reassign(ReassignArguments),
    /// Show what is due when, for each kind of alert and case
    #[command(after_help = "\
Examples:
  mainstay alerts policies
  mainstay alerts policies --output json")]
    Policies,
}

/// Which alerts.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Only of this account
    #[arg(long)]
    account: Option<String>,
    /// Only of these kinds
    #[arg(long, value_enum, value_delimiter = ',')]
    kind: Vec<AlertKindWord>,
    /// Only this person's
    #[arg(long, value_name = "EMAIL")]
    owner: Option<String>,
    /// Only those with a deadline that passed
    #[arg(long)]
    breached: bool,
    /// Closed ones instead of open ones
    #[arg(long)]
    closed: bool,
    /// How many at most; 0 for all
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
}

/// Which alert.
#[derive(Debug, Args)]
pub(crate) struct AlertArgument {
    /// The alert, by id
    alert: String,
}

/// Which alerts somebody has seen.
#[derive(Debug, Args)]
pub(crate) struct AcknowledgeArguments {
    /// The alerts, by id
    #[arg(required = true, value_name = "ALERT")]
    alerts: Vec<String>,
}

/// An alert to raise.
#[derive(Debug, Args)]
pub(crate) struct CreateArguments {
    /// Of which account
    account: String,
    /// What happened, in one line
    headline: String,
    /// What is known; may be given several times
    #[arg(long)]
    detail: Vec<String>,
    /// What it is about within the account
    #[arg(long, default_value = "")]
    subject: String,
    /// Who has to deal with it [default: as the policy says]
    #[arg(long, value_name = "EMAIL")]
    owner: Option<String>,
}

/// An assessment.
#[derive(Debug, Args)]
pub(crate) struct AssessArguments {
    /// The alert, by id
    alert: String,
    /// What you found
    assessment: String,
    /// Something must be done now
    #[arg(long)]
    immediate: bool,
}

/// A step with a text.
#[derive(Debug, Args)]
pub(crate) struct TextArguments {
    /// The alert, by id
    alert: String,
    /// In your words
    text: String,
}

/// What a follow-up found.
#[derive(Debug, Args)]
pub(crate) struct FollowUpArguments {
    /// The alert, by id
    alert: String,
    /// What you found
    text: String,
    /// The issue is resolved [default: it is not yet; follow up again]
    #[arg(long)]
    resolved: bool,
}

/// What was done.
#[derive(Debug, Args)]
pub(crate) struct ExecuteArguments {
    /// The alert, by id
    alert: String,
    /// What was done, and what the customer said
    text: String,
    /// How the customer was contacted
    #[arg(long, value_enum)]
    channel: ChannelWord,
    /// The customer answered
    #[arg(long)]
    answered: bool,
}

/// An end.
#[derive(Debug, Args)]
pub(crate) struct CloseArguments {
    /// The alert, by id
    alert: String,
    /// How it ended
    #[arg(long, value_enum)]
    resolution: ResolutionWord,
    /// Why
    #[arg(long, default_value = "")]
    notes: String,
}

/// Another owner.
#[derive(Debug, Args)]
pub(crate) struct ReassignArguments {
    /// The alert, by id
    alert: String,
    /// Who deals with it from now on
    email: String,
}

/// A kind of alert, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AlertKindWord {
    /// The score fell below 50
    HealthCritical,
    /// The score fell below 70
    HealthAtRisk,
    /// The score fell by more than 15 points in a month
    HealthDrop,
    /// No activity for 14 days
    Inactivity,
    /// A payment failed or an invoice is overdue
    PaymentFailed,
    /// A billing dispute is open
    BillingDispute,
    /// An urgent or critical ticket is open
    TicketUrgent,
    /// A customer answered a survey with 0 to 6
    Detractor,
    /// Somebody raised it by hand
    Manual,
    /// Use fell in each of three weeks, and by 30 % or more
    UsageDecline,
    /// Users came on half as many days as in the four weeks before, or fewer
    LoginDrop,
    /// A new customer never used what most like it do
    FeatureNotAdopted,
    /// A champion is silent while others go on
    ChampionSilent,
    /// The renewal is within 90 days, and the score below 70
    RenewalAtRisk,
    /// In an open ticket the customer writes with frustration
    TicketFrustrated,
    /// Invoices are paid later than they used to be
    PaymentSlowing,
}

impl From<AlertKindWord> for proto::AlertKind {
    fn from(word: AlertKindWord) -> Self {
        match word {
            AlertKindWord::HealthCritical => Self::HealthCritical,
            AlertKindWord::HealthAtRisk => Self::HealthAtRisk,
            AlertKindWord::HealthDrop => Self::HealthDrop,
            AlertKindWord::Inactivity => Self::Inactivity,
            AlertKindWord::PaymentFailed => Self::PaymentFailed,
            AlertKindWord::BillingDispute => Self::BillingDispute,
            AlertKindWord::TicketUrgent => Self::TicketUrgent,
            AlertKindWord::Detractor => Self::Detractor,
            AlertKindWord::Manual => Self::Manual,
            AlertKindWord::UsageDecline => Self::UsageDecline,
            AlertKindWord::LoginDrop => Self::LoginDrop,
            AlertKindWord::FeatureNotAdopted => Self::FeatureNotAdopted,
            AlertKindWord::ChampionSilent => Self::ChampionSilent,
            AlertKindWord::RenewalAtRisk => Self::RenewalAtRisk,
            AlertKindWord::TicketFrustrated => Self::TicketFrustrated,
            AlertKindWord::PaymentSlowing => Self::PaymentSlowing,
        }
    }
}

/// How a person ends an alert, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResolutionWord {
    /// It was dealt with, and followed up
    Resolved,
    /// Nothing needed to be done
    NoAction,
    /// It was none
    FalseAlarm,
}

impl From<ResolutionWord> for proto::AlertResolution {
    fn from(word: ResolutionWord) -> Self {
        match word {
            ResolutionWord::Resolved => Self::Resolved,
            ResolutionWord::NoAction => Self::NoAction,
            ResolutionWord::FalseAlarm => Self::FalseAlarm,
        }
    }
}

fn client(connection: &Connection) -> AlertServiceClient<ServiceChannel> {
    AlertServiceClient::new(connection.channel.clone())
}

/// Sends a step, again if the answer is lost, and shows the alert.
macro_rules! step {
    ($connection:expr, $output:expr, $method:ident, $request:expr) => {{
        let request = $request;
        let alert = retrying(&$connection.retries, async || client($connection).$method(request.clone()).await);
        show(&alert.await?.into_inner(), $output)
    }};
}

/// Runs the command.
pub(crate) async fn run(command: &AlertsCommand, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request_id = new_request_id();
    let etag = String::new();
    match command {
        AlertsCommand::List(arguments) => list(arguments, connection, output).await,
        AlertsCommand::Get(argument) => {
            let request = proto::GetAlertRequest { name: alert_name(&argument.alert)? };
            step!(connection, output, get_alert, request)
        }
        AlertsCommand::Create(arguments) => {
            let request = proto::CreateAlertRequest {
                account: account_name(&arguments.account)?,
                subject: arguments.subject.clone(),
                headline: arguments.headline.clone(),
                details: arguments.detail.clone(),
                owner_email: arguments.owner.clone().unwrap_or_default(),
                request_id,
                ..Default::default()
            };
            step!(connection, output, create_alert, request)
        }
        AlertsCommand::Acknowledge(arguments) => acknowledge(arguments, connection, output).await,
        AlertsCommand::Assess(arguments) => {
            let request = proto::AssessAlertRequest {
                name: alert_name(&arguments.alert)?,
                assessment: arguments.assessment.clone(),
                immediate_action_needed: arguments.immediate,
                etag,
                request_id,
            };
            step!(connection, output, assess_alert, request)
        }
        AlertsCommand::Plan(arguments) => {
            let (name, plan) = (alert_name(&arguments.alert)?, arguments.text.clone());
            step!(connection, output, plan_alert, proto::PlanAlertRequest { name, plan, etag, request_id })
        }
        AlertsCommand::Execute(arguments) => {
            let request = proto::RecordExecutionRequest {
                name: alert_name(&arguments.alert)?,
                execution: arguments.text.clone(),
                channel: proto::TouchChannel::from(arguments.channel).into(),
                answered: arguments.answered,
                etag,
                request_id,
            };
            step!(connection, output, record_execution, request)
        }
        AlertsCommand::FollowUp(arguments) => {
            let request = proto::FollowUpAlertRequest {
                name: alert_name(&arguments.alert)?,
                follow_up: arguments.text.clone(),
                issue_resolved: arguments.resolved,
                etag,
                request_id,
            };
            step!(connection, output, follow_up_alert, request)
        }
        AlertsCommand::Close(arguments) => {
            let request = proto::CloseAlertRequest {
                name: alert_name(&arguments.alert)?,
                resolution: proto::AlertResolution::from(arguments.resolution).into(),
                notes: arguments.notes.clone(),
                etag,
                request_id,
            };
            step!(connection, output, close_alert, request)
        }
        AlertsCommand::Reassign(arguments) => {
            let (name, owner_email) = (alert_name(&arguments.alert)?, arguments.email.clone());
            step!(
                connection,
                output,
                reassign_alert,
                proto::ReassignAlertRequest { name, owner_email, etag, request_id }
            )
        }
        AlertsCommand::Policies => policies::list(connection, output).await,
    }
}

fn alert_name(given: &str) -> Result<String, Failure> {
    resource_name("alerts", given)
}

async fn acknowledge(
    arguments: &AcknowledgeArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let names = arguments.alerts.iter().map(|alert| alert_name(alert)).collect::<Result<Vec<_>, _>>()?;
    if let [name] = names.as_slice() {
        return show(&acknowledge_one(name, connection).await?, output);
    }
    let mut table = table(&headings("DUE"));
    let mut outcome = Ok(());
    for name in &names {
        match acknowledge_one(name, connection).await {
            Ok(alert) if output.is_json() => output.json_line(&alert)?,
            Ok(alert) => _ = table.add_row(row(&alert)),
            Err(refused) => {
                outcome = Err(refused);
                break;
            }
        }
    }
    if !output.is_json() && !table.is_empty() {
        output.table(table)?;
    }
    outcome
}

async fn acknowledge_one(name: &str, connection: &Connection) -> Result<proto::Alert, Failure> {
    let request =
        proto::AcknowledgeAlertRequest { name: name.to_owned(), etag: String::new(), request_id: new_request_id() };
    let send = async || client(connection).acknowledge_alert(request.clone()).await;
    Ok(retrying(&connection.retries, send).await?.into_inner())
}

async fn list(arguments: &ListArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let mut request = proto::ListAlertsRequest {
        account: arguments.account.as_deref().map(account_name).transpose()?.unwrap_or_default(),
        kinds: arguments.kind.iter().map(|&word| proto::AlertKind::from(word).into()).collect(),
        owner_email: arguments.owner.clone().unwrap_or_default(),
        closed: arguments.closed,
        breached: arguments.breached,
        ..Default::default()
    };
    let last = if arguments.closed { "CLOSED" } else { "DUE" };
    let mut table = table(&headings(last));
    let mut shown = 0;
    loop {
        request.page_size = page_size(arguments.limit, shown);
        let page = retrying(&connection.retries, async || client(connection).list_alerts(request.clone()).await)
            .await?
            .into_inner();
        for alert in &page.alerts {
            if output.is_json() {
                output.json_line(alert)?;
            } else {
                table.add_row(row(alert));
            }
        }
        shown += page.alerts.len();
        if page.next_page_token.is_empty() || is_enough(arguments.limit, shown) {
            if !page.next_page_token.is_empty() {
                note("There are more: --limit shows them.");
            }
            break;
        }
        request.page_token = page.next_page_token;
    }
    if output.is_json() {
        return Ok(());
    }
    if shown == 0 {
        note("No alerts.");
        return Ok(());
    }
    Ok(output.table(table)?)
}
