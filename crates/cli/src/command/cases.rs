//! `mainstay cases`: the work on accounts at risk and on detractors.

use clap::{Args, Subcommand, ValueEnum};
use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_api::mainstay::interventions::v1::case_service_client::CaseServiceClient;
use mainstay_clients::{ServiceChannel, retrying};

use crate::command::case_report::{self, ReportArguments};
use crate::command::case_story;
use crate::command::case_tasks::{self, TaskCommand};
use crate::command::case_view::{row, say, show};
use crate::command::models::new_request_id;
use crate::command::{is_enough, page_size};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{Output, note};
use crate::table::table;
use crate::words::{account_name, resource_name};

/// Commands about cases.
#[derive(Debug, Subcommand)]
pub(crate) enum CasesCommand {
    /// List cases, what can be kept most first
    #[command(after_help = "\
Examples:
  mainstay cases list
  mainstay cases list --kind detractor --owner mia@example.com
  mainstay cases list --closed --output json")]
    List(ListArguments),
    /// Show all that is known of a case
    #[command(after_help = "\
Examples:
  mainstay cases get 0198c0de-0000-7000-8000-000000000000")]
    Get(CaseArgument),
    /// Open a case for an account at risk
    #[command(after_help = "\
Examples:
  mainstay cases open acme")]
    Open(OpenArguments),
    /// Record what was found out
    #[command(after_help = "\
Only what is given is changed.

Examples:
  mainstay cases update 0198c0de-… --done history,usage,tickets,renewal,priority
  mainstay cases update 0198c0de-… --root-cause 'The champion left' --plan 'Train the new admin'
  mainstay cases update 0198c0de-… --what-worked 'A training of two hours'")]
    Update(UpdateArguments),
    /// Move a case to its next state
    #[command(after_help = "\
At risk: assessing, intervening, resolving. Detractor: contacted, cause-found, planned, resolved.
What is missing for it is said.

Examples:
  mainstay cases advance 0198c0de-… intervening")]
    Advance(AdvanceArguments),
    /// Close a case
    #[command(after_help = "\
Saved needs a score above 70, which scoring confirms.

Examples:
  mainstay cases close 0198c0de-… --outcome saved
  mainstay cases close 0198c0de-… --outcome no-action --notes 'A seasonal customer'")]
    Close(CloseArguments),
    /// Give a case to another person, who is told so
    #[command(after_help = "\
Examples:
  mainstay cases reassign 0198c0de-… bo@example.com")]
    Reassign(ReassignArguments),
    /// Record a contact with the customer
    #[command(after_help = "\
Examples:
  mainstay cases touch 0198c0de-… 'Talked to the new admin' --channel call --answered
  mainstay cases touch 0198c0de-… 'They asked for training' --channel email --inbound
  mainstay cases touch 0198c0de-… 'Discovery call' --channel call --answered \\
      --challenges 'Reports take an hour' --changed-needs 'Two new teams'")]
    Touch(case_story::TouchArguments),
    /// Say what to talk about with the customer
    #[command(after_help = "\
Whom to ask for, why the health is what it is, what is open, what was found out, what comes next.

Examples:
  mainstay cases talking-points acme")]
    TalkingPoints(case_story::TalkingPointsArguments),
    /// Tell the story of a case or an account, the newest first
    #[command(after_help = "\
Examples:
  mainstay cases story 0198c0de-0000-7000-8000-000000000000
  mainstay cases story --account acme")]
    Story(case_story::StoryArguments),
    /// Say how well the work goes: who was saved, how fast, and how deadlines were kept
    #[command(after_help = "\
Each figure has its count, and where it is an estimate its 95 % interval.

Examples:
  mainstay cases report
  mainstay cases report --from 2026-07-01 --to 2026-10-01 --segment enterprise")]
    Report(ReportArguments),
    /// Tasks: list, add, end
    #[command(
        subcommand,
        after_help = "\
Examples:
  mainstay cases task list --owner mia@example.com"
    )]
    Task(TaskCommand),
}

