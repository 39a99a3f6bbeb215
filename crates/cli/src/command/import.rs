//! `mainstay import`: accounts, signals and what vendors send, from files.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use mainstay_adapters::Vendor;

pub(crate) use super::import_payloads::PayloadArguments;
use super::import_payloads::{LAGO_HELP, SEGMENT_HELP, STRIPE_HELP, TICKETS_HELP, ZENDESK_HELP};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::import::{self, ImportKind};
use crate::output::Output;

const ACCOUNTS_HELP: &str = "\
Accounts that are new are created. Of those that exist, only the fields are changed that
the file has columns for; an empty value clears its field. The roles below are one field,
so are all limits, all labels and all contacts: what the file does not say of them goes.
A row equal to what is stored changes nothing, so an import may be run again.

An account should stand in a file once. Of two rows of an account that are sent together
(see --batch-size) only the later one is sent; of rows further apart, or with other
columns, one is sent after the other, so that each run changes the account back and forth.

Fields, found by columns of the same name (case, spaces and hyphens do not matter), or
by the names in brackets, or given with --map and --constant:
  account (account_id, id)     the id in your own system; required
  display_name (name)          what people call it; required for new accounts
  segment                      enterprise, mid-market or smb
  industry, product_line, plan
  lifecycle_stage (stage)      trial, onboarding, active, renewing or churned
  arr, mrr, currency           1234.50 with a currency column, or 1234.50 EUR
  contract_start_time, renewal_time, sign_up_time, activation_time
                               (…_date too); RFC 3339 or YYYY-MM-DD
  seats                        a whole number
  csm, account_manager, csm_director, finance_contact, executive_sponsor
                               mia@example.com or Mia Lee <mia@example.com>
  contacts                     people at the customer, a JSON list, in a CSV file as text:
                               [{\"id\": \"c-1\", \"display_name\": \"Eve\", \"email\":
                               \"eve@acme.example\", \"title\": \"CTO\", \"champion\": true,
                               \"language_code\": \"de-CH\"}]; only the id is required
  parent                       the id of the account this one belongs to: one that exists,
                               or that comes earlier in the file
  limit.METRIC                 the plan's limit of a metric, for example limit.emails
  label.KEY                    a label, for example label.region
JSON lines: one object a line with the same names; objects inside count as dotted names. A
name that a line does not have changes nothing, and null clears the field.

Bad rows are told with their line numbers and set aside in FILE.rejected, which can be
corrected and imported. Exit codes: 0 all rows taken in, or there are none; 1 some
rejected; 2 none taken in.

Examples:
  mainstay import accounts customers.csv
  mainstay import accounts crm.csv --source crm
  mainstay import accounts export.csv --map account=\"CRM ID\" --map arr=\"Annual value\" \\
      --constant currency=EUR --date-format %d.%m.%Y
  crm-export | mainstay import accounts - --format json-lines --rejects bad.jsonl";

const SIGNALS_HELP: &str = "\
Signals are known by their account, source and source id: importing a file again, or
the same rows in another file, changes nothing. Without a source_id the id is made from
the row's content, so that rows of equal content count once; with --source-id-from line
the line number counts too, which keeps equal rows apart as long as lines are only added
at the end. An import whose connection is cut goes on where it was.

Fields, found by columns of the same name (case, spaces and hyphens do not matter), or
by the names in brackets, or given with --map and --constant:
  account (account_id)         the account's id; required
  event_time (time, timestamp, date, day)
                               RFC 3339 or YYYY-MM-DD, then midnight UTC; required
  source                       the system that saw it; `import` when there is none
  source_id                    its id there
  kind                         usage, gauge, activity, feature_use, ticket, invoice, dispute,
                               lifecycle, survey_answer, touch, pulse, credit,
                               feature_request, feature_release, incident or case_outcome;
                               of the first seven it is else told by the fields filled
  usage:        metric, quantity (a whole number)
  gauge:        metric, level
  activity:     user_id (user), action
  feature_use:  feature, user_id, count
  ticket:       ticket_id (ticket), action (opened, updated, escalated, resolved or
                reopened), priority (low, normal, high, urgent or critical), subject, text,
                requester_email (requester), satisfaction (1 to 5), first_response_time,
                sentiment (-1 to 1), open (yes or no: of an update that says so after a
                resolution the ticket is reopened)
  invoice:      invoice_id (invoice), action (issued, paid, payment_failed, overdue or
                voided), amount and currency (49.50 with a currency column, or 49.50 EUR),
                due_time (due_date), failure_reason
  dispute:      dispute_id (dispute), action (opened or closed), invoice_id, amount and
                currency, reason
                Ids of tickets, invoices and disputes are those of the account, whatever the
                source: of two systems that count alike, put a prefix before those of one.
  lifecycle:    action (activation, milestone, renewal, churn, seat_change, upgrade,
                downgrade or plan_change), and with it milestone, renewal_time
                (renewal_date), reason, seats, or what holds from then on of plan, arr
                and currency
  survey_answer: question (nps, csat or ces), score, contact_id (contact), comment
  touch:        direction (inbound or outbound), answered (yes or no)
  pulse:        rating (1 to 5, of those who look after the account), note, author_email
  credit:       action (refund or credit_note), amount and currency, invoice_id, reason
  feature_request: feature, title
  feature_release: feature
  incident:     incident_id (incident), severity (minor, major or critical), minutes
  case_outcome: case_id (case), outcome (saved, churned, no_action, recovered or
                not_recovered), open_time, score_at_open

Bad rows are told with their line numbers and set aside in FILE.rejected, which can be
corrected and imported. Exit codes: 0 all rows taken in, or there are none; 1 some
rejected; 2 none taken in.

Examples:
  mainstay import signals usage.csv
  mainstay import signals purchases.csv --map account=customer --map quantity=items \\
      --constant metric=purchases --constant source=shop
  mainstay import signals tickets.csv --map ticket_id=Number --map action=Event \\
      --constant source=helpdesk
  mainstay import signals invoices.csv --constant currency=EUR --constant source=billing
  mainstay import signals upgrades.csv --constant kind=lifecycle --constant action=upgrade \\
      --map plan=new_plan --constant currency=EUR
  mainstay import signals events.jsonl --dry-run";

/// What to take in.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// Create accounts, and change those that exist
    #[command(after_help = ACCOUNTS_HELP)]
    Accounts(AccountArguments),
    /// Record what customers did
    #[command(after_help = SIGNALS_HELP)]
    Signals(SignalArguments),
    /// Take in events of Stripe: invoices, disputes, subscriptions, customers
    #[command(after_help = STRIPE_HELP)]
    Stripe(PayloadArguments),
    /// Take in webhooks of Lago: invoices, subscriptions, customers
    #[command(after_help = LAGO_HELP)]
    Lago(PayloadArguments),
    /// Take in tickets of Zendesk, from events or triggers
    #[command(after_help = ZENDESK_HELP)]
    Zendesk(PayloadArguments),
    /// Take in tickets of any help desk
    #[command(after_help = TICKETS_HELP)]
    Tickets(PayloadArguments),
    /// Take in calls of Segment: use, activity, people, companies
    #[command(after_help = SEGMENT_HELP)]
    Segment(PayloadArguments),
}

/// From where, and how it is read.
#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// The file, or - for the standard input
    pub(crate) file: PathBuf,
    /// What the file is; else told by its extension: .csv, .tsv, .jsonl, .ndjson
    #[arg(long, value_enum)]
    pub(crate) format: Option<FileFormat>,
    /// Read a field from a column of another name; may be given several times
    #[arg(long, value_name = "FIELD=COLUMN", value_parser = parse_pair)]
    pub(crate) map: Vec<(String, String)>,
    /// Give a field the same value in every row; may be given several times
    #[arg(long, value_name = "FIELD=VALUE", value_parser = parse_pair)]
    pub(crate) constant: Vec<(String, String)>,
    /// How dates are written, for example %d.%m.%Y or "%Y-%m-%d %H:%M:%S"; UTC unless it has %z
    #[arg(long, value_name = "FORMAT")]
    pub(crate) date_format: Option<String>,
    /// What stands between the columns of a CSV file: a character, or \t
    #[arg(long, value_parser = parse_delimiter)]
    pub(crate) delimiter: Option<u8>,
    /// Where to set bad rows aside; else FILE.rejected (nowhere for the standard input)
    #[arg(long, value_name = "PATH")]
    pub(crate) rejects: Option<PathBuf>,
    /// Only read and check the rows; send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How many rows to send at once
    #[arg(long, value_name = "ROWS", default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) batch_size: u32,
}

