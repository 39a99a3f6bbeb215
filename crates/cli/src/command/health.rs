//! `mainstay health`: who is how healthy.

use chrono::NaiveDate;
use clap::{Args, Subcommand, ValueEnum};
use comfy_table::{Cell, Table};
use mainstay_api::mainstay::scoring::v1::health_service_client::HealthServiceClient;
use mainstay_api::mainstay::scoring::v1::{
    Band, BatchGetHealthRequest, GetHealthRequest, Health, HealthFilter, HealthOrder, ListHealthRequest, Segment,
};
use mainstay_clients::{ServiceChannel, retrying};

use crate::command::{
    Listed, corrections, explain, finish_list, health_sync, history, is_enough, judge, page_size, recompute, watch,
};
use crate::connection::Connection;
use crate::failure::{DONE, FAILED, Failure};
use crate::output::{Output, note};
use crate::sync_file::SyncArguments;
use crate::table::{band_cell_with, change, change_cell, facts, percent, points, score_cell, table};
use crate::words::{BandWord, SegmentWord, account_name, day_text, id_of, parse_day, segment, time_text};
use crate::{money, words};

/// Commands about health.
#[derive(Debug, Subcommand)]
pub(crate) enum HealthCommand {
    /// List accounts' health of today, worst first
    #[command(after_help = "\
Examples:
  mainstay health list --band critical,at-risk
  mainstay health list --order falling --limit 20       who fell most in 30 days
  mainstay health list --rose-by 10 --order rising      who recovered
  mainstay health list --band no-score                  of whom nothing is known
  mainstay health list --owner mia@example.com --segment enterprise
  mainstay health list --limit 0 --output json | jq -r .account")]
    List(ListArguments),
    /// Show the health of one account or several
    #[command(after_help = "\
Examples:
  mainstay health get acme
  mainstay health get acme globex --day 2026-09-30

The exit code is 1 when one of the accounts is not known, or had no health by that day.")]
    Get(GetArguments),
    /// Say why a score is what it is, and what moved it
    #[command(after_help = "\
Each component and measure shows what it adds to the score; the column ADDS adds up
exactly to it. With --compare it also says what moved the score since that day. It ends with
what is behind a fall, what to do about it, and what would lift the score above 70.

Examples:
  mainstay health explain acme
  mainstay health explain acme --compare 2026-09-30
  mainstay health explain acme --day 2026-10-31 --compare 2026-09-30")]
    Explain(explain::ExplainArguments),
    /// Show an account's health day by day
    #[command(after_help = "\
Examples:
  mainstay health history acme
  mainstay health history acme --from 2026-01-01 --to 2026-06-30 --limit 0")]
    History(history::HistoryArguments),
    /// Print changes of health as they happen
    #[command(after_help = "\
On its end it says the cursor from which to go on; nothing is missed in between. With
--output json each line is an answer of WatchHealth: its changes, and the cursor after them.

Examples:
  mainstay health watch
  mainstay health watch acme globex
  mainstay health watch --cursor AAAAAAAAAGQ
  mainstay health watch --from-oldest --until-now --output json")]
    Watch(watch::WatchArguments),
    /// Write the health of accounts to a file for a CRM: all at first, then only what changed
    #[command(after_help = health_sync::HELP)]
    Sync(SyncArguments),
    /// Score all accounts again from a day on
    #[command(after_help = recompute::HELP)]
    Recompute(recompute::RecomputeArguments),
    /// Judge an account by what you know of it, which counts in its score
    #[command(after_help = judge::HELP)]
    Judge(judge::JudgeArguments),
    /// Say that an account is in another band than the computed one
    #[command(after_help = "\
The score and its band stay as they are computed; what you say is shown beside them until it
expires, or is withdrawn or rejected. There is one for an account.

Examples:
  mainstay health correct acme --band healthy --reason 'They use the app, which sends no signals'
  mainstay health correct acme --band critical --reason 'Told us they leave' --until 2026-12-31")]
    Correct(corrections::CorrectArguments),
    /// Say that the computed band of an account is wrong, without another one
    #[command(after_help = "\
Examples:
  mainstay health dispute acme --reason 'We are content' --by customer --contact eve@acme.example")]
    Dispute(corrections::DisputeArguments),
    /// Accept or reject what somebody says against a computed band
    #[command(after_help = "\
What is accepted is shown until it expires, what is rejected no more.

Examples:
  mainstay health review acme/labels/0198c0de-… accept 'Asked them' --reviewer lee@example.com")]
    Review(corrections::ReviewArguments),
    /// Take back what was said against a computed band
    #[command(after_help = "\
Examples:
  mainstay health withdraw acme/labels/0198c0de-…")]
    Withdraw(corrections::WithdrawArguments),
    /// List what people say against computed bands, what was said last first
    #[command(after_help = "\
Examples:
  mainstay health corrections
  mainstay health corrections --due                     what has to be reviewed
  mainstay health corrections --account acme --ended")]
    Corrections(corrections::CorrectionsArguments),
}

