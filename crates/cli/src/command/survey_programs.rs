//! `mainstay surveys programs`: who is asked, when, and in which words.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use mainstay_api::mainstay::surveys::v1 as proto;
use mainstay_api::mainstay::surveys::v1::program_service_client::ProgramServiceClient;
use mainstay_clients::{ServiceChannel, retrying};

use crate::command::models::new_request_id;
use crate::command::surveys::reason;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{Output, from_json, note};
use crate::table::{facts, table};
use crate::words::interventions::enum_word;
use crate::words::surveys::{SurveyKindWord, TriggerWord, trigger};
use crate::words::{counted, id_of, resource_name, time_text};

const PAGE_SIZE_MAX: i32 = 1_000;

/// Commands about programmes.
#[derive(Debug, Subcommand)]
pub(crate) enum ProgramsCommand {
    /// List programmes
    #[command(after_help = "\
Examples:
  mainstay surveys programs list
  mainstay surveys programs list --all --output json")]
    List(ListArguments),
    /// Show a programme with its words
    #[command(after_help = "\
Examples:
  mainstay surveys programs get quarterly-nps")]
    Get(ProgramArgument),
    /// Create a programme as a draft, from options or from a YAML file
    #[command(after_help = "\
A file has the fields of mainstay.surveys.v1.Program:

  display_name: Quarterly NPS
  kind: SURVEY_KIND_NPS
  trigger: { quarterly: { tenure_days: 90, spread_days: 30 } }
  segments: [SEGMENT_ENTERPRISE, SEGMENT_MID_MARKET]
  texts: { question: How likely are you to recommend Example to a colleague? }

Examples:
  mainstay surveys programs create quarterly-nps --kind nps --when quarterly
  mainstay surveys programs create support --kind csat --when support --name 'After support'
  mainstay surveys programs create quarterly-nps --file quarterly-nps.yaml --check")]
    Create(CreateArguments),
    /// Say who would be asked now, and who not and why; asks nobody
    #[command(after_help = "\
Examples:
  mainstay surveys programs preview quarterly-nps")]
    Preview(ProgramArgument),
    /// Publish a draft: from now on it asks
    #[command(after_help = "\
Its words stay as they are from then on, so that its answers can be compared.

Examples:
  mainstay surveys programs publish quarterly-nps")]
    Publish(ProgramArgument),
    /// Have a programme ask nobody for a while
    #[command(after_help = "\
Examples:
  mainstay surveys programs pause quarterly-nps")]
    Pause(ProgramArgument),
    /// Have a paused programme ask again
    #[command(after_help = "\
Examples:
  mainstay surveys programs resume quarterly-nps")]
    Resume(ProgramArgument),
    /// End a programme for good; its answers stay
    #[command(after_help = "\
Examples:
  mainstay surveys programs archive quarterly-nps")]
    Archive(ProgramArgument),
}

/// Which programmes.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Archived ones too
    #[arg(long)]
    all: bool,
}

/// Which programme.
#[derive(Debug, Args)]
pub(crate) struct ProgramArgument {
    /// The programme, by id
    program: String,
}

/// A programme to create.
#[derive(Debug, Args)]
pub(crate) struct CreateArguments {
    /// Its id
    program: String,
    /// Read it from a YAML or JSON file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["kind", "when", "name"])]
    file: Option<PathBuf>,
    /// What it asks
    #[arg(long, value_enum, required_unless_present = "file")]
    kind: Option<SurveyKindWord>,
    /// When it asks
    #[arg(long, value_enum, required_unless_present = "file")]
    when: Option<TriggerWord>,
    /// What people call it [default: its id]
    #[arg(long)]
    name: Option<String>,
    /// Have the server check it, and create nothing
    #[arg(long)]
    check: bool,
}

fn client(connection: &Connection) -> ProgramServiceClient<ServiceChannel> {
    ProgramServiceClient::new(connection.channel.clone())
}

