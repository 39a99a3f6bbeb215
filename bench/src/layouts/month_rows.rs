//! A row for each account, metric and month, its days in an array: `count_months` of scoring.

use chrono::{Datelike, NaiveDate};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::{DayColumns, Layout, Tally};
use crate::portfolio::{ACCOUNT_ID_SQL, METRIC_COUNT, VALUE_SQL, day};

pub(super) struct MonthRows;

impl Layout for MonthRows {
    const NAME: &'static str = "account, metric, month";
    const TABLE: &'static str = "month_rows";
    const CREATE: &'static str = r#"CREATE TABLE month_rows (
        account_id text COLLATE "C" NOT NULL,
        kind smallint NOT NULL,
        name text COLLATE "C" NOT NULL,
        month date NOT NULL,
        day_sums bigint[] NOT NULL,
        PRIMARY KEY (account_id, kind, name, month)) WITH (fillfactor = 80)"#;
    const READ: &'static str = "SELECT account_id, kind, name, month, day_sums FROM month_rows
        WHERE account_id = ANY($1::text[]) ORDER BY account_id, kind, name, month";
    const READ_ALL: &'static str = "SELECT account_id, kind, name, month, day_sums FROM month_rows";
    const AGGREGATE: Option<&'static str> = Some(
        "SELECT count(*), sum(recent)::bigint, sum(earlier)::bigint, avg(recent::float8 / earlier::float8)
           FROM (SELECT account_id, name,
                        sum(sum) FILTER (WHERE month + place::integer - 1 > DATE '2026-03-31' - 28) AS recent,
                        sum(sum) FILTER (WHERE month + place::integer - 1 <= DATE '2026-03-31' - 28) AS earlier
                   FROM month_rows CROSS JOIN LATERAL unnest(day_sums) WITH ORDINALITY AS days (sum, place)
                  WHERE month >= date_trunc('month', DATE '2026-03-31' - 55)
                    AND month + place::integer - 1 > DATE '2026-03-31' - 56
                  GROUP BY account_id, name) AS series",
    );

    /// Month by month, as months come in.
    fn load(accounts: u32, days: u32) -> String {
        format!(
            "INSERT INTO month_rows
             SELECT {ACCOUNT_ID_SQL}, 1, 'metric_' || metric, month::date,
                    ARRAY (SELECT {VALUE_SQL}
                             FROM generate_series(month::date - DATE '2026-01-01',
                                      least((month + interval '1 month')::date - DATE '2026-01-01', {days}) - 1) AS day)
               FROM generate_series(timestamp '2026-01-01', DATE '2026-01-01' + {days} - 1, interval '1 month') AS month,
                    generate_series(1, {accounts}) AS account, generate_series(1, {METRIC_COUNT}) AS metric"
        )
    }

    fn tally(row: &PgRow, tally: &mut Tally) -> anyhow::Result<()> {
        let _: (&str, i16, &str, NaiveDate) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        let sums: Vec<i64> = row.try_get(4)?;
        sums.into_iter().for_each(|sum| tally.add(sum));
        Ok(())
    }

    /// The statement of scoring: the new day stands in a month of its own, which is added element by element.
    async fn add_day(conn: &mut PgConnection, accounts: &[u32], place: u32) -> anyhow::Result<()> {
        let columns = DayColumns::of(accounts, place);
        let day = day(place);
        let days_before = "0,".repeat(day.day0() as usize);
        let months: Vec<String> = columns.value.iter().map(|value| format!("{{{days_before}{value}}}")).collect();
        sqlx::query(
            "INSERT INTO month_rows AS stored (account_id, kind, name, month, day_sums)
             SELECT account_id, 1, name, $4, day_sums::bigint[]
               FROM unnest($1::text[], $2::text[], $3::text[]) AS given (account_id, name, day_sums)
             ON CONFLICT (account_id, kind, name, month) DO UPDATE SET day_sums = (
                 SELECT array_agg(COALESCE(known, 0) + COALESCE(added, 0) ORDER BY place)
                   FROM unnest(stored.day_sums, excluded.day_sums) WITH ORDINALITY AS days (known, added, place))",
        )
        .bind(columns.account_id)
        .bind(columns.name)
        .bind(months)
        .bind(day.with_day(1))
        .execute(conn)
        .await?;
        Ok(())
    }
}
