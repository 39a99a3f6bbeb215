//! The command line as a whole.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::command::{
    accounts, adoption, alerts, cases, cohorts, definitions, demo, forecast, health, import, messages, models,
    operations, opportunities, plans, renewals, reports, risks, status, story, surveys, up,
};
use crate::output::OutputFormat;

const EXAMPLES: &str = "\
Examples:
  mainstay demo                                 see it at work on real customers
  mainstay story                                one customer through all four services
  mainstay up                                   start everything on this machine
  mainstay import accounts customers.csv        create or change accounts from a file
  mainstay import signals usage.csv             record what customers did
  mainstay health list --band critical,at-risk  who is at risk, worst first
  mainstay health explain acme                  why acme's score is what it is
  mainstay alerts list --owner mia@example.com  what I have to look at, soonest due first
  mainstay cases list                           who is being saved, and what is at stake
  mainstay opportunities list --overdue         who is ready to grow, and waits for us
  mainstay cohorts retention --by segment       how long customers stay
  mainstay cohorts exposure incidents           whether outages go with leaving
  mainstay forecast portfolio                   what can be expected to be lost
  mainstay renewals forecast                    what can be expected to renew
  mainstay reports health --period week         how all customers are, and what changed
  mainstay surveys report nps --by quarter      how customers answered
  mainstay status                               is the server up, how is the portfolio

Each command explains itself with --help. Exit codes: 0 done; 1 a call failed, or
an import refused some rows; 2 wrong use, or an import took in nothing.";

/// Keeps customers: their health, why it is so, and what to do.
#[derive(Debug, Parser)]
#[command(name = "mainstay", version, propagate_version = true, after_help = EXAMPLES, max_term_width = 110)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: GlobalOptions,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    /// What was typed; ends the process with a message when that is not understood.
    pub(crate) fn read() -> Self {
        Self::of(&Self::command().get_matches()).unwrap_or_else(|error| error.exit())
    }

    /// An answer has one format: that one of two is given silently would be noticed late, by whoever reads the file.
    fn of(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let arguments = Self::from_arg_matches(matches)?;
        let format = match arguments.global.output {
            OutputFormat::Table => return Ok(arguments),
            OutputFormat::Markdown => "markdown",
            OutputFormat::Json => "json",
        };
        if !asks_for_csv(matches) {
            return Ok(arguments);
        }
        let fault = format!(
            "--csv and --output {format} are two formats: leave one of them out (with MAINSTAY_OUTPUT={format}, say --output table)"
        );
        Err(Self::command().error(ErrorKind::ArgumentConflict, fault))
    }
}

/// Whether the command was told to answer as CSV.
fn asks_for_csv(matches: &ArgMatches) -> bool {
    let mut command = matches;
    while let Some((_, inner)) = command.subcommand() {
        command = inner;
    }
    let is_known = command.try_contains_id("csv").is_ok();
    is_known && command.value_source("csv") == Some(ValueSource::CommandLine)
}

