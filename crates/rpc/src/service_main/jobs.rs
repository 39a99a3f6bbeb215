//! `jobs`: what an operator sees of due work, and the way back for jobs that were given up.

use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use mainstay_domain::{Clock, SystemClock};
use mainstay_jobs::{JobFilter, JobPage, JobRecord, JobState, Jobs, QueueStats};
use mainstay_storage::DatabaseSettings;
use sqlx::PgPool;

use super::ServiceError;

/// Jobs that a list shows if it is not told otherwise.
const LIST_DEFAULT: i64 = 50;

/// Dead jobs that one statement brings back.
const REQUEUE_BATCH: i64 = 1_000;

/// What to do with jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum JobsAction {
    List { queue: Option<String>, is_dead_only: bool, limit: i64 },
    RequeueKeys { queue: String, keys: Vec<String> },
    RequeueDead { queue: String },
}

/// The command line of `jobs`.
pub(super) fn command(program: &str) -> Command {
    let queue = Arg::new("queue").value_name("QUEUE");
    Command::new("jobs")
        .about("Shows due work, and brings back jobs that were given up")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_help(format!(
            "A job that fails waits and is tried again; after its last attempt it is dead and stays until somebody\n\
             brings it back. Its error says why it died: cure that first, else it dies again.\n\n  \
             {program} jobs list --dead                # what was given up, and why\n  \
             {program} jobs requeue rescore acme       # once more, this one\n  \
             {program} jobs requeue rescore --all-dead # once more, all that the queue gave up\n\n\
             The service need not run; if it does, it takes up what was brought back."
        ))
        .subcommand(
            Command::new("list")
                .about("Shows how each queue stands, and its jobs in the order of their keys")
                .arg(queue.clone().long("queue").help("Only this queue"))
                .arg(Arg::new("dead").long("dead").action(ArgAction::SetTrue).help("Only jobs that were given up"))
                .arg(
                    Arg::new("limit")
                        .long("limit")
                        .value_name("N")
                        .value_parser(value_parser!(i64).range(1..=1_000))
                        .help(format!("The most jobs to show [default: {LIST_DEFAULT}]")),
                ),
        )
        .subcommand(
            Command::new("requeue")
                .about("Gives jobs that were given up a new set of attempts, from now on")
                .arg(queue.required(true).help("Their queue"))
                .arg(
                    Arg::new("keys")
                        .value_name("KEY")
                        .num_args(1..)
                        .required_unless_present("all-dead")
                        .help("The keys of the jobs, as `jobs list` shows them"),
                )
                .arg(
                    Arg::new("all-dead")
                        .long("all-dead")
                        .action(ArgAction::SetTrue)
                        .conflicts_with("keys")
                        .help("All that the queue gave up"),
                ),
        )
}

/// What a command line that [`command`] took asks for.
pub(super) fn action_of(matches: &ArgMatches) -> JobsAction {
    match matches.subcommand() {
        Some(("requeue", below)) => {
            let queue = below.get_one("queue").cloned().unwrap_or_default();
            match below.get_many("keys") {
                Some(keys) => JobsAction::RequeueKeys { queue, keys: keys.cloned().collect() },
                None => JobsAction::RequeueDead { queue },
            }
        }
        Some((_, below)) => JobsAction::List {
            queue: below.get_one("queue").cloned(),
            is_dead_only: below.get_flag("dead"),
            limit: below.get_one("limit").copied().unwrap_or(LIST_DEFAULT),
        },
        None => JobsAction::List { queue: None, is_dead_only: false, limit: LIST_DEFAULT },
    }
}

/// Does it, and answers what to print.
pub(super) async fn run(jobs: &Jobs, database: &DatabaseSettings, action: JobsAction) -> Result<String, ServiceError> {
    let pool = mainstay_storage::connect(&DatabaseSettings { max_connections: 1, ..database.clone() })?;
    let done = match action {
        JobsAction::List { queue, is_dead_only, limit } => list(jobs, &pool, queue, is_dead_only, limit).await,
        JobsAction::RequeueKeys { queue, keys } => requeue_keys(jobs, &pool, &queue, &keys).await,
        JobsAction::RequeueDead { queue } => requeue_dead(jobs, &pool, &queue).await,
    };
    pool.close().await;
    done
}