/// Which accounts to list.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Only these bands
    #[arg(long, value_enum, value_delimiter = ',')]
    band: Vec<BandWord>,
    /// Only these segments
    #[arg(long, value_enum, value_delimiter = ',')]
    segment: Vec<SegmentWord>,
    /// Only accounts that this person looks after, in any role
    #[arg(long, value_name = "EMAIL")]
    owner: Option<String>,
    /// Only those that fell by so many points or more in 30 days
    #[arg(long, value_name = "POINTS", value_parser = parse_points, conflicts_with = "rose_by")]
    fell_by: Option<f64>,
    /// Only those that rose by so many points or more in 30 days
    #[arg(long, value_name = "POINTS", value_parser = parse_points)]
    rose_by: Option<f64>,
    /// In which order
    #[arg(long, value_enum, default_value_t = OrderWord::Worst)]
    order: OrderWord,
    /// How many at most; 0 for all
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
}

/// An order, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OrderWord {
    /// Worst score first
    Worst,
    /// Best score first
    Best,
    /// Largest fall in 30 days first
    Falling,
    /// Largest rise in 30 days first
    Rising,
    /// Largest annual recurring revenue first, by currency
    Arr,
}

impl From<OrderWord> for HealthOrder {
    fn from(word: OrderWord) -> Self {
        match word {
            OrderWord::Worst => Self::ScoreAsc,
            OrderWord::Best => Self::ScoreDesc,
            OrderWord::Falling => Self::Change30dAsc,
            OrderWord::Rising => Self::Change30dDesc,
            OrderWord::Arr => Self::ArrDesc,
        }
    }
}

/// Whose health to show.
#[derive(Debug, Args)]
pub(crate) struct GetArguments {
    /// The accounts, by id
    #[arg(required = true, value_name = "ACCOUNT")]
    accounts: Vec<String>,
    /// As of the end of this UTC day, YYYY-MM-DD; else the newest
    #[arg(long, value_parser = parse_day)]
    day: Option<NaiveDate>,
}

/// Runs the command and gives its exit code.
pub(crate) async fn run(command: &HealthCommand, connection: &Connection, output: &mut Output) -> Result<u8, Failure> {
    match command {
        HealthCommand::List(arguments) => list(arguments, connection, output).await?,
        HealthCommand::Get(arguments) => return get(arguments, connection, output).await,
        HealthCommand::Explain(arguments) => explain::run(arguments, connection, output).await?,
        HealthCommand::History(arguments) => history::run(arguments, connection, output).await?,
        HealthCommand::Sync(arguments) => health_sync::run(arguments, connection, output).await?,
        HealthCommand::Watch(arguments) => watch::run(arguments, connection, output).await?,
        HealthCommand::Recompute(arguments) => recompute::run(arguments, connection, output).await?,
        HealthCommand::Judge(arguments) => judge::run(arguments, connection, output).await?,
        HealthCommand::Correct(arguments) => corrections::correct(arguments, connection, output).await?,
        HealthCommand::Dispute(arguments) => corrections::dispute(arguments, connection, output).await?,
        HealthCommand::Review(arguments) => corrections::review(arguments, connection, output).await?,
        HealthCommand::Withdraw(arguments) => corrections::withdraw(arguments, connection, output).await?,
        HealthCommand::Corrections(arguments) => corrections::list(arguments, connection, output).await?,
    }
    Ok(DONE)
}

/// Reads a move of a score, up or down as the option says.
fn parse_points(text: &str) -> Result<f64, String> {
    let points = text.parse().ok().filter(|points| (0.0..=100.0).contains(points));
    points.ok_or_else(|| "must be a number of points from 0 to 100, for example 10".to_owned())
}

/// The client for health on a connection.
pub(crate) fn client(connection: &Connection) -> HealthServiceClient<ServiceChannel> {
    HealthServiceClient::new(connection.channel.clone())
}

