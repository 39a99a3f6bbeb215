//! What people do with an opportunity.

use chrono::{DateTime, NaiveDate};
use clap::Args;
use mainstay_api::mainstay::expansion::v1 as proto;
use mainstay_clients::retrying;

use crate::command::models::new_request_id;
use crate::command::opportunities::{OpportunityArgument, client, describe, resolve, short_name};
use crate::connection::Connection;
use crate::expansion_words::{LostReasonWord, OpportunityStageWord, plan_name, stage};
use crate::failure::Failure;
use crate::money;
use crate::output::Output;
use crate::words::{account_name, day_of_time, midnight, parse_day};

pub(crate) const OPEN_HELP: &str = "\
Reviews open opportunities by themselves, once a month; this is for what people see earlier. What is
not said is found out: the next larger plan, the gain by the plans' prices, the account's CSM.

Examples:
  mainstay opportunities open acme emails
  mainstay opportunities open acme seats --gain '4800 EUR' --owner mia@example.com";

pub(crate) const CHECK_HELP: &str = "\
Examples:
  mainstay opportunities check acme usage_pack roi
  mainstay opportunities check acme interest --note 'keen, decides in May'
  mainstay opportunities check acme interest --undo";

pub(crate) const ADVANCE_HELP: &str = "\
All that is required in the stage must be done, and the account must not be left alone. What is
missing is told all at once.

Examples:
  mainstay opportunities advance acme
  mainstay opportunities advance acme --check        say what is missing, move nothing
  mainstay opportunities advance acme --to proposal  only if that is the next stage";

pub(crate) const HAND_OVER_HELP: &str = "\
Examples:
  mainstay opportunities hand-over acme                      to the account manager
  mainstay opportunities hand-over acme --to sam@example.com --note 'wants a yearly contract'";

pub(crate) const POSTPONE_HELP: &str = "\
It goes on by itself on that day, in the stage it was in.

Examples:
  mainstay opportunities postpone acme 2027-02-01 --note 'new budget in February'";

pub(crate) const CLOSE_HELP: &str = "\
Won from the stage closing, lost from any.

Examples:
  mainstay opportunities close acme --won --amount '4800 EUR'
  mainstay opportunities close acme --lost price
  mainstay opportunities close acme --lost other --note 'bought by a competitor of ours'";

/// What to open.
#[derive(Debug, Args)]
pub(crate) struct OpenArguments {
    /// The account, by id
    account: String,
    /// What it is about: a metric, or another word
    metric: String,
    /// The plan to sell
    #[arg(long)]
    plan: Option<String>,
    /// The expected gain a year
    #[arg(long, value_name = "AMOUNT")]
    gain: Option<String>,
    /// Who works on it
    #[arg(long, value_name = "EMAIL")]
    owner: Option<String>,
}

/// Which items.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    which: OpportunityArgument,
    /// The items, by their ids
    #[arg(required = true, value_name = "ITEM")]
    items: Vec<String>,
    /// What came of it
    #[arg(long, default_value = "", hide_default_value = true)]
    note: String,
    /// Take the mark away
    #[arg(long)]
    undo: bool,
}

/// Where to.
#[derive(Debug, Args)]
pub(crate) struct AdvanceArguments {
    #[command(flatten)]
    which: OpportunityArgument,
    /// Only into this stage
    #[arg(long, value_enum)]
    to: Option<OpportunityStageWord>,
    /// Have the server check it, and move nothing
    #[arg(long)]
    check: bool,
}

/// To whom.
#[derive(Debug, Args)]
pub(crate) struct HandOverArguments {
    #[command(flatten)]
    which: OpportunityArgument,
    /// Who takes it [default: the account manager]
    #[arg(long, value_name = "EMAIL")]
    to: Option<String>,
    /// What to know
    #[arg(long, default_value = "", hide_default_value = true)]
    note: String,
}

/// Until when.
#[derive(Debug, Args)]
pub(crate) struct PostponeArguments {
    #[command(flatten)]
    which: OpportunityArgument,
    /// The day on which it goes on (UTC), for example 2027-02-01
    #[arg(value_parser = parse_day)]
    until: NaiveDate,
    /// Why
    #[arg(long, default_value = "", hide_default_value = true)]
    note: String,
}

/// How it ended.
#[derive(Debug, Args)]
#[group(id = "outcome", required = true, multiple = false, args = ["won", "lost"])]
pub(crate) struct CloseArguments {
    #[command(flatten)]
    which: OpportunityArgument,
    /// It was won
    #[arg(long)]
    won: bool,
    /// It was lost, for this reason
    #[arg(long, value_enum, value_name = "REASON")]
    lost: Option<LostReasonWord>,
    /// What was agreed on, more a year
    #[arg(long, conflicts_with = "lost")]
    amount: Option<String>,
    /// More on why it was lost
    #[arg(long, default_value = "", hide_default_value = true, requires = "lost")]
    note: String,
}

/// Opens an opportunity.
pub(crate) async fn open(
    arguments: &OpenArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let request = proto::CreateOpportunityRequest {
        account: account_name(&arguments.account)?,
        metric: arguments.metric.clone(),
        target_plan: arguments.plan.as_deref().map(plan_name).unwrap_or_default(),
        expected_gain: amount(arguments.gain.as_deref())?,
        owner_email: arguments.owner.clone().unwrap_or_default(),
        request_id: new_request_id(),
    };
    let answer =
        retrying(&connection.retries, async || client(connection).create_opportunity(request.clone()).await).await?;
    say(&answer.into_inner(), "is open", output)
}

