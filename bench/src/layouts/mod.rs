//! How days of a series may be stored: the comparison behind `docs/adr/0005-days-of-a-month-in-a-row.md`.

mod account_array;
mod account_bytes;
mod day_rows;
mod month_rows;

use std::time::{Duration, Instant};

use anyhow::ensure;
use futures::TryStreamExt;
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use crate::database::{Database, Server};
use crate::duckdb;
use crate::portfolio::{DAY_COUNT, METRIC_COUNT, Windows, account_id, value};
use crate::report::{Report, megabytes, millis, progress, ratio, seconds};
use crate::samples::Samples;

/// Accounts whose new day is written by one statement.
const UPSERT_ACCOUNTS: u32 = 5_000;
/// Accounts read at once, as the scoring workers do.
const READ_ACCOUNTS: u32 = 500;
/// The aggregate is run this often, and the median reported.
const AGGREGATE_REPEATS: usize = 3;

/// A way to store the days of all series in one table.
trait Layout {
    /// What a row is.
    const NAME: &'static str;
    /// The table's name.
    const TABLE: &'static str;
    /// Creates the table.
    const CREATE: &'static str;
    /// Reads the days of the accounts `$1`, an account's together.
    const READ: &'static str;
    /// Reads the days of all accounts.
    const READ_ALL: &'static str;
    /// Counts the series, and sums up their 28 days to the last and the 28 before. `None`: not possible in SQL.
    const AGGREGATE: Option<&'static str>;

    /// Inserts the first `days` days of accounts 1 to `accounts`.
    fn load(accounts: u32, days: u32) -> String;

    /// Adds a row that was read to the sum of all days.
    fn tally(row: &PgRow, tally: &mut Tally) -> anyhow::Result<()>;

    /// Adds the values of a day of each of these accounts.
    async fn add_day(conn: &mut PgConnection, accounts: &[u32], day: u32) -> anyhow::Result<()>;
}

/// What was read: the same whatever the layout.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    days: u64,
    sum: i64,
}

impl Tally {
    fn add(&mut self, value: i64) {
        self.days += 1;
        self.sum += value;
    }

    fn expected(accounts: u32) -> Self {
        let mut tally = Self::default();
        for account in 1..=accounts {
            for metric in 1..=METRIC_COUNT {
                for day in 0..DAY_COUNT {
                    tally.add(value(account, metric, day));
                }
            }
        }
        tally
    }
}

struct Measured {
    name: &'static str,
    size_bytes: f64,
    size_after_bytes: f64,
    read_all: Duration,
    read_batches: Duration,
    aggregate: Option<Duration>,
    upsert: Duration,
}

/// Compares the layouts on so many accounts.
pub(crate) async fn run(server: &Server, accounts: u32) -> anyhow::Result<()> {
    let expected = Tally::expected(accounts);
    let measured = [
        measure::<day_rows::DayRows>(server, accounts, &expected).await?,
        measure::<month_rows::MonthRows>(server, accounts, &expected).await?,
        measure::<account_array::AccountArray>(server, accounts, &expected).await?,
        measure::<account_bytes::AccountBytes>(server, accounts, &expected).await?,
    ];
    let duckdb = duckdb::measure(accounts, AGGREGATE_REPEATS).await?;

    let mut report = Report::new(
        format!("Layouts of days: {accounts} accounts × {METRIC_COUNT} metrics × {DAY_COUNT} days"),
        &[
            "a row is",
            "on disk",
            "after a day's upserts",
            "read out whole",
            "read out by 500 accounts",
            "ratio",
            "one SQL aggregate",
            "upsert of 5 000 accounts' day",
        ],
    );
    let reference = measured[1].read_batches.as_secs_f64();
    for layout in &measured {
        report.row([
            layout.name.to_owned(),
            megabytes(layout.size_bytes),
            megabytes(layout.size_after_bytes),
            seconds(layout.read_all),
            seconds(layout.read_batches),
            ratio(layout.read_batches.as_secs_f64(), reference),
            layout.aggregate.map_or_else(|| "–".to_owned(), seconds),
            millis(layout.upsert),
        ]);
    }
    if let Some(duckdb) = duckdb {
        ensure!(duckdb.windows() == Windows::expected(accounts), "DuckDB's sums are others: {duckdb:?}");
        report.row([
            format!("account, metric, day in Parquet (DuckDB {})", duckdb.version),
            megabytes(duckdb.parquet_bytes),
            "–".to_owned(),
            "–".to_owned(),
            "–".to_owned(),
            "–".to_owned(),
            seconds(duckdb.aggregate()),
            "–".to_owned(),
        ]);
    }
    report.print();
    Ok(())
}

