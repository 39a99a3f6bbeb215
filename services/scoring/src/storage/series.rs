//! Days of series, a month in a row.
//!
//! A sum of a day is the sum of its new signals, added in any order; a level
//! of a day is the one with the latest event time, the larger of two at the
//! same time. Both come out the same in whatever order signals arrive.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use crate::domain::signal::{Payload, Signal, SignalKind};

/// What new signals add, by the rows they go into.
#[derive(Debug, Default)]
pub(crate) struct SeriesDeltas<'a> {
    counts: BTreeMap<CountKey<'a>, [i64; 31]>,
    gauges: BTreeMap<GaugeKey<'a>, [Option<(i64, f64)>; 31]>,
    days: BTreeSet<(i16, &'a str, NaiveDate)>,
    first_days: BTreeMap<&'a str, NaiveDate>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct CountKey<'a> {
    account: &'a str,
    kind: i16,
    name: &'a str,
    month: NaiveDate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct GaugeKey<'a> {
    account: &'a str,
    name: &'a str,
    month: NaiveDate,
}

/// First day of the month and place of the day in it, from 0.
fn month_and_place(day: NaiveDate) -> (NaiveDate, usize) {
    (day.with_day(1).unwrap_or(day), day.day0() as usize)
}

impl<'a> SeriesDeltas<'a> {
    /// What these signals, all of them new, add.
    pub(crate) fn of(signals: impl IntoIterator<Item = &'a Signal>) -> Self {
        let mut deltas = Self::default();
        for signal in signals {
            deltas.add(signal);
        }
        deltas
    }

    fn add(&mut self, signal: &'a Signal) {
        let account = signal.account.as_str();
        let day = signal.event_at.date_naive();
        let first_day = self.first_days.entry(account).or_insert(day);
        *first_day = day.min(*first_day);
        match &signal.payload {
            Payload::Usage { metric, quantity } => self.count(account, SignalKind::Usage, metric, day, *quantity),
            Payload::Gauge { metric, level } => self.level(account, metric, signal.event_at, *level),
            Payload::Activity { user_id, .. } => self.user(account, user_id, day),
            Payload::FeatureUse { feature, user_id, count } => {
                self.count(account, SignalKind::FeatureUse, feature, day, *count);
                self.days.insert((SignalKind::FeatureUse.number(), "", day));
                if !user_id.is_empty() {
                    self.user(account, user_id, day);
                }
            }
        }
    }

    fn user(&mut self, account: &'a str, user_id: &'a str, day: NaiveDate) {
        let (month, place) = month_and_place(day);
        let key = CountKey { account, kind: SignalKind::Activity.number(), name: user_id, month };
        self.counts.entry(key).or_insert([0; 31])[place] += 1;
        self.days.insert((SignalKind::Activity.number(), "", day));
    }

    fn count(&mut self, account: &'a str, kind: SignalKind, name: &'a str, day: NaiveDate, amount: i64) {
        let (month, place) = month_and_place(day);
        let key = CountKey { account, kind: kind.number(), name, month };
        self.counts.entry(key).or_insert([0; 31])[place] += amount;
        self.days.insert((kind.number(), name, day));
    }

    fn level(&mut self, account: &'a str, name: &'a str, event_at: DateTime<Utc>, level: f64) {
        let (month, place) = month_and_place(event_at.date_naive());
        let newest = &mut self.gauges.entry(GaugeKey { account, name, month }).or_insert([None; 31])[place];
        let given = (event_at.timestamp_micros(), level);
        let is_newer = newest.is_none_or(|known| given.0 > known.0 || (given.0 == known.0 && given.1 > known.1));
        if is_newer {
            *newest = Some(given);
        }
        self.days.insert((SignalKind::Gauge.number(), name, event_at.date_naive()));
    }

    /// The earliest day that each account's new signals belong to.
    pub(crate) fn first_days(&self) -> &BTreeMap<&'a str, NaiveDate> {
        &self.first_days
    }

    /// Adds all of it to what is stored, rows in the order of their keys so
    /// that two callers wait for one another instead of deadlocking.
    pub(crate) async fn store(&self, conn: &mut PgConnection) -> Result<(), StorageError> {
        self.store_counts(conn).await?;
        self.store_gauges(conn).await?;
        self.store_days(conn).await
    }

    async fn store_counts(&self, conn: &mut PgConnection) -> Result<(), StorageError> {
        if self.counts.is_empty() {
            return Ok(());
        }
        let accounts: Vec<&str> = self.counts.keys().map(|key| key.account).collect();
        let kinds: Vec<i16> = self.counts.keys().map(|key| key.kind).collect();
        let names: Vec<&str> = self.counts.keys().map(|key| key.name).collect();
        let months: Vec<NaiveDate> = self.counts.keys().map(|key| key.month).collect();
        let sums: Vec<String> =
            self.counts.values().map(|days| array_literal(days, |&sum| sum != 0, i64::to_string)).collect();
        sqlx::query!(
            "INSERT INTO scoring.count_months AS stored (account_id, kind, name, month, day_sums)
             SELECT account_id, kind, name, month, day_sums::bigint[]
               FROM unnest($1::text[], $2::smallint[], $3::text[], $4::date[], $5::text[])
                    AS given (account_id, kind, name, month, day_sums)
             ON CONFLICT (account_id, kind, name, month) DO UPDATE SET day_sums = ARRAY(
                 SELECT COALESCE(stored.day_sums[place], 0) + COALESCE(excluded.day_sums[place], 0)
                   FROM generate_series(1, GREATEST(cardinality(stored.day_sums), cardinality(excluded.day_sums)))
                        AS days (place)
                  ORDER BY place)",
            &accounts as &[&str],
            &kinds,
            &names as &[&str],
            &months,
            &sums,
        )
        .execute(conn)
        .await?;
        Ok(())
    }

    async fn store_gauges(&self, conn: &mut PgConnection) -> Result<(), StorageError> {
        if self.gauges.is_empty() {
            return Ok(());
        }
        let accounts: Vec<&str> = self.gauges.keys().map(|key| key.account).collect();
        let names: Vec<&str> = self.gauges.keys().map(|key| key.name).collect();
        let months: Vec<NaiveDate> = self.gauges.keys().map(|key| key.month).collect();
        let levels: Vec<String> =
            self.gauges.values().map(|days| level_literal(days, |(_, level)| level.to_string())).collect();
        let micros: Vec<String> =
            self.gauges.values().map(|days| level_literal(days, |(micros, _)| micros.to_string())).collect();
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

    async fn store_days(&self, conn: &mut PgConnection) -> Result<(), StorageError> {
        let kinds: Vec<i16> = self.days.iter().map(|(kind, _, _)| *kind).collect();
        let names: Vec<&str> = self.days.iter().map(|(_, name, _)| *name).collect();
        let days: Vec<NaiveDate> = self.days.iter().map(|(_, _, day)| *day).collect();
        sqlx::query!(
            "INSERT INTO scoring.series_days (kind, name, day)
             SELECT kind, name, day FROM unnest($1::smallint[], $2::text[], $3::date[]) AS given (kind, name, day)
             ON CONFLICT DO NOTHING",
            &kinds,
            &names as &[&str],
            &days,
        )
        .execute(conn)
        .await?;
        Ok(())
    }
}

/// A month's days as a PostgreSQL array literal, without the empty days at its end.
fn array_literal<T>(days: &[T], is_set: impl Fn(&T) -> bool, text: impl Fn(&T) -> String) -> String {
    let length = days.iter().rposition(is_set).map_or(0, |last| last + 1);
    let mut literal = String::with_capacity(2 + 3 * length);
    for (place, day) in days[..length].iter().enumerate() {
        let separator = if place == 0 { '{' } else { ',' };
        let _ = write!(literal, "{separator}{}", text(day));
    }
    if length == 0 { "{}".to_owned() } else { literal + "}" }
}

fn level_literal(days: &[Option<(i64, f64)>], text: impl Fn(&(i64, f64)) -> String) -> String {
    array_literal(days, Option::is_some, |day| day.as_ref().map_or_else(|| "NULL".to_owned(), &text))
}

/// A month of a count, as it is stored.
#[derive(Debug)]
pub(crate) struct CountMonth {
    pub account_id: String,
    pub kind: i16,
    pub name: String,
    pub month: NaiveDate,
    pub day_sums: Vec<i64>,
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
    Ok(sqlx::query_as!(
        CountMonth,
        "SELECT account_id, kind, name, month, day_sums FROM scoring.count_months
          WHERE account_id = ANY($1::text[]) ORDER BY account_id, kind, name, month",
        accounts as &[&str]
    )
    .fetch_all(conn)
    .await?)
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

/// Days of a series on which any account sent a signal, from `first` to `last`.
pub(crate) async fn days_with_signals(
    conn: &mut PgConnection,
    first: NaiveDate,
    last: NaiveDate,
) -> Result<Vec<(i16, String, NaiveDate)>, StorageError> {
    let rows = sqlx::query!("SELECT kind, name, day FROM scoring.series_days WHERE day BETWEEN $1 AND $2", first, last)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| (row.kind, row.name, row.day)).collect())
}
