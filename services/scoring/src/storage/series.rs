//! Days of series, a month in a row.
//!
//! A sum of a day is the sum of its new signals, added in any order; a level
//! of a day is the one with the latest event time, the larger of two at the
//! same time. Both come out the same in whatever order signals arrive.

use std::fmt::{Display, Write as _};

use chrono::NaiveDate;
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes::{series_kind, series_kind_number};
use super::series_deltas::{CountKey, SeriesDeltas};
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

pub(super) async fn add_counts(conn: &mut PgConnection, deltas: &SeriesDeltas<'_>) -> Result<(), StorageError> {
    let mut columns = CountColumns::default();
    let mut days_most = 0;
    for (key, sums) in &deltas.counts {
        let days = sums.map(|sum| (sum != 0).then_some(sum));
        let day_count = days.iter().flatten().count();
        if day_count > 0 {
            days_most = days_most.max(day_count);
            columns.push(key, days_literal(&days, |sum| *sum));
        }
    }
    match days_most {
        0 => Ok(()),
        // What comes in as it happens: yesterday's and today's.
        1 | 2 => add_to_two_days(conn, &columns).await,
        _ => add_to_all_days(conn, &columns).await,
    }
}

/// Adds to the first and the last day of each given month, between which nothing is to be added.
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

/// The columns of months of gauges, as `unnest` takes them.
#[derive(Default)]
struct LevelColumns<'a> {
    account_id: Vec<&'a str>,
    name: Vec<&'a str>,
    month: Vec<NaiveDate>,
    day_levels: Vec<String>,
    day_level_micros: Vec<String>,
}

async fn add_levels(conn: &mut PgConnection, deltas: &SeriesDeltas<'_>) -> Result<(), StorageError> {
    let mut columns = LevelColumns::default();
    let mut days_most = 0;
    for (key, days) in &deltas.gauges {
        days_most = days_most.max(days.iter().flatten().count());
        columns.account_id.push(key.account);
        columns.name.push(key.name);
        columns.month.push(key.month);
        columns.day_levels.push(days_literal(days, |(_, level)| *level));
        columns.day_level_micros.push(days_literal(days, |(micros, _)| *micros));
    }
    match days_most {
        0 => Ok(()),
        1 | 2 => set_two_days(conn, &columns).await,
        _ => set_all_days(conn, &columns).await,
    }
}