/// Sends a call, again if the answer is lost, and tells the programme by a function.
macro_rules! call {
    ($connection:expr, $output:expr, $method:ident, $request:expr, $tell:expr) => {{
        let request = $request;
        let program = retrying(&$connection.retries, async || client($connection).$method(request.clone()).await);
        $tell(&program.await?.into_inner(), $output)
    }};
}

/// Runs the command.
pub(crate) async fn run(
    command: &ProgramsCommand,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let request_id = new_request_id();
    let name = |argument: &ProgramArgument| resource_name("programs", &argument.program);
    let etag = String::new();
    match command {
        ProgramsCommand::List(arguments) => list(arguments, connection, output).await,
        ProgramsCommand::Get(argument) => {
            call!(connection, output, get_program, proto::GetProgramRequest { name: name(argument)? }, show)
        }
        ProgramsCommand::Create(arguments) => {
            let request = proto::CreateProgramRequest {
                program_id: arguments.program.clone(),
                program: Some(program(arguments)?),
                request_id,
                validate_only: arguments.check,
            };
            if arguments.check {
                return call!(connection, output, create_program, request, could_be_created);
            }
            call!(connection, output, create_program, request, show)
        }
        ProgramsCommand::Preview(argument) => preview(name(argument)?, connection, output).await,
        ProgramsCommand::Publish(argument) => {
            let name = name(argument)?;
            call!(connection, output, publish_program, proto::PublishProgramRequest { name, etag, request_id }, say)
        }
        ProgramsCommand::Pause(argument) => {
            let name = name(argument)?;
            call!(connection, output, pause_program, proto::PauseProgramRequest { name, etag, request_id }, say)
        }
        ProgramsCommand::Resume(argument) => {
            let name = name(argument)?;
            call!(connection, output, resume_program, proto::ResumeProgramRequest { name, etag, request_id }, say)
        }
        ProgramsCommand::Archive(argument) => {
            let name = name(argument)?;
            call!(connection, output, archive_program, proto::ArchiveProgramRequest { name, etag, request_id }, say)
        }
    }
}

/// The programme that the arguments describe.
fn program(arguments: &CreateArguments) -> Result<proto::Program, Failure> {
    if let Some(file) = &arguments.file {
        return read(file);
    }
    Ok(proto::Program {
        display_name: arguments.name.clone().unwrap_or_else(|| arguments.program.clone()),
        kind: arguments.kind.map_or(proto::SurveyKind::Unspecified, proto::SurveyKind::from).into(),
        trigger: arguments.when.map(proto::Trigger::from),
        ..Default::default()
    })
}

