//! `mainstay messages`: what leaves the services by email, Slack and webhook, and what did not arrive.

use clap::{Args, Subcommand, ValueEnum};
use mainstay_api::mainstay::delivery::v1 as proto;
use mainstay_api::mainstay::delivery::v1::delivery_service_client::DeliveryServiceClient;
use mainstay_clients::{ServiceChannel, retrying};
use tonic::Code;

use crate::arguments::GlobalOptions;
use crate::command::models::new_request_id;
use crate::command::{is_enough, page_size};
use crate::connection::{Connection, ServiceName};
use crate::failure::Failure;
use crate::output::{Output, note, to_json};
use crate::table::{facts, table};
use crate::words::interventions::enum_word;
use crate::words::{account_name, id_of, resource_name, time_text};

/// Commands about messages that leave.
#[derive(Debug, Subcommand)]
pub(crate) enum MessagesCommand {
    /// List messages, the newest first
    #[command(after_help = "\
Examples:
  mainstay messages list
  mainstay messages list --state dead
  mainstay messages list --from surveys --account acme --output json")]
    List(ListArguments),
    /// Show what a message says, and how each attempt at sending it ended
    #[command(after_help = "\
Examples:
  mainstay messages get 0198c0de-0000-7000-8000-000000000000")]
    Get(MessageArgument),
    /// Send a message once more, also one that was given up
    #[command(after_help = "\
The receiver can tell that it is the same message.

Examples:
  mainstay messages replay 0198c0de-0000-7000-8000-000000000000")]
    Replay(MessageArgument),
    /// List where messages go, what waits there and what is disabled
    #[command(after_help = "\
Examples:
  mainstay messages destinations")]
    Destinations(FromArgument),
    /// Let messages go to a destination again that said that it is gone
    #[command(after_help = "\
Examples:
  mainstay messages enable webhook/crm --from interventions")]
    Enable(EnableArguments),
}

/// A service that sends messages, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sender {
    /// Invitations to surveys
    Surveys,
    /// Alerts, deadlines, cases, tasks
    Interventions,
}

impl Sender {
    const ALL: [Self; 2] = [Self::Surveys, Self::Interventions];

    const fn service(self) -> ServiceName {
        match self {
            Self::Surveys => ServiceName::Surveys,
            Self::Interventions => ServiceName::Interventions,
        }
    }
}

/// Whose messages.
#[derive(Debug, Args)]
pub(crate) struct FromArgument {
    /// Only those of this service
    #[arg(long, value_enum, value_name = "SERVICE")]
    from: Option<Sender>,
}

impl FromArgument {
    fn senders(&self) -> Vec<Sender> {
        self.from.map_or(Sender::ALL.to_vec(), |sender| vec![sender])
    }
}

/// Which messages.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    from: FromArgument,
    /// Only those in this state
    #[arg(long, value_enum)]
    state: Option<StateWord>,
    /// Only those about this account
    #[arg(long)]
    account: Option<String>,
    /// Only those for this purpose, for example `alert_raised`
    #[arg(long, default_value = "", hide_default_value = true)]
    purpose: String,
    /// How many at most; 0 for all
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
}

/// Which message.
#[derive(Debug, Args)]
pub(crate) struct MessageArgument {
    /// The message, by id
    message: String,
    #[command(flatten)]
    from: FromArgument,
}

/// Which destination.
#[derive(Debug, Args)]
pub(crate) struct EnableArguments {
    /// The destination: slack/NAME or webhook/NAME
    destination: String,
    /// Of which service
    #[arg(long, value_enum, value_name = "SERVICE")]
    from: Sender,
}

/// Where a message stands, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StateWord {
    /// It waits, or is being sent
    Pending,
    /// The other side took it
    Sent,
    /// It was given up
    Dead,
}

impl From<StateWord> for proto::MessageState {
    fn from(word: StateWord) -> Self {
        match word {
            StateWord::Pending => Self::Pending,
            StateWord::Sent => Self::Sent,
            StateWord::Dead => Self::Dead,
        }
    }
}

