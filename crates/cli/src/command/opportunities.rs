//! `mainstay opportunities`: who is ready to grow, and how far each has come.

use clap::{Args, Subcommand};
use mainstay_api::mainstay::expansion::v1 as proto;
use mainstay_api::mainstay::expansion::v1::opportunity_service_client::OpportunityServiceClient;
use mainstay_clients::{ServiceChannel, retrying};

use crate::command::{Listed, finish_list, is_enough, opportunity_changes, page_size, pipeline, qualification};
use crate::connection::Connection;
use crate::expansion_words::{OpportunityStageWord, hold_words, stage, timeline_kind};
use crate::failure::Failure;
use crate::money;
use crate::output::Output;
use crate::table::{facts, table};
use crate::words::{account_name, day_of_time, id_of, time_text};

/// Commands about opportunities.
#[derive(Debug, Subcommand)]
pub(crate) enum OpportunitiesCommand {
    /// List opportunities, the next due first
    #[command(after_help = "\
Examples:
  mainstay opportunities list --overdue
  mainstay opportunities list --owner mia@example.com --stage proposal,decision
  mainstay opportunities list --stage won --limit 0 --output json")]
    List(ListArguments),
    /// Show an opportunity: where it stands, what is to be done, what happened
    #[command(after_help = "\
An opportunity may be given by the account alone while it is the only open one there.

Examples:
  mainstay opportunities show acme
  mainstay opportunities show acme/0193f2c4-8d1e-7a52-b3c1-52f0a4d7e911 --output json")]
    Show(OpportunityArgument),
    /// Open an opportunity by hand
    #[command(after_help = opportunity_changes::OPEN_HELP)]
    Open(opportunity_changes::OpenArguments),
    /// Mark an item of the checklist as done
    #[command(after_help = opportunity_changes::CHECK_HELP)]
    Check(opportunity_changes::CheckArguments),
    /// Move an opportunity into the next stage
    #[command(after_help = opportunity_changes::ADVANCE_HELP)]
    Advance(opportunity_changes::AdvanceArguments),
    /// Hand an opportunity over to sales
    #[command(after_help = opportunity_changes::HAND_OVER_HELP)]
    HandOver(opportunity_changes::HandOverArguments),
    /// Put an opportunity off until a day
    #[command(after_help = opportunity_changes::POSTPONE_HELP)]
    Postpone(opportunity_changes::PostponeArguments),
    /// Take up an opportunity that was put off
    #[command(after_help = "\
Examples:
  mainstay opportunities resume acme")]
    Resume(OpportunityArgument),
    /// Close an opportunity as won or lost
    #[command(after_help = opportunity_changes::CLOSE_HELP)]
    Close(opportunity_changes::CloseArguments),
    /// List accounts that come near a limit of their plan
    #[command(after_help = qualification::CANDIDATES_HELP)]
    Candidates(qualification::CandidatesArguments),
    /// Say why a candidate is what it is
    #[command(after_help = qualification::EXPLAIN_HELP)]
    Explain(qualification::ExplainArguments),
    /// Review all accounts for a month, and show how far the review is
    #[command(after_help = qualification::REVIEW_HELP)]
    Review(qualification::ReviewArguments),
    /// Show what is in the pipeline, by stage and currency
    #[command(after_help = pipeline::PIPELINE_HELP)]
    Pipeline(pipeline::PipelineArguments),
}

/// Which opportunities.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Only of this account
    #[arg(long)]
    account: Option<String>,
    /// Only in these stages [default: all that are open]
    #[arg(long, value_enum, value_delimiter = ',')]
    stage: Vec<OpportunityStageWord>,
    /// Only of this owner
    #[arg(long, value_name = "EMAIL")]
    owner: Option<String>,
    /// Only overdue ones
    #[arg(long)]
    overdue: bool,
    /// Only those on hold
    #[arg(long)]
    held: bool,
    /// How many at most; 0 for all
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
}

