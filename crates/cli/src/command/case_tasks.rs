//! `mainstay cases task`: what one person has to do.

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueEnum};
use comfy_table::Cell;
use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_clients::retrying;

use crate::command::cases::{case_name, client};
use crate::command::models::new_request_id;
use crate::command::{is_enough, page_size};
use crate::connection::Connection;
use crate::due::due_cell;
use crate::failure::Failure;
use crate::output::{Output, note};
use crate::table::table;
use crate::words::interventions::enum_word;
use crate::words::{id_of, resource_name};

/// Commands about tasks.
#[derive(Debug, Subcommand)]
pub(crate) enum TaskCommand {
    /// List tasks, soonest due first
    #[command(after_help = "\
Examples:
  mainstay cases task list --owner mia@example.com")]
    List(ListArguments),
    /// Add a task to a case
    #[command(after_help = "\
Examples:
  mainstay cases task add 0198c0de-… 'Send the offer' --due 2026-12-01T17:00:00Z")]
    Add(AddArguments),
    /// Say that a task is done, or not needed any more
    #[command(after_help = "\
Examples:
  mainstay cases task end 0198c0de-…
  mainstay cases task end 0198c0de-… --cancel")]
    End(EndArguments),
}

/// Which tasks.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Only of this case
    #[arg(long)]
    case: Option<String>,
    /// Only this person's
    #[arg(long, value_name = "EMAIL")]
    owner: Option<String>,
    /// Also those that ended
    #[arg(long)]
    all: bool,
    /// How many at most; 0 for all
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
}

/// A task to add.
#[derive(Debug, Args)]
pub(crate) struct AddArguments {
    /// The case, by id
    case: String,
    /// What to do
    title: String,
    /// By when, such as 2026-12-01T17:00:00Z
    #[arg(long, value_name = "TIME")]
    due: DateTime<Utc>,
    /// Who does it [default: who leads the case]
    #[arg(long, value_name = "EMAIL")]
    owner: Option<String>,
    /// What kind of help it takes
    #[arg(long, value_enum)]
    resource: Option<ResourceWord>,
}

/// What kind of help a task takes, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResourceWord {
    /// Technical help
    Technical,
    /// Training
    Training,
    /// The product team
    Product,
}

impl From<ResourceWord> for proto::TaskResource {
    fn from(word: ResourceWord) -> Self {
        match word {
            ResourceWord::Technical => Self::Technical,
            ResourceWord::Training => Self::Training,
            ResourceWord::Product => Self::Product,
        }
    }
}

/// An end.
#[derive(Debug, Args)]
pub(crate) struct EndArguments {
    /// The task, by id
    task: String,
    /// It is not needed any more
    #[arg(long)]
    cancel: bool,
}

/// Runs the command.
pub(crate) async fn run(command: &TaskCommand, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    match command {
        TaskCommand::List(arguments) => list(arguments, connection, output).await,
        TaskCommand::Add(arguments) => {
            let request = proto::CreateTaskRequest {
                case: case_name(&arguments.case)?,
                title: arguments.title.clone(),
                owner_email: arguments.owner.clone().unwrap_or_default(),
                due_time: Some(prost_types::Timestamp { seconds: arguments.due.timestamp(), nanos: 0 }),
                resource: arguments.resource.map_or(0, |word| proto::TaskResource::from(word).into()),
                request_id: new_request_id(),
            };
            let task = retrying(&connection.retries, async || client(connection).create_task(request.clone()).await);
            show(&task.await?.into_inner(), output)
        }
        TaskCommand::End(arguments) => {
            let name = resource_name("tasks", &arguments.task)?;
            let request = proto::EndTaskRequest { name, cancelled: arguments.cancel, request_id: new_request_id() };
            let task = retrying(&connection.retries, async || client(connection).end_task(request.clone()).await);
            show(&task.await?.into_inner(), output)
        }
    }
}

fn show(task: &proto::Task, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        return Ok(output.json_object(task)?);
    }
    let mut table = head();
    table.add_row(row(task));
    Ok(output.table(table)?)
}

fn head() -> comfy_table::Table {
    table(&["TASK", "ACCOUNT", "WHAT", "STATE", "OWNER", "DUE"])
}

fn row(task: &proto::Task) -> Vec<Cell> {
    vec![
        Cell::new(id_of(&task.name)),
        Cell::new(id_of(&task.account)),
        Cell::new(&task.title),
        Cell::new(enum_word(task.state().as_str_name(), "TASK_STATE_")),
        Cell::new(&task.owner_email),
        due_cell(task.due_time),
    ]
}

async fn list(arguments: &ListArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let mut request = proto::ListTasksRequest {
        case: arguments.case.as_deref().map(case_name).transpose()?.unwrap_or_default(),
        owner_email: arguments.owner.clone().unwrap_or_default(),
        include_ended: arguments.all,
        ..Default::default()
    };
    let mut table = head();
    let mut shown = 0;
    loop {
        request.page_size = page_size(arguments.limit, shown);
        let page = retrying(&connection.retries, async || client(connection).list_tasks(request.clone()).await)
            .await?
            .into_inner();
        for task in &page.tasks {
            if output.is_json() {
                output.json_line(task)?;
            } else {
                table.add_row(row(task));
            }
        }
        shown += page.tasks.len();
        if page.next_page_token.is_empty() || is_enough(arguments.limit, shown) {
            break;
        }
        request.page_token = page.next_page_token;
    }
    if output.is_json() {
        return Ok(());
    }
    if shown == 0 {
        note("No tasks.");
        return Ok(());
    }
    Ok(output.table(table)?)
}
