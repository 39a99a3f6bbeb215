//! The rows of signals into a table that nobody else knows.

use std::time::{Duration, Instant};

use anyhow::ensure;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use tokio::task::JoinSet;

use crate::copy::CopyRows;
use crate::customers::noon_of_last_day;
use crate::database::{Database, Server};
use crate::signals::SignalRow;

const COLUMNS: i16 = 10;
const CREATE: &str = r#"CREATE TABLE plain_signals (
    account_id text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    source_id text COLLATE "C" NOT NULL,
    kind smallint NOT NULL,
    event_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    name text COLLATE "C" NOT NULL,
    user_id text COLLATE "C",
    amount bigint,
    level double precision,
    PRIMARY KEY (account_id, source, source_id))"#;
const SECOND_INDEX: &str = "CREATE INDEX plain_signals_by_time ON plain_signals (account_id, event_at)";

macro_rules! insert {
    ($tail:literal) => {
        concat!(
            "INSERT INTO plain_signals
                 (account_id, source, source_id, kind, event_at, recorded_at, name, user_id, amount, level)
             SELECT account_id, $9, source_id, kind, event_at, $8, name, user_id, amount, level
               FROM unnest($1::text[], $2::text[], $3::smallint[], $4::timestamptz[], $5::text[], $6::text[],
                           $7::bigint[], $10::float8[])
                    AS given (account_id, source_id, kind, event_at, name, user_id, amount, level)
             ON CONFLICT DO NOTHING",
            $tail
        )
    };
}

/// An empty table of its own database.
pub(super) struct PlainTable(Database);

impl PlainTable {
    /// Made anew.
    pub(super) async fn create(server: &Server) -> anyhow::Result<Self> {
        let database = server.database("bench_plain").await?;
        database.run(CREATE).await?;
        Ok(Self(database))
    }

    async fn expect(&self, rows: usize) -> anyhow::Result<()> {
        let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM plain_signals").fetch_one(&self.0.pool).await?;
        ensure!(usize::try_from(stored)? == rows, "{stored} of {rows} rows are stored");
        Ok(())
    }
}

/// How an INSERT of a batch is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Insert {
    Plain,
    /// Returns the keys of the rows that were new.
    Returning,
    /// As `Returning`, into a table with the index by time that signals have.
    SecondIndex,
}

impl Insert {
    /// In words.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "INSERT … unnest ON CONFLICT",
            Self::Returning => "the same, RETURNING the keys",
            Self::SecondIndex => "the same, with the index by time",
        }
    }
}

/// Copies the batches, one COPY a connection.
pub(super) async fn copy(
    table: &PlainTable,
    batches: &[Vec<SignalRow>],
    connections: usize,
) -> anyhow::Result<Duration> {
    let mut running = JoinSet::new();
    let started = Instant::now();
    for connection in 0..connections {
        let mut conn = table.0.pool.acquire().await?;
        let mine: Vec<Vec<SignalRow>> = batches.iter().skip(connection).step_by(connections).cloned().collect();
        running.spawn(async move {
            let mut copy = conn.copy_in_raw("COPY plain_signals FROM STDIN (FORMAT binary)").await?;
            copy.send(CopyRows::header().into_bytes()).await?;
            for batch in mine {
                copy.send(encode(&batch)).await?;
            }
            copy.send(CopyRows::trailer()).await?;
            anyhow::Ok(copy.finish().await?)
        });
    }
    while let Some(copied) = running.join_next().await {
        copied??;
    }
    let elapsed = started.elapsed();
    table.expect(batches.iter().map(Vec::len).sum()).await?;
    Ok(elapsed)
}

