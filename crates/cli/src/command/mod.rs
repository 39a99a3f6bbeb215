//! One file for each command.

mod account_card;
mod account_claims;
mod account_signals;
pub(crate) mod accounts;
pub(crate) mod adoption;
mod adoption_sections;
mod adoption_targets;
mod alert_view;
pub(crate) mod alerts;
mod backtest_report;
mod backtests;
mod before_after;
mod case_report;
mod case_story;
mod case_tasks;
mod case_view;
pub(crate) mod cases;
pub(crate) mod cohorts;
mod comparison_view;
mod corrections;
mod data_sections;
pub(crate) mod definitions;
pub(crate) mod demo;
pub(crate) mod explain;
mod explain_why;
mod exposure;
mod feature_sections;
pub(crate) mod forecast;
pub(crate) mod health;
mod health_sync;
pub(crate) mod history;
pub(crate) mod import;
mod import_payloads;
mod investments;
mod judge;
pub(crate) mod messages;
mod model_activation;
mod model_diff;
mod model_files;
pub(crate) mod models;
pub(crate) mod operations;
pub(crate) mod opportunities;
mod opportunity_changes;
mod pipeline;
pub(crate) mod plans;
mod policies;
mod qualification;
mod recompute;
mod renewal_changes;
mod renewal_reports;
mod renewal_sync;
pub(crate) mod renewals;
mod report_sections;
mod report_targets;
pub(crate) mod reports;
mod revenue_sections;
pub(crate) mod risks;
mod service_sections;
mod service_status;
mod signal_withdrawals;
pub(crate) mod status;
pub(crate) mod story;
mod survey_programs;
mod survey_reports;
pub(crate) mod surveys;
mod touchpoints;
pub(crate) mod up;
pub(crate) mod watch;

use comfy_table::Table;

use crate::arguments::{Arguments, Command};
use crate::connection::{Connection, ServiceName};
use crate::failure::{DONE, Failure};
use crate::output::{Output, note};

/// Runs the command and gives its exit code.
pub(crate) async fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let mut output = Output::new(&arguments.global);
    let connect_to = |service| Connection::to(&arguments.global, service);
    let connect = || connect_to(ServiceName::Scoring);
    let exit = match &arguments.command {
        Command::Up(arguments) => up::run(arguments, &mut output).await?,
        Command::Demo(arguments) => demo::run(arguments, &mut output).await?,
        Command::Story(arguments) => story::run(arguments, &mut output).await?,
        Command::Import(command) => import::run(command, &connect()?, &mut output).await?,
        Command::Health(command) => health::run(command, &connect()?, &mut output).await?,
        Command::Accounts(command) => accounts::run(command, &connect()?, &mut output).await.map(|()| DONE)?,
        Command::Models(command) => models::run(command, &connect()?, &mut output).await.map(|()| DONE)?,
        Command::Surveys(command) => {
            surveys::run(command, &connect_to(ServiceName::Surveys)?, &mut output).await.map(|()| DONE)?
        }
        Command::Alerts(command) => {
            alerts::run(command, &connect_to(ServiceName::Interventions)?, &mut output).await.map(|()| DONE)?
        }
        Command::Cases(command) => {
            cases::run(command, &connect_to(ServiceName::Interventions)?, &mut output).await.map(|()| DONE)?
        }
        Command::Plans(command) => {
            plans::run(command, &connect_to(ServiceName::Expansion)?, &mut output).await.map(|()| DONE)?
        }
        Command::Opportunities(command) => {
            let connection = connect_to(ServiceName::Expansion)?;
            opportunities::run(command, &connection, &mut output).await.map(|()| DONE)?
        }
        Command::Operations(command) => operations::run(command, &connect()?, &mut output).await.map(|()| DONE)?,
        Command::Messages(command) => messages::run(command, &arguments.global, &mut output).await.map(|()| DONE)?,
        Command::Cohorts(command) => cohorts::run(command, &connect()?, &mut output).await.map(|()| DONE)?,
        Command::Forecast(command) => forecast::run(command, &connect()?, &mut output).await.map(|()| DONE)?,
        Command::Renewals(command) => renewals::run(command, &connect()?, &mut output).await.map(|()| DONE)?,
        Command::Adoption(command) => adoption::run(command, &connect()?, &mut output).await.map(|()| DONE)?,
        Command::Reports(command) => reports::run(command, &connect()?, &mut output).await.map(|()| DONE)?,
        Command::Risks(command) => risks::run(command, &connect()?, &mut output).await.map(|()| DONE)?,
        Command::Definitions(arguments) => {
            definitions::run(arguments, &connect()?, &mut output).await.map(|()| DONE)?
        }
        Command::Status(_) => status::run(&arguments.global, &connect()?, &mut output).await?,
    };
    output.flush()?;
    Ok(exit)
}

/// How many items the next page should have: at most 1 000, and no more than
/// what is left of `limit`; 0 means no limit.
pub(crate) fn page_size(limit: usize, shown: usize) -> i32 {
    const PAGE_SIZE_MAX: usize = 1_000;
    let wanted = if limit == 0 { PAGE_SIZE_MAX } else { (limit - shown.min(limit)).min(PAGE_SIZE_MAX) };
    i32::try_from(wanted).unwrap_or(i32::MAX)
}

/// Whether `shown` items are as many as were asked for.
pub(crate) fn is_enough(limit: usize, shown: usize) -> bool {
    limit != 0 && shown >= limit
}

/// A list as it came to its end, or to as much of it as was asked for.
pub(crate) struct Listed<'a> {
    pub shown: usize,
    /// Which of all are shown: `first` or `newest`.
    pub which: &'static str,
    /// Of the page after; empty when there is none.
    pub next_page_token: &'a str,
    /// What is said of an empty list.
    pub nothing: &'static str,
}

/// Shows the table of a list, and says when there is more of it or nothing in it; as JSON its items are out already.
pub(crate) fn finish_list(output: &mut Output, table: Table, listed: &Listed<'_>) -> Result<(), Failure> {
    let Listed { shown, which, next_page_token, nothing } = *listed;
    if output.is_json() {
        return Ok(());
    }
    if shown == 0 {
        note(nothing);
        return Ok(());
    }
    output.table(table)?;
    if !next_page_token.is_empty() {
        note(&format!("The {which} {shown}; --limit 0 shows all."));
    }
    Ok(())
}