async fn list(arguments: &ListArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let filter = HealthFilter {
        bands: arguments.band.iter().map(|&word| Band::from(word).into()).collect(),
        segments: arguments.segment.iter().map(|&word| Segment::from(word).into()).collect(),
        owner_email: arguments.owner.clone().unwrap_or_default(),
        change_30d_at_most: arguments.fell_by.map(|points| -points),
        change_30d_at_least: arguments.rose_by,
    };
    let mut request = ListHealthRequest {
        filter: Some(filter),
        order: HealthOrder::from(arguments.order).into(),
        ..ListHealthRequest::default()
    };
    let mut table = list_table();
    let mut shown = 0;
    loop {
        request.page_size = page_size(arguments.limit, shown);
        let page = retrying(&connection.retries, async || client(connection).list_health(request.clone()).await)
            .await?
            .into_inner();
        for health in &page.health {
            if output.is_json() {
                output.json_line(health)?;
            } else {
                table.add_row(list_row(health));
            }
        }
        shown += page.health.len();
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() || is_enough(arguments.limit, shown) {
            break;
        }
    }
    let next_page_token = request.page_token.as_str();
    finish_list(output, table, &Listed { shown, which: "first", next_page_token, nothing: "No accounts match." })
}

fn list_table() -> Table {
    table(&["ACCOUNT", "NAME", "SEGMENT", "BAND", ">SCORE", ">1 D", ">7 D", ">30 D", ">ARR", ">DATA", "LAST SIGNAL"])
}

fn list_row(health: &Health) -> Vec<Cell> {
    vec![
        Cell::new(id_of(&health.account)),
        Cell::new(&health.account_display_name),
        Cell::new(segment(health.segment())),
        band_cell_with(health.band(), &beside(health)),
        score_cell(health.score, health.band()),
        change_cell(health.change_1d),
        change_cell(health.change_7d),
        change_cell(health.change_30d),
        Cell::new(health.arr.as_ref().map(money::format).unwrap_or_default()),
        Cell::new(percent(health.coverage)),
        Cell::new(&health.last_signal_day),
    ]
}

/// What people say against a computed band, to stand behind it.
fn beside(health: &Health) -> String {
    let said: Vec<String> = health.corrections.iter().map(corrections::in_short).collect();
    if said.is_empty() { String::new() } else { format!(" ({})", said.join("; ")) }
}

/// Shows health; that some accounts have none is a failure, as it is when one is asked for.
async fn get(arguments: &GetArguments, connection: &Connection, output: &mut Output) -> Result<u8, Failure> {
    let accounts = arguments.accounts.iter().map(|given| account_name(given)).collect::<Result<Vec<_>, _>>()?;
    let day = day_text(arguments.day);
    if let [account] = accounts.as_slice() {
        let request = GetHealthRequest { account: account.clone(), day };
        let health = retrying(&connection.retries, async || client(connection).get_health(request.clone()).await)
            .await?
            .into_inner();
        if output.is_json() {
            output.json_object(&health)?;
        } else {
            show_one(&health, output)?;
        }
        return Ok(DONE);
    }
    let request = BatchGetHealthRequest { accounts, day };
    let answer = retrying(&connection.retries, async || client(connection).batch_get_health(request.clone()).await)
        .await?
        .into_inner();
    if output.is_json() {
        output.json_object(&answer)?;
    } else {
        let mut table = list_table();
        table.add_rows(answer.health.iter().map(list_row));
        output.table(table)?;
        for account in &answer.not_found {
            note(&format!("{}: no such account, or not scored by that day", id_of(account)));
        }
    }
    Ok(if answer.not_found.is_empty() { DONE } else { FAILED })
}

fn show_one(health: &Health, output: &mut Output) -> Result<(), Failure> {
    let mut rows = vec![
        ("account", format!("{} ({})", id_of(&health.account), health.account_display_name)),
        ("day", health.day.clone()),
        ("score", format!("{} ({})", points(health.score), words::band(health.band()))),
    ];
    rows.extend(health.corrections.iter().map(|label| ("but", corrections::in_a_line(label))));
    rows.extend([
        (
            "change",
            format!(
                "{} in 1 day, {} in 7 days, {} in 30 days",
                change(health.change_1d),
                change(health.change_7d),
                change(health.change_30d)
            ),
        ),
        ("data", format!("{} of the model's weight", percent(health.coverage))),
    ]);
    if let Some(days) = health.freshness_days {
        rows.push(("oldest data", format!("{days} days")));
    }
    if !health.last_signal_day.is_empty() {
        rows.push(("last signal", health.last_signal_day.clone()));
    }
    if let Some(arr) = &health.arr {
        rows.push(("ARR", money::format(arr)));
    }
    rows.push(("model", id_of(&health.model).to_owned()));
    rows.push(("scored", time_text(health.score_time)));
    output.table(facts(rows))?;
    output.line("")?;
    let mut table = table(&["COMPONENT", ">SCORE", ">ADDS"]);
    for component in &health.components {
        table.add_row([component.component.clone(), points(component.score), points(Some(component.contribution))]);
    }
    output.table(table)?;
    Ok(())
}