/// Which cases.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Only of this account
    #[arg(long)]
    account: Option<String>,
    /// Only of this kind
    #[arg(long, value_enum)]
    kind: Option<CaseKindWord>,
    /// Only this person's
    #[arg(long, value_name = "EMAIL")]
    owner: Option<String>,
    /// Closed ones instead of open ones
    #[arg(long)]
    closed: bool,
    /// How many at most; 0 for all
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
}

/// Which case.
#[derive(Debug, Args)]
pub(crate) struct CaseArgument {
    /// The case, by id
    case: String,
}

/// A case to open.
#[derive(Debug, Args)]
pub(crate) struct OpenArguments {
    /// For which account
    account: String,
    /// Who leads it [default: the account's CSM]
    #[arg(long, value_name = "EMAIL")]
    owner: Option<String>,
}

/// What was found out.
#[derive(Debug, Args)]
pub(crate) struct UpdateArguments {
    /// The case, by id
    case: String,
    /// Steps of the assessment that are done
    #[arg(long, value_enum, value_delimiter = ',')]
    done: Vec<StepWord>,
    /// The root cause: specific pain points
    #[arg(long, default_value = "", hide_default_value = true)]
    root_cause: String,
    /// What will be done
    #[arg(long, default_value = "", hide_default_value = true)]
    plan: String,
    /// What was done about it
    #[arg(long, default_value = "", hide_default_value = true)]
    resolution: String,
    /// What worked, for the playbook
    #[arg(long, default_value = "", hide_default_value = true)]
    what_worked: String,
}

impl UpdateArguments {
    fn is_empty(&self) -> bool {
        self.done.is_empty()
            && [&self.root_cause, &self.plan, &self.resolution, &self.what_worked].iter().all(|text| text.is_empty())
    }
}

/// A move.
#[derive(Debug, Args)]
pub(crate) struct AdvanceArguments {
    /// The case, by id
    case: String,
    /// The state to move to
    #[arg(value_enum)]
    state: StateWord,
}

/// An end.
#[derive(Debug, Args)]
pub(crate) struct CloseArguments {
    /// The case, by id
    case: String,
    /// How it ended
    #[arg(long, value_enum)]
    outcome: OutcomeWord,
    /// Why
    #[arg(long, default_value = "", hide_default_value = true)]
    notes: String,
}

