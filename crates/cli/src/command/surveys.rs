//! `mainstay surveys`: programmes, invitations, answers, reports.

use clap::{Args, Subcommand};
use mainstay_api::mainstay::surveys::v1 as proto;
use mainstay_api::mainstay::surveys::v1::invitation_service_client::InvitationServiceClient;
use mainstay_api::mainstay::surveys::v1::response_service_client::ResponseServiceClient;
use mainstay_clients::retrying;

use crate::command::survey_programs::{self, ProgramsCommand};
use crate::command::survey_reports::{self, ReportCommand};
use crate::command::{Listed, finish_list, is_enough, page_size};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::table;
use crate::words::interventions::enum_word;
use crate::words::surveys::CategoryWord;
use crate::words::{account_name, id_of, resource_name, time_text};

/// Most characters of a comment in a table.
const COMMENT_WIDTH: usize = 60;

/// Commands about surveys.
#[derive(Debug, Subcommand)]
pub(crate) enum SurveysCommand {
    /// Programmes: who is asked, when, and in which words
    #[command(subcommand)]
    Programs(ProgramsCommand),
    /// List what customers answered, newest first
    #[command(after_help = "\
Examples:
  mainstay surveys responses --category detractor
  mainstay surveys responses --account acme --output json
  mainstay surveys responses --program quarterly-nps --with-comment")]
    Responses(ResponsesArguments),
    /// List who was asked, and who was not and why, newest first
    #[command(after_help = "\
Examples:
  mainstay surveys invitations --account acme
  mainstay surveys invitations --program quarterly-nps --not-asked")]
    Invitations(InvitationsArguments),
    /// Count the answers: NPS, satisfaction, response rate
    #[command(subcommand)]
    Report(ReportCommand),
}

/// Which answers.
#[derive(Debug, Args)]
pub(crate) struct ResponsesArguments {
    /// Only of this account
    #[arg(long)]
    account: Option<String>,
    /// Only of this programme
    #[arg(long)]
    program: Option<String>,
    /// Only of these categories
    #[arg(long, value_enum, value_delimiter = ',')]
    category: Vec<CategoryWord>,
    /// Only with a comment
    #[arg(long)]
    with_comment: bool,
    /// How many at most; 0 for all
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
}

/// Which invitations.
#[derive(Debug, Args)]
pub(crate) struct InvitationsArguments {
    /// Only of this account
    #[arg(long)]
    account: Option<String>,
    /// Only of this programme
    #[arg(long)]
    program: Option<String>,
    /// Only decisions not to ask
    #[arg(long)]
    not_asked: bool,
    /// How many at most; 0 for all
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
}

/// Runs the command.
pub(crate) async fn run(command: &SurveysCommand, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    match command {
        SurveysCommand::Programs(command) => survey_programs::run(command, connection, output).await,
        SurveysCommand::Responses(arguments) => responses(arguments, connection, output).await,
        SurveysCommand::Invitations(arguments) => invitations(arguments, connection, output).await,
        SurveysCommand::Report(command) => survey_reports::run(command, connection, output).await,
    }
}

/// `programs/nps`, from that or from `nps`; empty for none.
pub(crate) fn program_filter(given: Option<&String>) -> Result<String, Failure> {
    Ok(given.map(|given| resource_name("programs", given)).transpose()?.unwrap_or_default())
}

fn account_filter(given: Option<&String>) -> Result<String, Failure> {
    Ok(given.map(|given| account_name(given)).transpose()?.unwrap_or_default())
}

async fn responses(
    arguments: &ResponsesArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let client = || ResponseServiceClient::new(connection.channel.clone());
    let mut request = proto::ListResponsesRequest {
        account: account_filter(arguments.account.as_ref())?,
        program: program_filter(arguments.program.as_ref())?,
        categories: arguments.category.iter().map(|&word| proto::ResponseCategory::from(word).into()).collect(),
        with_comment: arguments.with_comment,
        ..Default::default()
    };
    let mut table = table(&["ANSWERED", "ACCOUNT", "CONTACT", "PROGRAM", ">SCORE", "CATEGORY", "COMMENT"]);
    let mut shown = 0;
    loop {
        request.page_size = page_size(arguments.limit, shown);
        let page =
            retrying(&connection.retries, async || client().list_responses(request.clone()).await).await?.into_inner();
        for response in &page.responses {
            if output.is_json() {
                output.json_line(response)?;
                continue;
            }
            table.add_row([
                time_text(response.response_time),
                id_of(&response.account).to_owned(),
                response.contact_id.clone(),
                id_of(&response.program).to_owned(),
                response.score().to_string(),
                enum_word(response.category().as_str_name(), "RESPONSE_CATEGORY_"),
                shortened(&response.comment),
            ]);
        }
        shown += page.responses.len();
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() || is_enough(arguments.limit, shown) {
            break;
        }
    }
    let next_page_token = request.page_token.as_str();
    finish_list(output, table, &Listed { shown, which: "newest", next_page_token, nothing: "No answers." })
}

async fn invitations(
    arguments: &InvitationsArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let client = || InvitationServiceClient::new(connection.channel.clone());
    let mut request = proto::ListInvitationsRequest {
        account: account_filter(arguments.account.as_ref())?,
        program: program_filter(arguments.program.as_ref())?,
        states: arguments.not_asked.then(|| proto::InvitationState::NotAsked.into()).into_iter().collect(),
        ..Default::default()
    };
    let mut table = table(&["DECIDED", "ACCOUNT", "CONTACT", "PROGRAM", "OCCASION", "STATE", "REASON"]);
    let mut shown = 0;
    loop {
        request.page_size = page_size(arguments.limit, shown);
        let page = retrying(&connection.retries, async || client().list_invitations(request.clone()).await)
            .await?
            .into_inner();
        for invitation in &page.invitations {
            if output.is_json() {
                output.json_line(invitation)?;
                continue;
            }
            table.add_row([
                time_text(invitation.create_time),
                id_of(&invitation.account).to_owned(),
                invitation.contact_id.clone(),
                id_of(&invitation.program).to_owned(),
                invitation.occasion.clone(),
                enum_word(invitation.state().as_str_name(), "INVITATION_STATE_"),
                reason(invitation.reason()),
            ]);
        }
        shown += page.invitations.len();
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() || is_enough(arguments.limit, shown) {
            break;
        }
    }
    let next_page_token = request.page_token.as_str();
    finish_list(
        output,
        table,
        &Listed { shown, which: "newest", next_page_token, nothing: "Nobody was asked, and nobody was not." },
    )
}

/// The word for a reason not to ask; empty for none.
pub(crate) fn reason(reason: proto::NotAskedReason) -> String {
    match reason {
        proto::NotAskedReason::Unspecified => String::new(),
        other => enum_word(other.as_str_name(), "NOT_ASKED_REASON_"),
    }
}

/// The beginning of a text, in one line.
fn shortened(text: &str) -> String {
    let line: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if line.chars().count() <= COMMENT_WIDTH {
        return line;
    }
    line.chars().take(COMMENT_WIDTH - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_comments_are_cut_and_stay_in_their_line() {
        assert_eq!(shortened("Slow.\nVery."), "Slow. Very.");
        assert_eq!(shortened(&"ä".repeat(61)).chars().count(), 60);
        assert_eq!(shortened(&"ä".repeat(60)), "ä".repeat(60));
    }
}