fn encode(batch: &[SignalRow]) -> Vec<u8> {
    let recorded_at = noon_of_last_day();
    let mut rows = CopyRows::default();
    for signal in batch {
        rows.row(COLUMNS)
            .text(&signal.account_id)
            .text(SignalRow::SOURCE)
            .text(&signal.source_id)
            .field(Some(&signal.kind.to_be_bytes()))
            .time(signal.event_at)
            .time(recorded_at)
            .text(&signal.name)
            .field(signal.user_id.as_deref().map(str::as_bytes))
            .field(signal.amount.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice))
            .field(signal.level.map(f64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
    }
    rows.into_bytes()
}

/// Inserts the batches, a statement and a transaction each.
pub(super) async fn insert(
    table: &PlainTable,
    batches: &[Vec<SignalRow>],
    insert: Insert,
    connections: usize,
) -> anyhow::Result<Duration> {
    if insert == Insert::SecondIndex {
        table.0.run(SECOND_INDEX).await?;
    }
    let mut running = JoinSet::new();
    let started = Instant::now();
    for connection in 0..connections {
        let mut conn = table.0.pool.acquire().await?;
        let mine: Vec<Vec<SignalRow>> = batches.iter().skip(connection).step_by(connections).cloned().collect();
        running.spawn(async move {
            for batch in mine {
                insert_batch(&mut conn, &batch, insert).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(inserted) = running.join_next().await {
        inserted??;
    }
    let elapsed = started.elapsed();
    table.expect(batches.iter().map(Vec::len).sum()).await?;
    Ok(elapsed)
}

/// In the order of their keys, as the service does it.
async fn insert_batch(conn: &mut PgConnection, batch: &[SignalRow], insert: Insert) -> anyhow::Result<()> {
    let mut rows: Vec<&SignalRow> = batch.iter().collect();
    rows.sort_by(|left, right| (&left.account_id, &left.source_id).cmp(&(&right.account_id, &right.source_id)));
    let account_ids: Vec<&str> = rows.iter().map(|row| row.account_id.as_str()).collect();
    let source_ids: Vec<&str> = rows.iter().map(|row| row.source_id.as_str()).collect();
    let kinds: Vec<i16> = rows.iter().map(|row| row.kind).collect();
    let times: Vec<DateTime<Utc>> = rows.iter().map(|row| row.event_at).collect();
    let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    let users: Vec<Option<&str>> = rows.iter().map(|row| row.user_id.as_deref()).collect();
    let amounts: Vec<Option<i64>> = rows.iter().map(|row| row.amount).collect();
    let levels: Vec<Option<f64>> = rows.iter().map(|row| row.level).collect();
    let sql = match insert {
        Insert::Plain => insert!(""),
        Insert::Returning | Insert::SecondIndex => insert!(" RETURNING account_id, source, source_id"),
    };
    let query = sqlx::query(sql)
        .bind(account_ids)
        .bind(source_ids)
        .bind(kinds)
        .bind(times)
        .bind(names)
        .bind(users)
        .bind(amounts)
        .bind(noon_of_last_day())
        .bind(SignalRow::SOURCE)
        .bind(levels);
    match insert {
        Insert::Plain => {
            query.execute(conn).await?;
        }
        Insert::Returning | Insert::SecondIndex => {
            query.fetch_all(conn).await?;
        }
    }
    Ok(())
}

/// Inserts rows one by one, a transaction each.
pub(super) async fn insert_singly(table: &PlainTable, rows: &[SignalRow]) -> anyhow::Result<Duration> {
    let mut conn = table.0.pool.acquire().await?;
    let started = Instant::now();
    for row in rows {
        sqlx::query(
            "INSERT INTO plain_signals
                 (account_id, source, source_id, kind, event_at, recorded_at, name, user_id, amount, level)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
        )
        .bind(&row.account_id)
        .bind(SignalRow::SOURCE)
        .bind(&row.source_id)
        .bind(row.kind)
        .bind(row.event_at)
        .bind(noon_of_last_day())
        .bind(&row.name)
        .bind(&row.user_id)
        .bind(row.amount)
        .bind(row.level)
        .execute(&mut *conn)
        .await?;
    }
    let elapsed = started.elapsed();
    table.expect(rows.len()).await?;
    Ok(elapsed)
}