/// As [`ImportArguments`], and what only accounts have.
#[derive(Debug, Args)]
pub(crate) struct AccountArguments {
    #[command(flatten)]
    pub(crate) common: ImportArguments,
    /// Which system says so, for example crm: `reports data` then tells on what systems disagree
    #[arg(long, value_name = "SYSTEM", default_value = "", hide_default_value = true)]
    pub(crate) source: String,
}

/// As [`ImportArguments`], and what only signals have.
#[derive(Debug, Args)]
pub(crate) struct SignalArguments {
    #[command(flatten)]
    pub(crate) common: ImportArguments,
    /// What the ids of rows without one are made from
    #[arg(long, value_enum, default_value_t = SourceIdFrom::Content)]
    pub(crate) source_id_from: SourceIdFrom,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FileFormat {
    /// Columns with a header
    Csv,
    /// One JSON object a line
    JsonLines,
}

/// What the id of a signal is made from when its row has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SourceIdFrom {
    /// The row's content: rows of equal content count once
    Content,
    /// The row's content and line number: every row counts
    Line,
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((field, value)) if !field.is_empty() && !value.is_empty() => Ok((field.to_owned(), value.to_owned())),
        _ => Err("must have a name, then `=`, then a value".to_owned()),
    }
}

fn parse_delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"\\t" => Ok(b'\t'),
        [character] if !matches!(character, b'"' | b'\n' | b'\r') => Ok(*character),
        _ => Err("must be one ASCII character, or \\t".to_owned()),
    }
}

/// Runs the command and gives its exit code.
pub(crate) async fn run(command: &ImportCommand, connection: &Connection, output: &mut Output) -> Result<u8, Failure> {
    match command {
        ImportCommand::Accounts(arguments) => {
            let kind = ImportKind::Accounts { source: &arguments.source };
            import::run(kind, &arguments.common, connection, output).await
        }
        ImportCommand::Signals(arguments) => {
            let kind = ImportKind::Signals { source_id_from: arguments.source_id_from };
            import::run(kind, &arguments.common, connection, output).await
        }
        ImportCommand::Stripe(arguments) => import::run_vendor(Vendor::Stripe, arguments, connection, output).await,
        ImportCommand::Lago(arguments) => import::run_vendor(Vendor::Lago, arguments, connection, output).await,
        ImportCommand::Zendesk(arguments) => import::run_vendor(Vendor::Zendesk, arguments, connection, output).await,
        ImportCommand::Tickets(arguments) => import::run_vendor(Vendor::Tickets, arguments, connection, output).await,
        ImportCommand::Segment(arguments) => import::run_vendor(Vendor::Segment, arguments, connection, output).await,
    }
}