/// Marks items, when there are all of them.
pub(crate) async fn check(
    arguments: &CheckArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let name = resolve(&arguments.which.opportunity, connection).await?;
    let request = proto::GetOpportunityRequest { name: name.clone() };
    let answer = retrying(&connection.retries, async || client(connection).get_opportunity(request.clone()).await);
    let mut opportunity = answer.await?.into_inner();
    let known: Vec<&str> = opportunity.checklist.iter().map(|item| item.id.as_str()).collect();
    if arguments.items.len() > 1
        && let Some(unknown) = arguments.items.iter().find(|item| !known.contains(&item.as_str()))
    {
        let known = known.join(", ");
        return Err(Failure::Usage(format!(
            "`{unknown}` is no item of this stage, nothing was marked; it has {known}"
        )));
    }
    for item in &arguments.items {
        let request = proto::CompleteChecklistItemRequest {
            name: name.clone(),
            item_id: item.clone(),
            note: arguments.note.clone(),
            undo: arguments.undo,
            request_id: new_request_id(),
        };
        let answer =
            retrying(&connection.retries, async || client(connection).complete_checklist_item(request.clone()).await);
        opportunity = answer.await?.into_inner();
    }
    if output.is_json() { Ok(output.json_object(&opportunity)?) } else { describe(&opportunity, output) }
}

/// Moves an opportunity on.
pub(crate) async fn advance(
    arguments: &AdvanceArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let to = arguments.to.map_or(proto::OpportunityStage::Unspecified, proto::OpportunityStage::from);
    let request = proto::AdvanceOpportunityRequest {
        name: resolve(&arguments.which.opportunity, connection).await?,
        to_stage: to.into(),
        validate_only: arguments.check,
        request_id: new_request_id(),
        ..Default::default()
    };
    let answer =
        retrying(&connection.retries, async || client(connection).advance_opportunity(request.clone()).await).await?;
    let opportunity = answer.into_inner();
    let said = if arguments.check { "may move into the stage" } else { "is in the stage" };
    say(&opportunity, &format!("{said} {}", stage(opportunity.stage())), output)
}

/// Hands an opportunity over.
pub(crate) async fn hand_over(
    arguments: &HandOverArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let request = proto::HandOverOpportunityRequest {
        name: resolve(&arguments.which.opportunity, connection).await?,
        to_email: arguments.to.clone().unwrap_or_default(),
        note: arguments.note.clone(),
        request_id: new_request_id(),
        ..Default::default()
    };
    let answer =
        retrying(&connection.retries, async || client(connection).hand_over_opportunity(request.clone()).await).await?;
    let opportunity = answer.into_inner();
    say(&opportunity, &format!("is with {}", opportunity.owner_email), output)
}

/// Puts an opportunity off.
pub(crate) async fn postpone(
    arguments: &PostponeArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let request = proto::PostponeOpportunityRequest {
        name: resolve(&arguments.which.opportunity, connection).await?,
        until_time: Some(midnight(arguments.until)),
        note: arguments.note.clone(),
        request_id: new_request_id(),
        ..Default::default()
    };
    let answer =
        retrying(&connection.retries, async || client(connection).postpone_opportunity(request.clone()).await).await?;
    say(&answer.into_inner(), &format!("goes on at {}", arguments.until), output)
}

/// Takes up an opportunity.
pub(crate) async fn resume(
    argument: &OpportunityArgument,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let name = resolve(&argument.opportunity, connection).await?;
    let request = proto::ResumeOpportunityRequest { name, request_id: new_request_id(), ..Default::default() };
    let answer =
        retrying(&connection.retries, async || client(connection).resume_opportunity(request.clone()).await).await?;
    let opportunity = answer.into_inner();
    say(&opportunity, &format!("goes on in the stage {}", stage(opportunity.stage())), output)
}

/// Closes an opportunity.
pub(crate) async fn close(
    arguments: &CloseArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let name = resolve(&arguments.which.opportunity, connection).await?;
    let Some(reason) = arguments.lost else {
        let request = proto::WinOpportunityRequest {
            name,
            won_amount: amount(arguments.amount.as_deref())?,
            request_id: new_request_id(),
            ..Default::default()
        };
        let answer =
            retrying(&connection.retries, async || client(connection).win_opportunity(request.clone()).await).await?;
        return say(&answer.into_inner(), "is won", output);
    };
    let request = proto::LoseOpportunityRequest {
        name,
        reason: proto::LostReason::from(reason).into(),
        note: arguments.note.clone(),
        request_id: new_request_id(),
        ..Default::default()
    };
    let answer =
        retrying(&connection.retries, async || client(connection).lose_opportunity(request.clone()).await).await?;
    say(&answer.into_inner(), "is lost", output)
}

fn amount(text: Option<&str>) -> Result<Option<mainstay_api::mainstay::common::v1::Money>, Failure> {
    text.map(money::parse_argument).transpose().map_err(Failure::Usage)
}

fn say(opportunity: &proto::Opportunity, what: &str, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        return Ok(output.json_object(opportunity)?);
    }
    let is_due = opportunity.due_time.and_then(|time| DateTime::from_timestamp(time.seconds, 0)).is_some();
    let due = if is_due { format!("; due {}", day_of_time(opportunity.due_time)) } else { String::new() };
    Ok(output.line(&format!("{} {what}{due}.", short_name(&opportunity.name)))?)
}