/// Which opportunity.
#[derive(Debug, Args)]
pub(crate) struct OpportunityArgument {
    /// ACCOUNT/ID, or the account alone while it has one open opportunity
    pub(crate) opportunity: String,
}

/// The client for opportunities on a connection.
pub(crate) fn client(connection: &Connection) -> OpportunityServiceClient<ServiceChannel> {
    OpportunityServiceClient::new(connection.channel.clone())
}

/// Runs the command.
pub(crate) async fn run(
    command: &OpportunitiesCommand,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    use OpportunitiesCommand as Command;
    match command {
        Command::List(arguments) => list(arguments, connection, output).await,
        Command::Show(argument) => show(argument, connection, output).await,
        Command::Open(arguments) => opportunity_changes::open(arguments, connection, output).await,
        Command::Check(arguments) => opportunity_changes::check(arguments, connection, output).await,
        Command::Advance(arguments) => opportunity_changes::advance(arguments, connection, output).await,
        Command::HandOver(arguments) => opportunity_changes::hand_over(arguments, connection, output).await,
        Command::Postpone(arguments) => opportunity_changes::postpone(arguments, connection, output).await,
        Command::Resume(argument) => opportunity_changes::resume(argument, connection, output).await,
        Command::Close(arguments) => opportunity_changes::close(arguments, connection, output).await,
        Command::Candidates(arguments) => qualification::candidates(arguments, connection, output).await,
        Command::Explain(arguments) => qualification::explain(arguments, connection, output).await,
        Command::Review(arguments) => qualification::review(arguments, connection, output).await,
        Command::Pipeline(arguments) => pipeline::pipeline(arguments, connection, output).await,
    }
}

/// The name of the opportunity that is meant.
pub(crate) async fn resolve(given: &str, connection: &Connection) -> Result<String, Failure> {
    if given.contains("/opportunities/") {
        return Ok(given.to_owned());
    }
    if let Some((account, id)) = given.split_once('/').filter(|(collection, _)| *collection != "accounts") {
        return Ok(format!("{}/opportunities/{id}", account_name(account)?));
    }
    let account = account_name(given)?;
    let request = proto::ListOpportunitiesRequest { account: account.clone(), ..Default::default() };
    let open = retrying(&connection.retries, async || client(connection).list_opportunities(request.clone()).await)
        .await?
        .into_inner()
        .opportunities;
    match open.as_slice() {
        [only] => Ok(only.name.clone()),
        [] => Err(Failure::Usage(format!("{account} has no open opportunity: name the closed one as ACCOUNT/ID"))),
        several => {
            let names: Vec<String> =
                several.iter().map(|one| format!("{} ({})", short_name(&one.name), one.metric)).collect();
            Err(Failure::Usage(format!("{account} has several open opportunities: name one of {}", names.join(", "))))
        }
    }
}

/// `acme/0193…`, of an opportunity's resource name.
pub(crate) fn short_name(name: &str) -> String {
    id_of(name).replace("/opportunities/", "/")
}

async fn list(arguments: &ListArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let mut request = proto::ListOpportunitiesRequest {
        account: arguments.account.as_deref().map(account_name).transpose()?.unwrap_or_default(),
        stages: arguments.stage.iter().map(|&word| proto::OpportunityStage::from(word).into()).collect(),
        owner_email: arguments.owner.clone().unwrap_or_default(),
        overdue_only: arguments.overdue,
        held_only: arguments.held,
        ..Default::default()
    };
    let mut table = table(&["OPPORTUNITY", "METRIC", "STAGE", "DUE", ">GAIN A YEAR", "OWNER"]);
    let mut shown = 0;
    loop {
        request.page_size = page_size(arguments.limit, shown);
        let page = retrying(&connection.retries, async || client(connection).list_opportunities(request.clone()).await)
            .await?
            .into_inner();
        for opportunity in &page.opportunities {
            if output.is_json() {
                output.json_line(opportunity)?;
            } else {
                table.add_row(row(opportunity));
            }
        }
        shown += page.opportunities.len();
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() || is_enough(arguments.limit, shown) {
            break;
        }
    }
    let next_page_token = request.page_token.as_str();
    finish_list(output, table, &Listed { shown, which: "first", next_page_token, nothing: "No opportunities match." })
}