async fn list(
    jobs: &Jobs,
    pool: &PgPool,
    queue: Option<String>,
    is_dead_only: bool,
    limit: i64,
) -> Result<String, ServiceError> {
    let mut stats = jobs.stats(pool, SystemClock.now()).await?;
    stats.retain(|stats| queue.as_ref().is_none_or(|queue| *queue == stats.queue));
    let filter = JobFilter { queue, state: is_dead_only.then_some(JobState::Dead) };
    let records = jobs.list(pool, &filter, &JobPage { after: None, limit }).await?;
    let there_are: u64 = stats
        .iter()
        .map(|stats| if is_dead_only { stats.dead } else { stats.due + stats.scheduled + stats.dead })
        .sum();
    let queues = table(["QUEUE", "DUE", "LATER", "DEAD", "OLDEST DUE"], stats.iter().map(queue_row));
    if records.is_empty() {
        return Ok(format!("{queues}\nno such jobs\n"));
    }
    let shown = table(["QUEUE", "KEY", "DUE", "FAILED", "DEAD SINCE", "LAST ERROR"], records.iter().map(job_row));
    let hidden = there_are.saturating_sub(u64::try_from(records.len()).unwrap_or(u64::MAX));
    let rest = if hidden > 0 {
        format!("and {hidden} more; --limit shows more, --queue and --dead fewer\n")
    } else {
        String::new()
    };
    Ok(format!("{queues}\n{shown}{rest}"))
}

async fn requeue_keys(jobs: &Jobs, pool: &PgPool, queue: &str, keys: &[String]) -> Result<String, ServiceError> {
    let now = SystemClock.now();
    let mut not_dead = Vec::new();
    for key in keys {
        if !jobs.requeue(pool, queue, key, now, now).await? {
            not_dead.push(key.as_str());
        }
    }
    let requeued = keys.len() - not_dead.len();
    if not_dead.is_empty() {
        return Ok(format!("requeued {requeued}\n"));
    }
    Err(format!("requeued {requeued}; the queue {queue} has no dead job with the key {}", not_dead.join(", ")).into())
}

async fn requeue_dead(jobs: &Jobs, pool: &PgPool, queue: &str) -> Result<String, ServiceError> {
    let now = SystemClock.now();
    let mut requeued = 0;
    loop {
        match jobs.requeue_dead(pool, queue, REQUEUE_BATCH, now, now).await? {
            0 => return Ok(format!("requeued {requeued}\n")),
            batch => requeued += batch,
        }
    }
}

fn queue_row(stats: &QueueStats) -> [String; 5] {
    let QueueStats { queue, due, scheduled, dead, oldest_due } = stats;
    [queue.clone(), due.to_string(), scheduled.to_string(), dead.to_string(), time(*oldest_due)]
}

fn job_row(record: &JobRecord) -> [String; 6] {
    let JobRecord { queue, key, due_at, attempts, dead_at, last_error, .. } = record;
    let error = last_error.as_deref().unwrap_or("-").replace(char::is_control, " ");
    [queue.clone(), key.clone(), time(Some(*due_at)), attempts.to_string(), time(*dead_at), error]
}

fn time(time: Option<DateTime<Utc>>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// Rows under their heads, each column as wide as its widest cell, except for the last.
fn table<const N: usize>(heads: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<[String; N]> = std::iter::once(heads.map(str::to_owned)).chain(rows).collect();
    let width_of = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width_of);
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a", "first"], ["länger", "b"]].map(|row| row.map(str::to_owned));
        assert_eq!(table(["KEY", "WHAT"], rows.into_iter()), "KEY     WHAT\na       first\nlänger  b\n");
    }
}
