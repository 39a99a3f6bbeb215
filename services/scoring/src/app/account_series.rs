//! The series of accounts, from the months they are stored in.

use std::collections::HashMap;

use chrono::{Datelike, NaiveDate};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::ScoringError;
use crate::domain::story_series::StoryRow;
use crate::domain::{AccountSeries, DayNumber, Level, SeriesKey, SeriesKind, day_number};
use crate::storage::peers;
use crate::storage::series::{self, CountMonth};

/// The series of those of `ids` that have any.
pub(crate) async fn load_series(
    conn: &mut PgConnection,
    ids: &[&str],
) -> Result<HashMap<String, AccountSeries>, ScoringError> {
    let mut all: HashMap<String, AccountSeries> = HashMap::new();
    for month in series::count_months(conn, ids).await? {
        add_count_month(&mut all, month)?;
    }
    for month in series::gauge_months(conn, ids).await? {
        let first = first_day(month.month, month.first_place);
        let levels = (first..)
            .zip(month.day_levels.into_iter().zip(month.day_level_micros))
            .filter_map(|(day, (level, event_micros))| Some(Level { day, level: level?, event_micros: event_micros? }));
        all.entry(month.account_id).or_default().add_levels(&month.name, levels);
    }
    Ok(all)
}

/// The counts of those of `ids` that have any, from the month of a day on.
pub(super) async fn load_counts_since(
    conn: &mut PgConnection,
    ids: &[&str],
    day: NaiveDate,
) -> Result<HashMap<String, AccountSeries>, ScoringError> {
    let mut all = HashMap::new();
    for month in peers::count_months_since(conn, ids, day.with_day(1).unwrap_or(day)).await? {
        add_count_month(&mut all, month)?;
    }
    Ok(all)
}

fn add_count_month(all: &mut HashMap<String, AccountSeries>, month: CountMonth) -> Result<(), StorageError> {
    let key = SeriesKey { kind: month.kind, name: month.name };
    let first = first_day(month.month, month.first_place);
    let days = (first..).zip(month.day_sums).filter_map(|(day, sum)| Some((day, sum.filter(|&sum| sum != 0)?)));
    let series = all.entry(month.account_id).or_default();
    if key.kind == SeriesKind::Story {
        let row = StoryRow::parse(&key.name);
        let row = row.ok_or_else(|| StorageError::Corrupt(format!("story row {}", key.name)))?;
        series.add_story_days(row, &days.collect::<Vec<_>>());
    } else {
        series.add_counts(&key, days);
    }
    Ok(())
}

/// The day at a place of a month, from 1; an empty array has no place.
fn first_day(month: NaiveDate, place: Option<i32>) -> DayNumber {
    day_number(month.with_day(1).unwrap_or(month)) + place.unwrap_or(1) - 1
}