/// Another owner.
#[derive(Debug, Args)]
pub(crate) struct ReassignArguments {
    /// The case, by id
    case: String,
    /// Who leads it from now on
    email: String,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident => $message:ident { $($(#[$word_doc:meta])* $word:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
        pub(crate) enum $name {
            $($(#[$word_doc])* $word,)+
        }

        impl From<$name> for proto::$message {
            fn from(word: $name) -> Self {
                match word {
                    $($name::$word => Self::$word,)+
                }
            }
        }
    };
}

words! {
    /// A kind of case, as an argument.
    CaseKindWord => CaseKind {
        /// An account at risk
        AtRisk,
        /// A customer who answered a survey with 0 to 6
        Detractor,
    }
}

words! {
    /// A state to move to, as an argument.
    StateWord => CaseState {
        /// At risk: being assessed
        Assessing,
        /// At risk: being worked on with the customer
        Intervening,
        /// At risk: recovery being watched
        Resolving,
        /// Detractor: the customer was contacted
        Contacted,
        /// Detractor: the root cause is documented
        CauseFound,
        /// Detractor: it is planned what will be done
        Planned,
        /// Detractor: it was done
        Resolved,
    }
}

words! {
    /// How a person ends a case, as an argument.
    OutcomeWord => CaseOutcome {
        /// The score is above 70 again
        Saved,
        /// The customer left
        Churned,
        /// Nothing was done
        NoAction,
    }
}

words! {
    /// A step of the assessment, as an argument.
    StepWord => AssessmentStep {
        /// The account's history was reviewed
        History,
        /// Its usage was analysed
        Usage,
        /// Its support tickets were reviewed
        Tickets,
        /// Renewal date and revenue at risk were looked up
        Renewal,
        /// The priority was set
        Priority,
    }
}

pub(crate) fn client(connection: &Connection) -> CaseServiceClient<ServiceChannel> {
    CaseServiceClient::new(connection.channel.clone())
}

pub(crate) fn case_name(given: &str) -> Result<String, Failure> {
    resource_name("cases", given)
}

/// Sends a call, again if the answer is lost, and tells the case by a function.
macro_rules! call {
    ($connection:expr, $output:expr, $method:ident, $request:expr, $tell:expr) => {{
        let request = $request;
        let case = retrying(&$connection.retries, async || client($connection).$method(request.clone()).await);
        $tell(&case.await?.into_inner(), $output)
    }};
}

/// Runs the command.
pub(crate) async fn run(command: &CasesCommand, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request_id = new_request_id();
    let etag = String::new();
    match command {
        CasesCommand::List(arguments) => list(arguments, connection, output).await,
        CasesCommand::Get(argument) => {
            call!(connection, output, get_case, proto::GetCaseRequest { name: case_name(&argument.case)? }, show)
        }
        CasesCommand::Open(arguments) => {
            let request = proto::OpenCaseRequest {
                account: account_name(&arguments.account)?,
                owner_email: arguments.owner.clone().unwrap_or_default(),
                request_id,
            };
            call!(connection, output, open_case, request, show)
        }
        CasesCommand::Update(arguments) => {
            if arguments.is_empty() {
                return Err(Failure::Usage(
                    "there is nothing to record: give --done, --root-cause, --plan, --resolution or --what-worked"
                        .to_owned(),
                ));
            }
            let request = proto::UpdateCaseRequest {
                name: case_name(&arguments.case)?,
                assessment_steps: arguments.done.iter().map(|&word| proto::AssessmentStep::from(word).into()).collect(),
                root_cause: arguments.root_cause.clone(),
                plan: arguments.plan.clone(),
                resolution: arguments.resolution.clone(),
                what_worked: arguments.what_worked.clone(),
                etag,
                request_id,
            };
            call!(connection, output, update_case, request, say)
        }
        CasesCommand::Advance(arguments) => {
            let state = proto::CaseState::from(arguments.state).into();
            let name = case_name(&arguments.case)?;
            call!(connection, output, advance_case, proto::AdvanceCaseRequest { name, state, etag, request_id }, say)
        }
        CasesCommand::Close(arguments) => {
            let request = proto::CloseCaseRequest {
                name: case_name(&arguments.case)?,
                outcome: proto::CaseOutcome::from(arguments.outcome).into(),
                notes: arguments.notes.clone(),
                etag,
                request_id,
            };
            call!(connection, output, close_case, request, say)
        }
        CasesCommand::Reassign(arguments) => {
            let (name, owner_email) = (case_name(&arguments.case)?, arguments.email.clone());
            call!(
                connection,
                output,
                reassign_case,
                proto::ReassignCaseRequest { name, owner_email, etag, request_id },
                show
            )
        }
        CasesCommand::Touch(arguments) => case_story::touch(arguments, connection, output).await,
        CasesCommand::TalkingPoints(arguments) => case_story::talking_points(arguments, connection, output).await,
        CasesCommand::Story(arguments) => case_story::story(arguments, connection, output).await,
        CasesCommand::Report(arguments) => case_report::report(arguments, connection, output).await,
        CasesCommand::Task(command) => case_tasks::run(command, connection, output).await,
    }
}

async fn list(arguments: &ListArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let mut request = proto::ListCasesRequest {
        account: arguments.account.as_deref().map(account_name).transpose()?.unwrap_or_default(),
        kind: arguments.kind.map_or(proto::CaseKind::Unspecified, proto::CaseKind::from).into(),
        owner_email: arguments.owner.clone().unwrap_or_default(),
        closed: arguments.closed,
        ..Default::default()
    };
    let last = if arguments.closed { "ENDED" } else { "DUE" };
    let mut table = table(&["CASE", "ACCOUNT", "KIND", "STATE", ">EXPECTED GAIN", ">CHANCE", "OWNER", last]);
    let mut shown = 0;
    loop {
        request.page_size = page_size(arguments.limit, shown);
        let page = retrying(&connection.retries, async || client(connection).list_cases(request.clone()).await)
            .await?
            .into_inner();
        for case in &page.cases {
            if output.is_json() {
                output.json_line(case)?;
            } else {
                table.add_row(row(case));
            }
        }
        shown += page.cases.len();
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
        note("No cases.");
        return Ok(());
    }
    Ok(output.table(table)?)
}