fn row(opportunity: &proto::Opportunity) -> [String; 6] {
    [
        short_name(&opportunity.name),
        opportunity.metric.clone(),
        stage(opportunity.stage()).to_owned(),
        due(opportunity),
        opportunity.expected_gain.as_ref().map(money::format).unwrap_or_default(),
        opportunity.owner_email.clone(),
    ]
}

/// When it is due, or why it is not.
fn due(opportunity: &proto::Opportunity) -> String {
    let day = day_of_time(opportunity.due_time);
    match opportunity {
        _ if opportunity.hold_time.is_some() => "on hold".to_owned(),
        _ if opportunity.overdue_time.is_some() => format!("{day} overdue"),
        _ => day,
    }
}

async fn show(argument: &OpportunityArgument, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let name = resolve(&argument.opportunity, connection).await?;
    let request = proto::GetOpportunityRequest { name: name.clone() };
    let opportunity = retrying(&connection.retries, async || client(connection).get_opportunity(request.clone()).await)
        .await?
        .into_inner();
    if output.is_json() {
        output.json_object(&opportunity)?;
        return Ok(());
    }
    describe(&opportunity, output)?;
    let request = proto::ListTimelineRequest { opportunity: name, page_size: page_size(0, 0), ..Default::default() };
    let timeline = retrying(&connection.retries, async || client(connection).list_timeline(request.clone()).await)
        .await?
        .into_inner();
    output.line("")?;
    let mut entries = table(&["WHEN", "WHAT", "BY", "PARTICULARS"]);
    for entry in &timeline.entries {
        entries.add_row([
            time_text(entry.entry_time),
            timeline_kind(entry.kind()).to_owned(),
            entry.actor.clone(),
            entry.text.clone(),
        ]);
    }
    output.table(entries)?;
    Ok(())
}

/// Writes what is known of an opportunity and what is to be done.
pub(crate) fn describe(opportunity: &proto::Opportunity, output: &mut Output) -> Result<(), Failure> {
    let fallback = if opportunity.owner_is_fallback { " (the default: nobody was named)" } else { "" };
    let hand_over = opportunity.hand_over.as_ref();
    let rows = [
        ("opportunity", short_name(&opportunity.name)),
        ("metric", opportunity.metric.clone()),
        ("stage", stage(opportunity.stage()).to_owned()),
        ("goes on in", stage(opportunity.postponed_stage()).to_owned()),
        ("due", due(opportunity)),
        ("on hold for", hold_words(&opportunity.holds)),
        ("owner", format!("{}{fallback}", opportunity.owner_email)),
        ("handed over", hand_over.map(|one| format!("by {} to {}", one.from_email, one.to_email)).unwrap_or_default()),
        ("plan", id_of(&opportunity.current_plan).to_owned()),
        ("plan to sell", id_of(&opportunity.target_plan).to_owned()),
        ("gain a year", opportunity.expected_gain.as_ref().map(money::format).unwrap_or_default()),
        ("won", opportunity.won_amount.as_ref().map(money::format).unwrap_or_default()),
        ("note", opportunity.note.clone()),
        ("opened", time_text(opportunity.create_time)),
        ("closed", time_text(opportunity.close_time)),
    ];
    output.table(facts(rows.into_iter().filter(|(_, value)| !value.is_empty()).collect()))?;
    if opportunity.checklist.is_empty() {
        return Ok(());
    }
    output.line("")?;
    let mut items = table(&["DONE", "ITEM", "WHAT", "NOTE"]);
    for item in &opportunity.checklist {
        let done = match (item.done_time, item.required) {
            (Some(time), _) => day_of_time(Some(time)),
            (None, true) => "no".to_owned(),
            (None, false) => "no (may be)".to_owned(),
        };
        items.add_row([done, item.id.clone(), item.text.clone(), item.note.clone()]);
    }
    output.table(items)?;
    Ok(())
}