/// Sets the first and the last day of each given month, where they are newer. Compared with NULL, which is no level, all are.
async fn set_two_days(conn: &mut PgConnection, columns: &LevelColumns<'_>) -> Result<(), StorageError> {
    sqlx::query!(
        "INSERT INTO scoring.gauge_months AS stored (account_id, name, month, day_levels, day_level_micros)
         SELECT account_id, name, month, day_levels::float8[], day_level_micros::bigint[]
           FROM unnest($1::text[], $2::text[], $3::date[], $4::text[], $5::text[])
                AS given (account_id, name, month, day_levels, day_level_micros)
         ON CONFLICT (account_id, name, month) DO UPDATE SET
             day_levels[array_lower(excluded.day_levels, 1)] = CASE
                 WHEN (stored.day_level_micros[array_lower(excluded.day_levels, 1)],
                       stored.day_levels[array_lower(excluded.day_levels, 1)])
                      >= (excluded.day_level_micros[array_lower(excluded.day_levels, 1)],
                          excluded.day_levels[array_lower(excluded.day_levels, 1)])
                 THEN stored.day_levels[array_lower(excluded.day_levels, 1)]
                 ELSE excluded.day_levels[array_lower(excluded.day_levels, 1)] END,
             day_levels[array_upper(excluded.day_levels, 1)] = CASE
                 WHEN (stored.day_level_micros[array_upper(excluded.day_levels, 1)],
                       stored.day_levels[array_upper(excluded.day_levels, 1)])
                      >= (excluded.day_level_micros[array_upper(excluded.day_levels, 1)],
                          excluded.day_levels[array_upper(excluded.day_levels, 1)])
                 THEN stored.day_levels[array_upper(excluded.day_levels, 1)]
                 ELSE excluded.day_levels[array_upper(excluded.day_levels, 1)] END,
             day_level_micros[array_lower(excluded.day_levels, 1)] =
                 GREATEST(stored.day_level_micros[array_lower(excluded.day_levels, 1)],
                          excluded.day_level_micros[array_lower(excluded.day_levels, 1)]),
             day_level_micros[array_upper(excluded.day_levels, 1)] =
                 GREATEST(stored.day_level_micros[array_upper(excluded.day_levels, 1)],
                          excluded.day_level_micros[array_upper(excluded.day_levels, 1)])",
        &columns.account_id as &[&str],
        &columns.name as &[&str],
        &columns.month,
        &columns.day_levels,
        &columns.day_level_micros,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Sets day by day, where the given level is newer.
async fn set_all_days(conn: &mut PgConnection, columns: &LevelColumns<'_>) -> Result<(), StorageError> {
    sqlx::query!(
        "INSERT INTO scoring.gauge_months AS stored (account_id, name, month, day_levels, day_level_micros)
         SELECT account_id, name, month, day_levels::float8[], day_level_micros::bigint[]
           FROM unnest($1::text[], $2::text[], $3::date[], $4::text[], $5::text[])
                AS given (account_id, name, month, day_levels, day_level_micros)
         ON CONFLICT (account_id, name, month) DO UPDATE SET (day_levels, day_level_micros) = (
             SELECT array_agg(CASE
                        WHEN excluded.day_level_micros[place] IS NULL
                             OR (stored.day_level_micros[place], stored.day_levels[place])
                                >= (excluded.day_level_micros[place], excluded.day_levels[place])
                        THEN stored.day_levels[place] ELSE excluded.day_levels[place] END ORDER BY place),
                    array_agg(GREATEST(stored.day_level_micros[place], excluded.day_level_micros[place]) ORDER BY place)
               FROM generate_series(1, GREATEST(array_upper(stored.day_levels, 1), array_upper(excluded.day_levels, 1)))
                    AS days (place))",
        &columns.account_id as &[&str],
        &columns.name as &[&str],
        &columns.month,
        &columns.day_levels,
        &columns.day_level_micros,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The days from the first to the last that are set, as a PostgreSQL array whose bounds are their places in the month, from 1.
fn days_literal<T, V: Display>(days: &[Option<T>], value: impl Fn(&T) -> V) -> String {
    let first = days.iter().position(Option::is_some).unwrap_or(0);
    let last = days.iter().rposition(Option::is_some).unwrap_or(first);
    let mut literal = format!("[{}:{}]={{", first + 1, last + 1);
    for (place, day) in days[first..=last].iter().enumerate() {
        let separator = if place == 0 { "" } else { "," };
        let _ = match day {
            Some(day) => write!(literal, "{separator}{}", value(day)),
            None => write!(literal, "{separator}NULL"),
        };
    }
    literal.push('}');
    literal
}

/// A month of a count, as it is stored.
#[derive(Debug)]
pub(crate) struct CountMonth {
    pub account_id: String,
    pub kind: SeriesKind,
    pub name: String,
    pub month: NaiveDate,
    /// The day of the month, from 1, of the first sum.
    pub first_place: Option<i32>,
    pub day_sums: Vec<Option<i64>>,
}

/// A month of a gauge, as it is stored.
#[derive(Debug)]
pub(crate) struct GaugeMonth {
    pub account_id: String,
    pub name: String,
    pub month: NaiveDate,
    /// The day of the month, from 1, of the first level.
    pub first_place: Option<i32>,
    pub day_levels: Vec<Option<f64>>,
    pub day_level_micros: Vec<Option<i64>>,
}

/// All months of the counts of some accounts, an account's together.
pub(crate) async fn count_months(conn: &mut PgConnection, accounts: &[&str]) -> Result<Vec<CountMonth>, StorageError> {
    let rows = sqlx::query!(
        // A slice begins at 1, whatever the bounds of the array are; the driver takes no others.
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
                first_place: row.first_place,
                day_sums: row.day_sums,
            })
        })
        .collect()
}

/// All months of the gauges of some accounts, an account's together.
pub(crate) async fn gauge_months(conn: &mut PgConnection, accounts: &[&str]) -> Result<Vec<GaugeMonth>, StorageError> {
    Ok(sqlx::query_as!(
        GaugeMonth,
        r#"SELECT account_id, name, month, array_lower(day_levels, 1) AS first_place,
                  day_levels[:] AS "day_levels!: Vec<Option<f64>>",
                  day_level_micros[:] AS "day_level_micros!: Vec<Option<i64>>"
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
    fn days_are_written_with_the_bounds_of_those_that_are_set() {
        let mut days = [None; 31];
        days[16] = Some((9, 2.5));
        assert_eq!(days_literal(&days, |(_, level)| *level), "[17:17]={2.5}");
        days[18] = Some((12, -1.0));
        assert_eq!(days_literal(&days, |(_, level)| *level), "[17:19]={2.5,NULL,-1}");
        assert_eq!(days_literal(&days, |(micros, _)| *micros), "[17:19]={9,NULL,12}");
    }
}