/// Runs the command.
pub(crate) async fn run(
    command: &MessagesCommand,
    options: &GlobalOptions,
    output: &mut Output,
) -> Result<(), Failure> {
    match command {
        MessagesCommand::List(arguments) => list(arguments, options, output).await,
        MessagesCommand::Get(arguments) => {
            let (_, message) = find(arguments, options).await?;
            show(&message, output)
        }
        MessagesCommand::Replay(arguments) => replay(arguments, options, output).await,
        MessagesCommand::Destinations(arguments) => destinations(arguments, options, output).await,
        MessagesCommand::Enable(arguments) => enable(arguments, options, output).await,
    }
}

fn client(connection: &Connection) -> DeliveryServiceClient<ServiceChannel> {
    DeliveryServiceClient::new(connection.channel.clone())
}

async fn list(arguments: &ListArguments, options: &GlobalOptions, output: &mut Output) -> Result<(), Failure> {
    let mut listed = Vec::new();
    for sender in arguments.from.senders() {
        let connection = Connection::to(options, sender.service())?;
        let of_sender = list_of(arguments, &connection).await?;
        listed.extend(of_sender.into_iter().map(|message| (sender, message)));
    }
    // Ids begin with the time at which they were made.
    listed.sort_by(|(_, left), (_, right)| right.name.cmp(&left.name));
    if arguments.limit > 0 {
        listed.truncate(arguments.limit);
    }
    if output.is_json() {
        return Ok(listed.iter().try_for_each(|(_, message)| output.json_line(message))?);
    }
    if listed.is_empty() {
        note("No messages.");
        return Ok(());
    }
    let mut table = table(&["MESSAGE", "FROM", "ACCOUNT", "PURPOSE", "TO", "STATE", "CREATED", ">TRIES", "LAST ERROR"]);
    for (sender, message) in &listed {
        table.add_row([
            id_of(&message.name).to_owned(),
            sender.service().word().to_owned(),
            id_of(&message.account).to_owned(),
            message.purpose.replace('_', " "),
            message.destination.trim_start_matches("destinations/").to_owned(),
            state_word(message),
            time_text(message.create_time),
            message.attempt_count.to_string(),
            message.last_error.clone(),
        ]);
    }
    Ok(output.table(table)?)
}

async fn list_of(arguments: &ListArguments, connection: &Connection) -> Result<Vec<proto::Message>, Failure> {
    let state = arguments.state.map_or(proto::MessageState::Unspecified, Into::into);
    let mut request = proto::ListMessagesRequest {
        state: state.into(),
        purpose: arguments.purpose.clone(),
        account: arguments.account.as_deref().map(account_name).transpose()?.unwrap_or_default(),
        ..Default::default()
    };
    let mut listed = Vec::new();
    loop {
        request.page_size = page_size(arguments.limit, listed.len());
        let page = retrying(&connection.retries, async || client(connection).list_messages(request.clone()).await);
        let page = page.await?.into_inner();
        listed.extend(page.messages);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() || is_enough(arguments.limit, listed.len()) {
            return Ok(listed);
        }
    }
}

fn state_word(message: &proto::Message) -> String {
    enum_word(message.state().as_str_name(), "MESSAGE_STATE_")
}

/// The message, and which service has it.
async fn find(arguments: &MessageArgument, options: &GlobalOptions) -> Result<(Connection, proto::Message), Failure> {
    let request = proto::GetMessageRequest { name: resource_name("messages", &arguments.message)? };
    let mut senders = arguments.from.senders();
    let last = senders.pop().unwrap_or(Sender::Interventions);
    for sender in senders {
        let connection = Connection::to(options, sender.service())?;
        let found =
            retrying(&connection.retries, async || client(&connection).get_message(request.clone()).await).await;
        match found {
            Err(status) if status.code() == Code::NotFound => {}
            found => return Ok((connection, found?.into_inner())),
        }
    }
    let connection = Connection::to(options, last.service())?;
    let found = retrying(&connection.retries, async || client(&connection).get_message(request.clone()).await).await?;
    Ok((connection, found.into_inner()))
}