async fn measure<L: Layout>(server: &Server, accounts: u32, expected: &Tally) -> anyhow::Result<Measured> {
    progress(&format!("a row is {}: load", L::NAME));
    let database = server.database("bench_layouts").await?;
    database.run(L::CREATE).await?;
    database.run(L::load(accounts, DAY_COUNT - 1)).await?;
    let vacuum = format!("VACUUM (ANALYZE) {}", L::TABLE);
    database.run(vacuum.clone()).await?;
    let size_bytes = database.size_bytes(L::TABLE).await?;

    progress("upserts of the last day");
    let upsert = upsert_last_day::<L>(&database, accounts).await?;
    let size_after_bytes = database.size_bytes(L::TABLE).await?;
    database.run(vacuum).await?;

    progress("reading");
    let (read_all, tally) = read_all::<L>(&database).await?;
    ensure!(tally == *expected, "read {tally:?} instead of {expected:?}");
    let (read_batches, tally) = read_batches::<L>(&database, accounts).await?;
    ensure!(tally == *expected, "read {tally:?} in batches instead of {expected:?}");

    progress("aggregating");
    let aggregate = match L::AGGREGATE {
        Some(sql) => Some(aggregate(&database, sql, Windows::expected(accounts)).await?),
        None => None,
    };
    database.pool.close().await;
    Ok(Measured { name: L::NAME, size_bytes, size_after_bytes, read_all, read_batches, aggregate, upsert })
}

async fn upsert_last_day<L: Layout>(database: &Database, accounts: u32) -> anyhow::Result<Duration> {
    let mut conn = database.pool.acquire().await?;
    let mut samples = Samples::default();
    let all: Vec<u32> = (1..=accounts).collect();
    for batch in all.chunks(UPSERT_ACCOUNTS as usize) {
        let started = Instant::now();
        L::add_day(&mut conn, batch, DAY_COUNT - 1).await?;
        samples.push(started.elapsed());
    }
    Ok(samples.median())
}

async fn read_all<L: Layout>(database: &Database) -> anyhow::Result<(Duration, Tally)> {
    let mut conn = database.pool.acquire().await?;
    let started = Instant::now();
    let mut tally = Tally::default();
    let mut rows = sqlx::query(L::READ_ALL).fetch(&mut *conn);
    while let Some(row) = rows.try_next().await? {
        L::tally(&row, &mut tally)?;
    }
    Ok((started.elapsed(), tally))
}

async fn read_batches<L: Layout>(database: &Database, accounts: u32) -> anyhow::Result<(Duration, Tally)> {
    let mut conn = database.pool.acquire().await?;
    let ids: Vec<String> = (1..=accounts).map(account_id).collect();
    let started = Instant::now();
    let mut tally = Tally::default();
    for batch in ids.chunks(READ_ACCOUNTS as usize) {
        for row in sqlx::query(L::READ).bind(batch).fetch_all(&mut *conn).await? {
            L::tally(&row, &mut tally)?;
        }
    }
    Ok((started.elapsed(), tally))
}

async fn aggregate(database: &Database, sql: &'static str, expected: Windows) -> anyhow::Result<Duration> {
    let mut samples = Samples::default();
    for _ in 0..AGGREGATE_REPEATS {
        let started = Instant::now();
        let (series, recent_sum, earlier_sum, _): (i64, i64, i64, f64) =
            sqlx::query_as(sql).fetch_one(&database.pool).await?;
        samples.push(started.elapsed());
        let answer = Windows { series, recent_sum, earlier_sum };
        ensure!(answer == expected, "the aggregate is {answer:?} instead of {expected:?}");
    }
    Ok(samples.median())
}

/// Columns of one value for each account and metric, as `unnest` takes them.
#[derive(Default)]
struct DayColumns {
    account_id: Vec<String>,
    name: Vec<String>,
    value: Vec<i64>,
}

impl DayColumns {
    fn of(accounts: &[u32], day: u32) -> Self {
        let mut columns = Self::default();
        for &account in accounts {
            for metric in 1..=METRIC_COUNT {
                columns.account_id.push(account_id(account));
                columns.name.push(crate::portfolio::metric_name(metric));
                columns.value.push(value(account, metric, day));
            }
        }
        columns
    }
}
