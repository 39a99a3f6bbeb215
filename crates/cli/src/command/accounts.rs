//! `mainstay accounts`: what is known of them, and which are in use.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use comfy_table::Cell;
use mainstay_api::mainstay::scoring::v1::account_service_client::AccountServiceClient;
use mainstay_api::mainstay::scoring::v1::{
    Account, AccountFilter, ArchiveAccountRequest, GetAccountRequest, LifecycleStage, ListAccountsRequest, OwnerRole,
    Segment, UnarchiveAccountRequest,
};
use mainstay_clients::{ServiceChannel, retrying};

use crate::command::account_signals::{self, SignalsArguments};
use crate::command::models::new_request_id;
use crate::command::signal_withdrawals::{self, WithdrawSignalsArguments};
use crate::command::{Listed, account_card, account_claims, finish_list, is_enough, page_size};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::money;
use crate::output::Output;
use crate::table::{facts, table};
use crate::words::{SegmentWord, StageWord, account_name, day_of_time, id_of, role, segment, stage, time_text};

/// Commands about accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum AccountsCommand {
    /// List accounts by name
    #[command(after_help = "\
Examples:
  mainstay accounts list --segment enterprise
  mainstay accounts list --owner mia@example.com --stage renewing
  mainstay accounts list --label region=emea --limit 0 --output json")]
    List(ListArguments),
    /// Show all that is known of an account
    #[command(after_help = "\
Examples:
  mainstay accounts get acme
  mainstay accounts get acme --output json")]
    Get(AccountArgument),
    /// Show an account at a glance: health, what is open, use, and what to do
    #[command(after_help = "\
What somebody who speaks with the customer should know first.

Examples:
  mainstay accounts card acme
  mainstay accounts card acme --output json")]
    Card(AccountArgument),
    /// Show which system said what of an account, and where they disagree
    #[command(after_help = "\
Systems that speak by webhooks, and files that were imported with --source.

Examples:
  mainstay accounts claims acme
  mainstay accounts claims acme --output json")]
    Claims(AccountArgument),
    /// List all that was seen of an account, newest first
    #[command(after_help = "\
Its scores are in `mainstay health history`, its conditions in `mainstay risks list`.

Examples:
  mainstay accounts signals acme
  mainstay accounts signals acme --kind ticket,invoice --from 2026-01-01
  mainstay accounts signals acme --source zendesk --limit 0 --output json > acme.jsonl")]
    Signals(SignalsArguments),
    /// Take back signals that should not have been recorded
    #[command(after_help = "\
Those of a test system, of a file that was imported twice, with a wrong amount. They stay on record
and count in nothing any more; scores are computed again. A withdrawn signal that is sent again
stays withdrawn: send what is right under another id. Signals of the contract (activation, renewal,
churn, seats, plan) cannot be withdrawn: correct the account.

Examples:
  mainstay accounts withdraw-signals acme --source billing --id evt-17 --id evt-18 --reason 'wrong amount'
  mainstay accounts withdraw-signals acme --source staging --all --reason 'sent by a test' --check
  mainstay accounts withdraw-signals acme --source crm-2 --all --from 2026-11-01 --reason 'imported twice'")]
    WithdrawSignals(WithdrawSignalsArguments),
    /// End the scoring of an account that left
    #[command(after_help = "\
The account stays readable with its history. It leaves the lists, and takes no changes and no
signals, those of imports included, until it is taken out of the archive again.

Examples:
  mainstay accounts archive acme
  mainstay accounts list --archived")]
    Archive(AccountArgument),
    /// Take an account that came back out of the archive
    #[command(after_help = "\
The account has what it had before and is scored from today on; the days in the archive stay
without a score.

Examples:
  mainstay accounts unarchive acme")]
    Unarchive(AccountArgument),
}

/// Which accounts.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Only these segments
    #[arg(long, value_enum, value_delimiter = ',')]
    segment: Vec<SegmentWord>,
    /// Only these lifecycle stages
    #[arg(long, value_enum, value_delimiter = ',')]
    stage: Vec<StageWord>,
    /// Only accounts that this person looks after, in any role
    #[arg(long, value_name = "EMAIL")]
    owner: Option<String>,
    /// Only of this product line
    #[arg(long)]
    product_line: Option<String>,
    /// Only with this label; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_label)]
    label: Vec<(String, String)>,
    /// Only those directly below this account
    #[arg(long, value_name = "ACCOUNT")]
    parent: Option<String>,
    /// Also those that are archived
    #[arg(long)]
    archived: bool,
    /// How many at most; 0 for all
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
}

/// Which account.
#[derive(Debug, Args)]
pub(crate) struct AccountArgument {
    /// The account, by id
    pub(crate) account: String,
}

