//! Scoring a whole portfolio when a day begins, against one aggregate over the same data.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::ensure;
use chrono::TimeDelta;
use mainstay_domain::{Clock, ManualClock, start_of_day};

use crate::customers;
use crate::database::{Database, Server};
use crate::duckdb;
use crate::environment::resident_bytes;
use crate::portfolio::{DAY_COUNT, METRIC_COUNT, Windows};
use crate::report::{Report, megabytes, per_second, progress, ratio, seconds, whole};
use crate::samples::Samples;
use crate::service;
use crate::statements::{self, Spent};

const AGGREGATE_REPEATS: usize = 3;
const MEMORY_INTERVAL: Duration = Duration::from_millis(50);
/// Statements named one by one.
const STATEMENTS_SHOWN: usize = 12;

const AGGREGATE: &str = "
    SELECT count(*), sum(recent)::bigint, sum(earlier)::bigint, avg(recent::float8 / earlier::float8)
      FROM (SELECT account_id, name,
                   sum(sum) FILTER (WHERE month + place::integer - 1 > DATE '2026-03-31' - 28) AS recent,
                   sum(sum) FILTER (WHERE month + place::integer - 1 <= DATE '2026-03-31' - 28) AS earlier
              FROM scoring.count_months CROSS JOIN LATERAL unnest(day_sums) WITH ORDINALITY AS days (sum, place)
             WHERE month >= date_trunc('month', DATE '2026-03-31' - 55)
               AND month + place::integer - 1 > DATE '2026-03-31' - 56
             GROUP BY account_id, name) AS series";

struct Rescored {
    accounts: u32,
    elapsed: Duration,
    aggregate: Duration,
    resident_bytes_max: Option<f64>,
    spent: Vec<Spent>,
}

/// Measures portfolios of these sizes, one after the other; DuckDB on the last.
pub(crate) async fn run(server: &Server, sizes: &[u32]) -> anyhow::Result<()> {
    let mut report = Report::new(
        format!("Rescoring when a day begins: {METRIC_COUNT} metrics × {DAY_COUNT} days each"),
        &["accounts", "all scored in", "accounts/s", "one SQL aggregate", "of its speed", "most memory of the process"],
    );
    let mut last = None;
    for &accounts in sizes {
        let rescored = measure(server, accounts).await?;
        report.row([
            whole(accounts.into()),
            seconds(rescored.elapsed),
            whole(per_second(accounts as usize, rescored.elapsed)),
            seconds(rescored.aggregate),
            ratio(rescored.aggregate.as_secs_f64(), rescored.elapsed.as_secs_f64()),
            rescored.resident_bytes_max.map_or_else(|| "–".to_owned(), megabytes),
        ]);
        last = Some(rescored);
    }
    report.print();
    let Some(last) = last else { return Ok(()) };
    if let Some(duckdb) = duckdb::measure(last.accounts, AGGREGATE_REPEATS).await? {
        ensure!(duckdb.windows() == Windows::expected(last.accounts), "DuckDB's sums are others: {duckdb:?}");
        println!(
            "\nDuckDB {} takes {} for the aggregate over {} accounts, from Parquet with a row for each day ({}).",
            duckdb.version,
            seconds(duckdb.aggregate()),
            whole(last.accounts.into()),
            megabytes(duckdb.parquet_bytes),
        );
    }
    print_spent(&last);
    Ok(())
}

fn print_spent(rescored: &Rescored) {
    let mut report = Report::new(
        format!("Where the time of rescoring {} accounts goes, in the database", whole(rescored.accounts.into())),
        &["statement", "calls", "time", "of the time elapsed, on both workers"],
    );
    for spent in rescored.spent.iter().take(STATEMENTS_SHOWN) {
        report.row([
            spent.statement.clone(),
            whole(spent.calls as f64),
            seconds(spent.elapsed),
            ratio(spent.elapsed.as_secs_f64(), rescored.elapsed.as_secs_f64() * 2.0),
        ]);
    }
    report.print();
}

async fn measure(server: &Server, accounts: u32) -> anyhow::Result<Rescored> {
    let database = server.database("bench_rescore").await?;
    let clock = ManualClock::at(customers::noon_of_last_day());
    let service = service::at_rest(&database, Arc::new(clock.clone())).await?;
    customers::move_in(&service, &database, accounts).await?;
    let aggregate = aggregate(&database, accounts).await?;

    progress("all again on the next day");
    statements::reset(&database.pool).await?;
    clock.set(start_of_day(clock.today() + TimeDelta::days(1)));
    let memory = MemoryWatch::start();
    let started = Instant::now();
    service::settle(&service).await?;
    let elapsed = started.elapsed();
    let resident_bytes_max = memory.stop();
    let spent = statements::spent(&database.pool).await?;

    let scored: i64 = sqlx::query_scalar("SELECT count(*) FROM scoring.health WHERE day = $1 AND score IS NOT NULL")
        .bind(clock.today())
        .fetch_one(&database.pool)
        .await?;
    ensure!(scored == i64::from(accounts), "{scored} of {accounts} accounts were scored");
    drop(service);
    database.pool.close().await;
    Ok(Rescored { accounts, elapsed, aggregate, resident_bytes_max, spent })
}

async fn aggregate(database: &Database, accounts: u32) -> anyhow::Result<Duration> {
    let mut samples = Samples::default();
    for _ in 0..AGGREGATE_REPEATS {
        let started = Instant::now();
        let (series, recent_sum, earlier_sum, _): (i64, i64, i64, f64) =
            sqlx::query_as(AGGREGATE).fetch_one(&database.pool).await?;
        samples.push(started.elapsed());
        let answer = Windows { series, recent_sum, earlier_sum };
        ensure!(answer == Windows::expected(accounts), "the aggregate is {answer:?}");
    }
    Ok(samples.median())
}

/// Looks at this process's memory again and again.
struct MemoryWatch {
    max: Arc<Mutex<Option<f64>>>,
    task: tokio::task::JoinHandle<()>,
}

impl MemoryWatch {
    fn start() -> Self {
        let max = Arc::new(Mutex::new(None));
        let seen = Arc::clone(&max);
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(MEMORY_INTERVAL);
            loop {
                ticks.tick().await;
                let now = resident_bytes();
                let mut max = seen.lock().unwrap_or_else(PoisonError::into_inner);
                *max = now.into_iter().chain(*max).reduce(f64::max);
            }
        });
        Self { max, task }
    }

    fn stop(self) -> Option<f64> {
        self.task.abort();
        *self.max.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
