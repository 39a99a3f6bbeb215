//! Days of series, a month in a row.
//!
//! A sum of a day is the sum of its new signals, added in any order; a level
//! of a day is the one with the latest event time, the larger of two at the
//! same time. Both come out the same in whatever order signals arrive.

use std::fmt::Write as _;

use chrono::NaiveDate;
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes::{series_kind, series_kind_number};
use super::series_deltas::{CountKey, DaySums, SeriesDeltas};
use crate::domain::SeriesKind;

/// Adds new signals to the days that are stored, rows in the order of their keys so that two callers wait for one another
/// instead of deadlocking.
pub(crate) async fn add(conn: &mut PgConnection, deltas: &SeriesDeltas<'_>) -> Result<(), StorageError> {
    add_counts(conn, deltas).await?;
    add_levels(conn, deltas).await
}

/// The columns of months of counts, as `unnest` takes them.
#[derive(Default)]
struct CountColumns<'a> {
    account_id: Vec<&'a str>,
    kind: Vec<i16>,
    name: Vec<&'a str>,
    month: Vec<NaiveDate>,
    day_sums: Vec<String>,
}

impl<'a> CountColumns<'a> {
    fn push(&mut self, key: &CountKey<'a>, day_sums: String) {
        self.account_id.push(key.account);
        self.kind.push(series_kind_number(key.kind));
        self.name.push(key.name);
        self.month.push(key.month);
        self.day_sums.push(day_sums);
    }
}

async fn add_counts(conn: &mut PgConnection, deltas: &SeriesDeltas<'_>) -> Result<(), StorageError> {
    let mut columns = CountColumns::default();
    let mut days_most = 0;
    for (key, sums) in &deltas.counts {
        if let Some(literal) = sums_literal(sums) {
            days_most = days_most.max(sums.iter().filter(|&&sum| sum != 0).count());
            columns.push(key, literal);
        }
    }
    match days_most {
        0 => Ok(()),
        // What comes in as it happens: yesterday's and today's.
        1 | 2 => add_to_two_days(conn, &columns).await,
        _ => add_to_all_days(conn, &columns).await,
    }
}