/// Options that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalOptions {
    /// Where scoring listens.
    #[arg(
        long,
        help = "Where scoring listens: host:port, http://…, https://… or unix:/path",
        global = true,
        env = "MAINSTAY_SERVER",
        default_value = "http://127.0.0.1:7461",
        value_name = "ADDRESS"
    )]
    pub(crate) server: String,

    /// Where surveys listens [default: the port after --server's]
    #[arg(long, global = true, env = "MAINSTAY_SURVEYS_SERVER", value_name = "ADDRESS")]
    pub(crate) surveys_server: Option<String>,

    /// Where interventions listens [default: two ports after --server's]
    #[arg(long, global = true, env = "MAINSTAY_INTERVENTIONS_SERVER", value_name = "ADDRESS")]
    pub(crate) interventions_server: Option<String>,

    /// Where expansion listens [default: three ports after --server's]
    #[arg(long, global = true, env = "MAINSTAY_EXPANSION_SERVER", value_name = "ADDRESS")]
    pub(crate) expansion_server: Option<String>,

    /// Token to send; better in the environment or a file than on the command line
    #[arg(long, global = true, env = "MAINSTAY_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub(crate) token: Option<String>,

    /// File that holds the token
    #[arg(long, global = true, env = "MAINSTAY_TOKEN_FILE", value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,

    /// Certificates (PEM) to trust besides those of the system, for https
    #[arg(long, global = true, env = "MAINSTAY_CA_FILE", value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,

    /// Tables for people, or JSON for programs: one object, or one a line for lists
    #[arg(long, short, global = true, env = "MAINSTAY_OUTPUT", value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) output: OutputFormat,

    /// How long a call may take, for example 500ms, 30s or 2m
    #[arg(long, global = true, env = "MAINSTAY_TIMEOUT", default_value = "30s", value_parser = parse_timeout)]
    pub(crate) timeout: Duration,

    /// No colours.
    #[arg(long, help = "No colours, also with NO_COLOR set", global = true, env = "NO_COLOR", hide_env = true, value_parser = FalseyValueParser::new())]
    pub(crate) no_color: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start everything in one process on this machine: PostgreSQL and all services
    Up(up::UpArguments),
    /// Play 18 months of 2 357 real customers, and see who is at risk and why
    Demo(demo::DemoArguments),
    /// Tell the story of one customer through all four services, on a turned clock
    Story(story::StoryArguments),
    /// Take in accounts or signals from a CSV or JSON lines file
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Look at the health of accounts
    #[command(subcommand)]
    Health(health::HealthCommand),
    /// Look at accounts, archive them and take them out of the archive
    #[command(subcommand)]
    Accounts(accounts::AccountsCommand),
    /// Look at health models, and choose the one that scores
    #[command(subcommand)]
    Models(models::ModelsCommand),
    /// Ask customers how they are, and read what they say
    #[command(subcommand)]
    Surveys(surveys::SurveysCommand),
    /// See what has to be looked at, and say what was done about it
    #[command(subcommand)]
    Alerts(alerts::AlertsCommand),
    /// Run the work on accounts at risk and on detractors
    #[command(subcommand)]
    Cases(cases::CasesCommand),
    /// Look at what puts accounts at risk
    #[command(subcommand)]
    Risks(risks::RisksCommand),
    /// Say what the services mean by their terms, and since when
    Definitions(definitions::DefinitionsArguments),
    /// See how long customers stay, cohort by cohort, and what they are worth
    #[command(subcommand)]
    Cohorts(cohorts::CohortsCommand),
    /// See how likely customers are to leave, and learn it from those that did
    #[command(subcommand)]
    Forecast(forecast::ForecastCommand),
    /// See which contracts are due for renewal, and what renewed and stayed
    #[command(subcommand)]
    Renewals(renewals::RenewalsCommand),
    /// See which features customers use, and what they reach with them
    #[command(subcommand)]
    Adoption(adoption::AdoptionCommand),
    /// See how all customers are and what changed, and how far the data can be trusted
    #[command(subcommand)]
    Reports(reports::ReportsCommand),
    /// Look at plans, create and publish them, and compare what they cost
    #[command(subcommand)]
    Plans(plans::PlansCommand),
    /// See who is ready for a larger plan, and lead the way there
    #[command(subcommand)]
    Opportunities(opportunities::OpportunitiesCommand),
    /// See how far backtests and recomputations are, and end them
    #[command(subcommand)]
    Operations(operations::OperationsCommand),
    /// See what leaves by email, Slack and webhook, and send again what did not arrive
    #[command(subcommand)]
    Messages(messages::MessagesCommand),
    /// Say whether the services are up, how far their feeds are, what is due and late, and how the portfolio is
    Status(status::StatusArguments),
}

/// Reads a time such as `500ms`, `30s` or `2m`; a bare number counts seconds.
fn parse_timeout(text: &str) -> Result<Duration, String> {
    let digits = text.len() - text.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let (amount, unit) = text.split_at(digits);
    let amount: u64 = amount.parse().map_err(|_| "must be a number with a unit, for example 30s".to_owned())?;
    let timeout = match unit {
        "ms" => Duration::from_millis(amount),
        "" | "s" => Duration::from_secs(amount),
        "m" => Duration::from_secs(amount.saturating_mul(60)),
        _ => return Err(format!("`{unit}` is not a unit: use ms, s or m")),
    };
    if timeout.is_zero() { Err("must be more than 0".to_owned()) } else { Ok(timeout) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn an_answer_has_one_format() {
        let read = |typed: &str| {
            let typed = format!("mainstay {typed}");
            Arguments::of(&Arguments::command().get_matches_from(typed.split(' ')))
        };
        for refused in [
            "reports health --csv bands --output json",
            "--output json cohorts retention --csv",
            "renewals list --csv -o markdown",
        ] {
            let fault = read(refused).expect_err(refused).to_string();
            assert!(fault.contains("two formats: leave one of them out"), "{fault}");
        }
        for fine in [
            "reports health --csv bands",
            "reports health --output json",
            "renewals list --output json",
            "renewals list --csv --output table",
            "status --output json",
        ] {
            assert!(read(fine).is_ok(), "{fine}");
        }
    }

    #[test]
    fn timeouts_have_units() {
        assert_eq!(parse_timeout("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_timeout("30"), Ok(Duration::from_secs(30)));
        assert_eq!(parse_timeout("2m"), Ok(Duration::from_mins(2)));
        for bad in ["", "s", "1h", "-1s", "0s", "1.5s"] {
            assert!(parse_timeout(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_command_shows_an_example() {
        let command = Arguments::command();
        let mut commands: Vec<&clap::Command> = command.get_subcommands().collect();
        while let Some(command) = commands.pop() {
            if command.has_subcommands() {
                commands.extend(command.get_subcommands());
                continue;
            }
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("mainstay "), "{}", command.get_name());
        }
    }
}