fn show(message: &proto::Message, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        return Ok(output.json_object(message)?);
    }
    let mut rows = vec![
        ("message", id_of(&message.name).to_owned()),
        ("account", id_of(&message.account).to_owned()),
        ("purpose", message.purpose.replace('_', " ")),
        ("to", message.destination.trim_start_matches("destinations/").to_owned()),
        ("state", state_word(message)),
        ("created", time_text(message.create_time)),
    ];
    match message.state() {
        proto::MessageState::Sent => rows.push(("sent", time_text(message.sent_time))),
        proto::MessageState::Dead => rows.push(("dead since", time_text(message.dead_time))),
        _ => rows.push(("next attempt", time_text(message.next_attempt_time))),
    }
    let says = match &message.content {
        Some(proto::message::Content::Email(email)) => {
            rows.push(("address", email.to.clone()));
            rows.push(("subject", email.subject.clone()));
            email.text.clone()
        }
        Some(proto::message::Content::Slack(slack)) => slack.text.clone(),
        Some(proto::message::Content::Webhook(webhook)) => {
            rows.push(("event", webhook.event_type.clone()));
            format!("{:#}", to_json(message)?["webhook"]["data"])
        }
        None => String::new(),
    };
    output.table(facts(rows))?;
    output.line("")?;
    output.line(says.trim_end())?;
    if message.attempts.is_empty() {
        return Ok(());
    }
    let mut table = table(&[">ATTEMPT", "BEGAN", "OUTCOME", ">STATUS", "ERROR"]);
    for attempt in &message.attempts {
        let outcome = match attempt.outcome() {
            proto::AttemptOutcome::Unspecified => "under way or lost".to_owned(),
            outcome => enum_word(outcome.as_str_name(), "ATTEMPT_OUTCOME_"),
        };
        let status = if attempt.status_code == 0 { "–".to_owned() } else { attempt.status_code.to_string() };
        let error = attempt.error.clone();
        table.add_row([attempt.number.to_string(), time_text(attempt.start_time), outcome, status, error]);
    }
    output.line("")?;
    Ok(output.table(table)?)
}

async fn replay(arguments: &MessageArgument, options: &GlobalOptions, output: &mut Output) -> Result<(), Failure> {
    let (connection, message) = find(arguments, options).await?;
    let request = proto::ReplayMessageRequest { name: message.name, request_id: new_request_id() };
    let replayed = retrying(&connection.retries, async || client(&connection).replay_message(request.clone()).await);
    let replayed = replayed.await?.into_inner();
    if output.is_json() {
        return Ok(output.json_object(&replayed)?);
    }
    Ok(output.line(&format!("{} is due now", id_of(&replayed.name)))?)
}

async fn destinations(arguments: &FromArgument, options: &GlobalOptions, output: &mut Output) -> Result<(), Failure> {
    let mut table = table(&["DESTINATION", "FROM", ">WAITING", "OLDEST DUE", "DISABLED SINCE", "WHY"]);
    for sender in arguments.senders() {
        let connection = Connection::to(options, sender.service())?;
        let request = proto::ListDestinationsRequest {};
        let listed = retrying(&connection.retries, async || client(&connection).list_destinations(request).await);
        for destination in listed.await?.into_inner().destinations {
            if output.is_json() {
                output.json_line(&destination)?;
                continue;
            }
            let why = if destination.configured {
                destination.disable_reason.clone()
            } else {
                "not in the settings".to_owned()
            };
            table.add_row([
                destination.name.trim_start_matches("destinations/").to_owned(),
                sender.service().word().to_owned(),
                destination.pending_count.to_string(),
                time_text(destination.oldest_due_time),
                time_text(destination.disable_time),
                why,
            ]);
        }
    }
    if output.is_json() { Ok(()) } else { Ok(output.table(table)?) }
}

async fn enable(arguments: &EnableArguments, options: &GlobalOptions, output: &mut Output) -> Result<(), Failure> {
    let name = arguments.destination.trim_start_matches("destinations/");
    let request =
        proto::EnableDestinationRequest { name: format!("destinations/{name}"), request_id: new_request_id() };
    let connection = Connection::to(options, arguments.from.service())?;
    let enabled = retrying(&connection.retries, async || client(&connection).enable_destination(request.clone()).await);
    let enabled = enabled.await?.into_inner();
    if output.is_json() {
        return Ok(output.json_object(&enabled)?);
    }
    Ok(output.line(&format!("{name} is enabled; {} messages are due", enabled.pending_count))?)
}
