//! A row for each account: all its days in one string of bytes, four big-endian ones for each day and metric.

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::{Layout, Tally};
use crate::portfolio::{ACCOUNT_ID_SQL, METRIC_COUNT, VALUE_SQL, account_id, value};

pub(super) struct AccountBytes;

impl Layout for AccountBytes {
    const NAME: &'static str = "account (bytea)";
    const TABLE: &'static str = "account_bytes";
    const CREATE: &'static str = r#"CREATE TABLE account_bytes (
        account_id text COLLATE "C" PRIMARY KEY,
        first_day date NOT NULL,
        names text[] NOT NULL,
        sums bytea NOT NULL) WITH (fillfactor = 80)"#;
    const READ: &'static str = "SELECT account_id, first_day, names, sums FROM account_bytes
        WHERE account_id = ANY($1::text[]) ORDER BY account_id";
    const READ_ALL: &'static str = "SELECT account_id, first_day, names, sums FROM account_bytes";
    const AGGREGATE: Option<&'static str> = None;

    fn load(accounts: u32, days: u32) -> String {
        format!(
            "INSERT INTO account_bytes
             SELECT {ACCOUNT_ID_SQL}, DATE '2026-01-01', ARRAY ['metric_1', 'metric_2', 'metric_3'],
                    (SELECT string_agg(int4send({VALUE_SQL}), ''::bytea ORDER BY day, metric)
                       FROM generate_series(0, {days} - 1) AS day, generate_series(1, {METRIC_COUNT}) AS metric)
               FROM generate_series(1, {accounts}) AS account"
        )
    }

    fn tally(row: &PgRow, tally: &mut Tally) -> anyhow::Result<()> {
        let _: (&str, chrono::NaiveDate, Vec<String>) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let sums: &[u8] = row.try_get(3)?;
        let (sums, _) = sums.as_chunks::<4>();
        sums.iter().for_each(|&sum| tally.add(i32::from_be_bytes(sum).into()));
        Ok(())
    }

    /// Of a day that is the newest, which is the cheapest there is.
    async fn add_day(conn: &mut PgConnection, accounts: &[u32], day: u32) -> anyhow::Result<()> {
        let ids: Vec<String> = accounts.iter().map(|&account| account_id(account)).collect();
        let days: Vec<Vec<u8>> = accounts.iter().map(|&account| day_bytes(account, day)).collect::<Result<_, _>>()?;
        sqlx::query(
            "UPDATE account_bytes AS stored SET sums = stored.sums || given.sums
               FROM unnest($1::text[], $2::bytea[]) AS given (account_id, sums)
              WHERE stored.account_id = given.account_id",
        )
        .bind(ids)
        .bind(days)
        .execute(conn)
        .await?;
        Ok(())
    }
}

fn day_bytes(account: u32, day: u32) -> Result<Vec<u8>, std::num::TryFromIntError> {
    let mut bytes = Vec::new();
    for metric in 1..=METRIC_COUNT {
        bytes.extend(i32::try_from(value(account, metric, day))?.to_be_bytes());
    }
    Ok(bytes)
}