fn read(file: &Path) -> Result<proto::Program, Failure> {
    let fault = |error: &dyn std::fmt::Display| Failure::Usage(format!("{}: {error}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| fault(&error))?;
    let value: serde_json::Value = serde_saphyr::from_str(&text).map_err(|error| fault(&error))?;
    from_json(&value.to_string()).map_err(|error| fault(&error))
}

async fn list(arguments: &ListArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    use proto::ProgramState::{Archived, Draft, Paused, Published};
    let states = if arguments.all { vec![Draft, Published, Paused, Archived] } else { Vec::new() };
    let mut request = proto::ListProgramsRequest {
        page_size: PAGE_SIZE_MAX,
        states: states.into_iter().map(i32::from).collect(),
        ..Default::default()
    };
    let mut table = table(&["PROGRAM", "NAME", "KIND", "ASKS", "STATE", "PUBLISHED"]);
    let mut shown = 0;
    loop {
        let page = retrying(&connection.retries, async || client(connection).list_programs(request.clone()).await)
            .await?
            .into_inner();
        for program in &page.programs {
            if output.is_json() {
                output.json_line(program)?;
                continue;
            }
            table.add_row([
                id_of(&program.name).to_owned(),
                program.display_name.clone(),
                kind(program),
                trigger(program.trigger.as_ref()),
                state(program),
                time_text(program.publish_time),
            ]);
        }
        shown += page.programs.len();
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    if output.is_json() {
        return Ok(());
    }
    if shown == 0 {
        note("No programmes: mainstay surveys programs create --help shows how to make one.");
        return Ok(());
    }
    Ok(output.table(table)?)
}

fn kind(program: &proto::Program) -> String {
    enum_word(program.kind().as_str_name(), "SURVEY_KIND_")
}

fn state(program: &proto::Program) -> String {
    enum_word(program.state().as_str_name(), "PROGRAM_STATE_")
}

/// What only was checked.
fn could_be_created(program: &proto::Program, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        return Ok(output.json_object(program)?);
    }
    rows(program, output)?;
    note(&format!("{} could be created; nothing was.", id_of(&program.name)));
    Ok(())
}

/// What a programme does from now on.
fn say(program: &proto::Program, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        return Ok(output.json_object(program)?);
    }
    let state = enum_word(program.state().as_str_name(), "PROGRAM_STATE_");
    Ok(output.line(&format!("{} is {state}.", id_of(&program.name)))?)
}

fn show(program: &proto::Program, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        return Ok(output.json_object(program)?);
    }
    rows(program, output)?;
    if program.state() == proto::ProgramState::Draft {
        let id = id_of(&program.name);
        note(&format!(
            "A draft asks nobody. `mainstay surveys programs preview {id}` shows whom it would ask, `… publish {id}` has it ask."
        ));
    }
    Ok(())
}

fn rows(program: &proto::Program, output: &mut Output) -> Result<(), Failure> {
    let texts = program.texts.clone().unwrap_or_default();
    let reminder = match program.reminder_days() {
        0 => "never".to_owned(),
        days => format!("after {}", counted(days.into(), "day")),
    };
    let rows = vec![
        ("program", format!("{} ({})", id_of(&program.name), program.display_name)),
        ("state", state(program)),
        ("kind", kind(program)),
        ("asks", trigger(program.trigger.as_ref())),
        ("contacts", format!("at most {} of an account", program.contacts_max)),
        ("reminds", reminder),
        ("links end", format!("after {}", counted(program.expiry_days.into(), "day"))),
        ("subject", texts.subject),
        ("question", texts.question),
        ("comment", texts.comment_question),
        ("thanks", texts.thanks),
    ];
    Ok(output.table(facts(rows))?)
}

async fn preview(name: String, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let mut request = proto::PreviewProgramRequest { name, page_size: PAGE_SIZE_MAX, ..Default::default() };
    let mut table = table(&["ACCOUNT", "NAME", "CONTACT", "ASKED NOW", "WHY NOT", "DUE"]);
    let (mut accounts, mut asked) = (0_i64, 0_i64);
    loop {
        let page = retrying(&connection.retries, async || client(connection).preview_program(request.clone()).await)
            .await?
            .into_inner();
        for account in &page.accounts {
            accounts += 1;
            if output.is_json() {
                output.json_line(account)?;
                continue;
            }
            let row = |contact: &str, asked: bool, why_not: String| {
                [
                    id_of(&account.account).to_owned(),
                    account.display_name.clone(),
                    contact.to_owned(),
                    if asked { "yes" } else { "no" }.to_owned(),
                    why_not,
                    time_text(account.due_time),
                ]
            };
            if account.reason() != proto::NotAskedReason::Unspecified || account.contacts.is_empty() {
                table.add_row(row("", false, reason(account.reason())));
                continue;
            }
            for contact in &account.contacts {
                table.add_row(row(&contact.contact_id, contact.would_ask, reason(contact.reason())));
            }
        }
        asked += i64::from(page.would_ask_count);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    if output.is_json() {
        return Ok(());
    }
    if accounts > 0 {
        output.table(table)?;
    }
    note(&format!("Of {}, {} would be asked now.", counted(accounts, "account"), counted(asked, "contact")));
    Ok(())
}
