//! The days on which any account sent a signal of a series.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes::{series_kind, series_kind_number};
use crate::domain::{SeriesKey, SeriesKind};

/// A day on which some account sent a signal of a series; with an empty name, of any series of the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PulseDay<'a> {
    pub kind: SeriesKind,
    pub name: &'a str,
    pub day: NaiveDate,
}

/// A day that was added to those of a series, and the days nearest to it that were there before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewPulseDay {
    pub series: SeriesKey,
    pub day: NaiveDate,
    pub day_before: Option<NaiveDate>,
    pub day_after: Option<NaiveDate>,
}

/// Adds days; answers those that were not known. Rows go in in the order of their keys.
pub(crate) async fn add(
    conn: &mut PgConnection,
    days: &BTreeSet<PulseDay<'_>>,
) -> Result<Vec<NewPulseDay>, StorageError> {
    let kinds: Vec<i16> = days.iter().map(|pulse| series_kind_number(pulse.kind)).collect();
    let names: Vec<&str> = days.iter().map(|pulse| pulse.name).collect();
    let dates: Vec<NaiveDate> = days.iter().map(|pulse| pulse.day).collect();
    let rows = sqlx::query!(
        // One statement: what is looked up is what was there before, without the days that are added beside.
        r#"WITH added AS (
               INSERT INTO scoring.series_days (kind, name, day)
               SELECT kind, name, day FROM unnest($1::smallint[], $2::text[], $3::date[]) AS given (kind, name, day)
               ON CONFLICT DO NOTHING
               RETURNING kind, name, day)
           SELECT kind, name, day,
                  (SELECT max(known.day) FROM scoring.series_days AS known
                    WHERE known.kind = added.kind AND known.name = added.name AND known.day < added.day) AS day_before,
                  (SELECT min(known.day) FROM scoring.series_days AS known
                    WHERE known.kind = added.kind AND known.name = added.name AND known.day > added.day) AS day_after
             FROM added"#,
        &kinds,
        &names as &[&str],
        &dates,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let series = SeriesKey { kind: series_kind(row.kind)?, name: row.name };
            Ok(NewPulseDay { series, day: row.day, day_before: row.day_before, day_after: row.day_after })
        })
        .collect()
}

/// The series of which any account sent a signal from `first` to `last`.
pub(crate) async fn series_between(
    conn: &mut PgConnection,
    first: NaiveDate,
    last: NaiveDate,
) -> Result<BTreeSet<SeriesKey>, StorageError> {
    let rows =
        sqlx::query!("SELECT DISTINCT kind, name FROM scoring.series_days WHERE day BETWEEN $1 AND $2", first, last,)
            .fetch_all(conn)
            .await?;
    rows.into_iter().map(|row| Ok(SeriesKey { kind: series_kind(row.kind)?, name: row.name })).collect()
}

/// The days of some series from `first` to `last`, and of each series the last day before.
pub(crate) async fn load(
    conn: &mut PgConnection,
    series: &BTreeSet<SeriesKey>,
    first: NaiveDate,
    last: NaiveDate,
) -> Result<Vec<(SeriesKey, NaiveDate)>, StorageError> {
    let kinds: Vec<i16> = series.iter().map(|key| series_kind_number(key.kind)).collect();
    let names: Vec<&str> = series.iter().map(|key| key.name.as_str()).collect();
    let rows = sqlx::query!(
        r#"SELECT wanted.kind AS "kind!", wanted.name AS "name!", days.day AS "day!"
             FROM unnest($1::smallint[], $2::text[]) AS wanted (kind, name),
                  LATERAL (SELECT day FROM scoring.series_days AS known
                            WHERE known.kind = wanted.kind AND known.name = wanted.name AND day BETWEEN $3 AND $4
                            UNION ALL
                           SELECT max(day) FROM scoring.series_days AS known
                            WHERE known.kind = wanted.kind AND known.name = wanted.name AND day < $3) AS days
            WHERE days.day IS NOT NULL"#,
        &kinds,
        &names as &[&str],
        first,
        last,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok((SeriesKey { kind: series_kind(row.kind)?, name: row.name }, row.day))).collect()
}