fn parse_label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("must be KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

fn client(connection: &Connection) -> AccountServiceClient<ServiceChannel> {
    AccountServiceClient::new(connection.channel.clone())
}

/// Runs the command.
pub(crate) async fn run(
    command: &AccountsCommand,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    match command {
        AccountsCommand::List(arguments) => list(arguments, connection, output).await,
        AccountsCommand::Get(argument) => get(argument, connection, output).await,
        AccountsCommand::Claims(argument) => account_claims::run(argument, connection, output).await,
        AccountsCommand::Signals(arguments) => account_signals::run(arguments, connection, output).await,
        AccountsCommand::WithdrawSignals(arguments) => signal_withdrawals::run(arguments, connection, output).await,
        AccountsCommand::Card(argument) => account_card::run(argument, connection, output).await,
        AccountsCommand::Archive(argument) => archive(argument, connection, output).await,
        AccountsCommand::Unarchive(argument) => unarchive(argument, connection, output).await,
    }
}

async fn list(arguments: &ListArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let filter = AccountFilter {
        segments: arguments.segment.iter().map(|&word| Segment::from(word).into()).collect(),
        lifecycle_stages: arguments.stage.iter().map(|&word| LifecycleStage::from(word).into()).collect(),
        owner_email: arguments.owner.clone().unwrap_or_default(),
        product_line: arguments.product_line.clone().unwrap_or_default(),
        labels: arguments.label.iter().cloned().collect(),
        parent: arguments.parent.as_deref().map(account_name).transpose()?.unwrap_or_default(),
        include_archived: arguments.archived,
    };
    let mut request = ListAccountsRequest { filter: Some(filter), ..ListAccountsRequest::default() };
    let mut table = table(&["ACCOUNT", "NAME", "SEGMENT", "STAGE", "PLAN", ">ARR", "RENEWAL", "CSM"]);
    let mut shown = 0;
    loop {
        request.page_size = page_size(arguments.limit, shown);
        let page = retrying(&connection.retries, async || client(connection).list_accounts(request.clone()).await)
            .await?
            .into_inner();
        for account in &page.accounts {
            if output.is_json() {
                output.json_line(account)?;
            } else {
                table.add_row(list_row(account));
            }
        }
        shown += page.accounts.len();
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() || is_enough(arguments.limit, shown) {
            break;
        }
    }
    let next_page_token = request.page_token.as_str();
    finish_list(output, table, &Listed { shown, which: "first", next_page_token, nothing: "No accounts match." })
}

fn list_row(account: &Account) -> Vec<Cell> {
    let csm = account.owners.iter().find(|owner| owner.role() == OwnerRole::Csm);
    vec![
        Cell::new(id_of(&account.name)),
        Cell::new(&account.display_name),
        Cell::new(segment(account.segment())),
        Cell::new(if account.archive_time.is_some() { "archived" } else { stage(account.lifecycle_stage()) }),
        Cell::new(&account.plan),
        Cell::new(account.arr.as_ref().map(money::format).unwrap_or_default()),
        Cell::new(day_of_time(account.renewal_time)),
        Cell::new(csm.map(|owner| owner.email.clone()).unwrap_or_default()),
    ]
}

async fn get(argument: &AccountArgument, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = GetAccountRequest { name: account_name(&argument.account)? };
    let account = retrying(&connection.retries, async || client(connection).get_account(request.clone()).await)
        .await?
        .into_inner();
    if output.is_json() {
        output.json_object(&account)?;
    } else {
        output.table(facts(facts_of(&account)))?;
    }
    Ok(())
}

async fn archive(argument: &AccountArgument, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let name = account_name(&argument.account)?;
    let request = ArchiveAccountRequest { name, request_id: new_request_id(), ..ArchiveAccountRequest::default() };
    let account = retrying(&connection.retries, async || client(connection).archive_account(request.clone()).await)
        .await?
        .into_inner();
    if output.is_json() {
        output.json_object(&account)?;
    } else {
        let since = time_text(account.archive_time);
        output.line(&format!("{} is archived since {since}.", id_of(&account.name)))?;
    }
    Ok(())
}

async fn unarchive(argument: &AccountArgument, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let name = account_name(&argument.account)?;
    let request = UnarchiveAccountRequest { name, request_id: new_request_id(), ..UnarchiveAccountRequest::default() };
    let account = retrying(&connection.retries, async || client(connection).unarchive_account(request.clone()).await)
        .await?
        .into_inner();
    if output.is_json() {
        output.json_object(&account)?;
    } else {
        output.line(&format!("{} is not archived; it is scored from today on.", id_of(&account.name)))?;
    }
    Ok(())
}

/// What is known of an account; what is not known is left out.
fn facts_of(account: &Account) -> Vec<(&'static str, String)> {
    let owners = account.owners.iter().map(|owner| match owner.display_name.as_str() {
        "" => format!("{} ({})", owner.email, role(owner.role())),
        name => format!("{name} <{}> ({})", owner.email, role(owner.role())),
    });
    let contacts = account.contacts.iter().map(|contact| {
        let champion = if contact.champion { ", champion" } else { "" };
        format!("{} <{}> {}{champion}", contact.display_name, contact.email, contact.title)
    });
    let rows = [
        ("account", id_of(&account.name).to_owned()),
        ("name", account.display_name.clone()),
        ("segment", segment(account.segment()).to_owned()),
        ("stage", stage(account.lifecycle_stage()).to_owned()),
        ("industry", account.industry.clone()),
        ("product line", account.product_line.clone()),
        ("plan", account.plan.clone()),
        ("ARR", account.arr.as_ref().map(money::format).unwrap_or_default()),
        ("MRR", account.mrr.as_ref().map(money::format).unwrap_or_default()),
        ("seats", account.seats.map(|seats| seats.to_string()).unwrap_or_default()),
        ("signed up", time_text(account.sign_up_time)),
        ("activated", time_text(account.activation_time)),
        ("contract start", time_text(account.contract_start_time)),
        ("renewal", time_text(account.renewal_time)),
        ("parent", id_of(&account.parent).to_owned()),
        ("owners", owners.collect::<Vec<_>>().join("\n")),
        ("contacts", contacts.collect::<Vec<_>>().join("\n")),
        ("plan limits", lines_of(&account.plan_limits)),
        ("labels", lines_of(&account.labels)),
        ("created", time_text(account.create_time)),
        ("changed", time_text(account.update_time)),
        ("archived", time_text(account.archive_time)),
    ];
    rows.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

fn lines_of<V: std::fmt::Display>(pairs: &BTreeMap<String, V>) -> String {
    let lines: Vec<String> = pairs.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    lines.join("\n")
}
