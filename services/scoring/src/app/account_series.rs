//! The series of accounts, from the months they are stored in.

use std::collections::HashMap;

use chrono::{Datelike, NaiveDate};
use sqlx::PgConnection;

use super::ScoringError;
use crate::domain::signal::SignalKind;
use crate::domain::{AccountSeries, DayNumber, Level, SeriesKey, SeriesKind, day_number};
use crate::storage::{codes, series};

/// The series of those of `ids` that have any.
pub(crate) async fn load_series(
    conn: &mut PgConnection,
    ids: &[&str],
) -> Result<HashMap<String, AccountSeries>, ScoringError> {
    let mut all: HashMap<String, AccountSeries> = HashMap::new();
    for month in series::count_months(conn, ids).await? {
        let key = SeriesKey { kind: count_kind(month.kind)?, name: month.name };
        let first = first_day(month.month);
        let days = (first..).zip(month.day_sums).filter(|(_, sum)| *sum != 0);
        all.entry(month.account_id).or_default().add_counts(&key, days);
    }
    for month in series::gauge_months(conn, ids).await? {
        let first = first_day(month.month);
        let levels = (first..)
            .zip(month.day_levels.into_iter().zip(month.day_level_micros))
            .filter_map(|(day, (level, event_micros))| Some(Level { day, level: level?, event_micros: event_micros? }));
        all.entry(month.account_id).or_default().add_levels(&month.name, levels);
    }
    Ok(all)
}

fn first_day(month: NaiveDate) -> DayNumber {
    day_number(month.with_day(1).unwrap_or(month))
}

fn count_kind(number: i16) -> Result<SeriesKind, ScoringError> {
    match SignalKind::of_number(number) {
        Some(SignalKind::Usage) => Ok(SeriesKind::Usage),
        Some(SignalKind::Activity) => Ok(SeriesKind::User),
        Some(SignalKind::FeatureUse) => Ok(SeriesKind::Feature),
        Some(SignalKind::Gauge) | None => Err(codes::corrupt(format!("count_months.kind {number}")).into()),
    }
}
