//! A row for each account, metric and day.

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::{DayColumns, Layout, Tally};
use crate::portfolio::{ACCOUNT_ID_SQL, METRIC_COUNT, VALUE_SQL, day};

pub(super) struct DayRows;

impl Layout for DayRows {
    const NAME: &'static str = "account, metric, day";
    const TABLE: &'static str = "day_rows";
    const CREATE: &'static str = r#"CREATE TABLE day_rows (
        account_id text COLLATE "C" NOT NULL,
        kind smallint NOT NULL,
        name text COLLATE "C" NOT NULL,
        day date NOT NULL,
        sum bigint NOT NULL,
        PRIMARY KEY (account_id, kind, name, day))"#;
    const READ: &'static str = "SELECT account_id, kind, name, day, sum FROM day_rows
        WHERE account_id = ANY($1::text[]) ORDER BY account_id, kind, name, day";
    const READ_ALL: &'static str = "SELECT account_id, kind, name, day, sum FROM day_rows";
    const AGGREGATE: Option<&'static str> = Some(
        "SELECT count(*), sum(recent)::bigint, sum(earlier)::bigint, avg(recent::float8 / earlier::float8)
           FROM (SELECT account_id, name,
                        sum(sum) FILTER (WHERE day > DATE '2026-03-31' - 28) AS recent,
                        sum(sum) FILTER (WHERE day <= DATE '2026-03-31' - 28) AS earlier
                   FROM day_rows WHERE day > DATE '2026-03-31' - 56 GROUP BY account_id, name) AS series",
    );

    /// Day by day, as days come in.
    fn load(accounts: u32, days: u32) -> String {
        format!(
            "INSERT INTO day_rows
             SELECT {ACCOUNT_ID_SQL}, 1, 'metric_' || metric, DATE '2026-01-01' + day, {VALUE_SQL}
               FROM generate_series(0, {days} - 1) AS day, generate_series(1, {accounts}) AS account,
                    generate_series(1, {METRIC_COUNT}) AS metric"
        )
    }

    fn tally(row: &PgRow, tally: &mut Tally) -> anyhow::Result<()> {
        let _: (&str, i16, &str, chrono::NaiveDate) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        tally.add(row.try_get(4)?);
        Ok(())
    }

    async fn add_day(conn: &mut PgConnection, accounts: &[u32], place: u32) -> anyhow::Result<()> {
        let columns = DayColumns::of(accounts, place);
        sqlx::query(
            "INSERT INTO day_rows AS stored (account_id, kind, name, day, sum)
             SELECT account_id, 1, name, $4, sum FROM unnest($1::text[], $2::text[], $3::bigint[])
                    AS given (account_id, name, sum)
             ON CONFLICT (account_id, kind, name, day) DO UPDATE SET sum = stored.sum + excluded.sum",
        )
        .bind(columns.account_id)
        .bind(columns.name)
        .bind(columns.value)
        .bind(day(place))
        .execute(conn)
        .await?;
        Ok(())
    }
}
