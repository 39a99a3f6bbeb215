//! A row for each account: all its days in one array, day by day, each with a number for each metric.

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::{Layout, Tally};
use crate::portfolio::{ACCOUNT_ID_SQL, METRIC_COUNT, VALUE_SQL, account_id, value};

pub(super) struct AccountArray;

impl Layout for AccountArray {
    const NAME: &'static str = "account (integer[])";
    const TABLE: &'static str = "account_arrays";
    const CREATE: &'static str = r#"CREATE TABLE account_arrays (
        account_id text COLLATE "C" PRIMARY KEY,
        first_day date NOT NULL,
        names text[] NOT NULL,
        sums integer[] NOT NULL) WITH (fillfactor = 80)"#;
    const READ: &'static str = "SELECT account_id, first_day, names, sums FROM account_arrays
        WHERE account_id = ANY($1::text[]) ORDER BY account_id";
    const READ_ALL: &'static str = "SELECT account_id, first_day, names, sums FROM account_arrays";
    const AGGREGATE: Option<&'static str> = Some(
        "SELECT count(*), sum(recent)::bigint, sum(earlier)::bigint, avg(recent::float8 / earlier::float8)
           FROM (SELECT account_id, (place - 1) % 3 AS metric,
                        sum(sum) FILTER (WHERE (place - 1) / 3 > 89 - 28) AS recent,
                        sum(sum) FILTER (WHERE (place - 1) / 3 <= 89 - 28) AS earlier
                   FROM account_arrays CROSS JOIN LATERAL unnest(sums) WITH ORDINALITY AS days (sum, place)
                  WHERE (place - 1) / 3 > 89 - 56
                  GROUP BY account_id, (place - 1) % 3) AS series",
    );

    fn load(accounts: u32, days: u32) -> String {
        format!(
            "INSERT INTO account_arrays
             SELECT {ACCOUNT_ID_SQL}, DATE '2026-01-01', ARRAY ['metric_1', 'metric_2', 'metric_3'],
                    ARRAY (SELECT {VALUE_SQL}
                             FROM generate_series(0, {days} - 1) AS day, generate_series(1, {METRIC_COUNT}) AS metric
                            ORDER BY day, metric)
               FROM generate_series(1, {accounts}) AS account"
        )
    }

    fn tally(row: &PgRow, tally: &mut Tally) -> anyhow::Result<()> {
        let _: (&str, chrono::NaiveDate, Vec<String>) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let sums: Vec<i32> = row.try_get(3)?;
        sums.into_iter().for_each(|sum| tally.add(sum.into()));
        Ok(())
    }

    /// Of a day that is the newest, which is the cheapest there is.
    async fn add_day(conn: &mut PgConnection, accounts: &[u32], day: u32) -> anyhow::Result<()> {
        let ids: Vec<String> = accounts.iter().map(|&account| account_id(account)).collect();
        let sums = |metric: u32| -> Vec<i64> { accounts.iter().map(|&account| value(account, metric, day)).collect() };
        sqlx::query(
            "UPDATE account_arrays AS stored SET sums = stored.sums || ARRAY [sum_1, sum_2, sum_3]::integer[]
               FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[])
                    AS given (account_id, sum_1, sum_2, sum_3)
              WHERE stored.account_id = given.account_id",
        )
        .bind(ids)
        .bind(sums(1))
        .bind(sums(2))
        .bind(sums(3))
        .execute(conn)
        .await?;
        Ok(())
    }
}