/// Adds to the first and the last day of each given array, between which nothing is to be added.
async fn add_to_two_days(conn: &mut PgConnection, columns: &CountColumns<'_>) -> Result<(), StorageError> {
    sqlx::query!(
        "INSERT INTO scoring.count_months AS stored (account_id, kind, name, month, day_sums)
         SELECT account_id, kind, name, month, day_sums::bigint[]
           FROM unnest($1::text[], $2::smallint[], $3::text[], $4::date[], $5::text[])
                AS given (account_id, kind, name, month, day_sums)
         ON CONFLICT (account_id, kind, name, month) DO UPDATE SET
             day_sums[array_lower(excluded.day_sums, 1)] =
                 COALESCE(stored.day_sums[array_lower(excluded.day_sums, 1)], 0)
                 + excluded.day_sums[array_lower(excluded.day_sums, 1)],
             day_sums[array_upper(excluded.day_sums, 1)] =
                 COALESCE(stored.day_sums[array_upper(excluded.day_sums, 1)], 0)
                 + excluded.day_sums[array_upper(excluded.day_sums, 1)]",
        &columns.account_id as &[&str],
        &columns.kind,
        &columns.name as &[&str],
        &columns.month,
        &columns.day_sums,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Adds day by day: dearer, for the array is taken apart and put together again.
async fn add_to_all_days(conn: &mut PgConnection, columns: &CountColumns<'_>) -> Result<(), StorageError> {
    sqlx::query!(
        "INSERT INTO scoring.count_months AS stored (account_id, kind, name, month, day_sums)
         SELECT account_id, kind, name, month, day_sums::bigint[]
           FROM unnest($1::text[], $2::smallint[], $3::text[], $4::date[], $5::text[])
                AS given (account_id, kind, name, month, day_sums)
         ON CONFLICT (account_id, kind, name, month) DO UPDATE SET day_sums = ARRAY(
             SELECT COALESCE(stored.day_sums[place], 0) + COALESCE(excluded.day_sums[place], 0)
               FROM generate_series(1, GREATEST(array_upper(stored.day_sums, 1), array_upper(excluded.day_sums, 1)))
                    AS days (place)
              ORDER BY place)",
        &columns.account_id as &[&str],
        &columns.kind,
        &columns.name as &[&str],
        &columns.month,
        &columns.day_sums,
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn add_levels(conn: &mut PgConnection, deltas: &SeriesDeltas<'_>) -> Result<(), StorageError> {
    if deltas.gauges.is_empty() {
        return Ok(());
    }
    let accounts: Vec<&str> = deltas.gauges.keys().map(|key| key.account).collect();
    let names: Vec<&str> = deltas.gauges.keys().map(|key| key.name).collect();
    let months: Vec<NaiveDate> = deltas.gauges.keys().map(|key| key.month).collect();
    let levels: Vec<String> =
        deltas.gauges.values().map(|days| levels_literal(days, |(_, level)| level.to_string())).collect();
    let micros: Vec<String> =
        deltas.gauges.values().map(|days| levels_literal(days, |(micros, _)| micros.to_string())).collect();
    sqlx::query!(
        "INSERT INTO scoring.gauge_months AS stored (account_id, name, month, day_levels, day_level_micros)
         SELECT account_id, name, month, day_levels::float8[], day_level_micros::bigint[]
           FROM unnest($1::text[], $2::text[], $3::date[], $4::text[], $5::text[])
                AS given (account_id, name, month, day_levels, day_level_micros)
         ON CONFLICT (account_id, name, month) DO UPDATE SET (day_levels, day_level_micros) = (
             SELECT array_agg(CASE WHEN newer THEN added ELSE known END ORDER BY place),
                    array_agg(CASE WHEN newer THEN added_at ELSE known_at END ORDER BY place)
               FROM (SELECT *, added_at IS NOT NULL
                               AND (known_at IS NULL OR added_at > known_at OR (added_at = known_at AND added > known))
                               AS newer
                       FROM unnest(stored.day_levels, stored.day_level_micros,
                                   excluded.day_levels, excluded.day_level_micros)
                            WITH ORDINALITY AS days (known, known_at, added, added_at, place)) AS merged)",
        &accounts as &[&str],
        &names as &[&str],
        &months,
        &levels,
        &micros,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The days from the first to the last with a sum, as a PostgreSQL array whose bounds are their places in the month, from 1;
/// none without a sum.
fn sums_literal(sums: &DaySums) -> Option<String> {
    let first = sums.iter().position(|&sum| sum != 0)?;
    let last = sums.iter().rposition(|&sum| sum != 0)?;
    let mut literal = format!("[{}:{}]={{{}", first + 1, last + 1, sums[first]);
    for sum in &sums[first + 1..=last] {
        let _ = write!(literal, ",{sum}");
    }
    literal.push('}');
    Some(literal)
}

/// A month's levels, or their times, as a PostgreSQL array without the empty days at its end.
fn levels_literal(days: &[Option<(i64, f64)>], text: impl Fn(&(i64, f64)) -> String) -> String {
    let length = days.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    let texts: Vec<String> =
        days[..length].iter().map(|day| day.as_ref().map_or_else(|| "NULL".to_owned(), &text)).collect();
    format!("{{{}}}", texts.join(","))
}

/// A month of a count, as it is stored.
#[derive(Debug)]
pub(crate) struct CountMonth {
    pub account_id: String,
    pub kind: SeriesKind,
    pub name: String,
    pub month: NaiveDate,
    /// The day of the month, from 1, of the first sum.
    pub first_place: i32,
    pub day_sums: Vec<Option<i64>>,
}

/// A month of a gauge, as it is stored.
#[derive(Debug)]
pub(crate) struct GaugeMonth {
    pub account_id: String,
    pub name: String,
    pub month: NaiveDate,
    pub day_levels: Vec<Option<f64>>,
    pub day_level_micros: Vec<Option<i64>>,
}

/// All months of the counts of some accounts, an account's together.
pub(crate) async fn count_months(conn: &mut PgConnection, accounts: &[&str]) -> Result<Vec<CountMonth>, StorageError> {
    let rows = sqlx::query!(
        // A slice begins at 1, whatever the bounds of the array are.
        r#"SELECT account_id, kind, name, month, array_lower(day_sums, 1) AS first_place,
                  day_sums[:] AS "day_sums!: Vec<Option<i64>>"
             FROM scoring.count_months
            WHERE account_id = ANY($1::text[]) ORDER BY account_id, kind, name, month"#,
        accounts as &[&str]
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(CountMonth {
                account_id: row.account_id,
                kind: series_kind(row.kind)?,
                name: row.name,
                month: row.month,
                first_place: row.first_place.unwrap_or(1),
                day_sums: row.day_sums,
            })
        })
        .collect()
}

/// All months of the gauges of some accounts, an account's together.
pub(crate) async fn gauge_months(conn: &mut PgConnection, accounts: &[&str]) -> Result<Vec<GaugeMonth>, StorageError> {
    Ok(sqlx::query_as!(
        GaugeMonth,
        r#"SELECT account_id, name, month, day_levels AS "day_levels: Vec<Option<f64>>",
                  day_level_micros AS "day_level_micros: Vec<Option<i64>>"
             FROM scoring.gauge_months
            WHERE account_id = ANY($1::text[]) ORDER BY account_id, name, month"#,
        accounts as &[&str]
    )
    .fetch_all(conn)
    .await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_written_with_the_bounds_of_their_days() {
        let mut sums = [0; 31];
        assert_eq!(sums_literal(&sums), None);
        sums[16] = 5;
        assert_eq!(sums_literal(&sums).as_deref(), Some("[17:17]={5}"));
        sums[18] = 7;
        assert_eq!(sums_literal(&sums).as_deref(), Some("[17:19]={5,0,7}"));
    }

    #[test]
    fn levels_are_written_up_to_the_last_day() {
        let mut days = [None; 31];
        days[1] = Some((9, 2.5));
        assert_eq!(levels_literal(&days, |(_, level)| level.to_string()), "{NULL,2.5}");
        assert_eq!(levels_literal(&days, |(micros, _)| micros.to_string()), "{NULL,9}");
    }
}
