//! Health of accounts: today's row of each, and the history's.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::{AccountId, Points};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes;
use crate::domain::{AccountGroupKind, Announced, Changes, GeneralReadings, HealthRecord, MissingReason, Reading};

/// Today's row of an account, as it is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CurrentHealth {
    pub record: HealthRecord,
    pub changes: Changes,
    /// Scores of the days before, the day before first.
    pub recent_scores: Vec<Option<Points>>,
    pub announced: Announced,
    /// The account's newest day with activity; its activation is one.
    pub last_activity_day: Option<NaiveDate>,
    /// Where the general model is not that of the record.
    pub by_general_model: Option<GeneralReadings>,
}

const fn missing_number(reason: MissingReason) -> i16 {
    match reason {
        MissingReason::NoData => 1,
        MissingReason::Stale => 2,
        MissingReason::TooYoung => 3,
        MissingReason::NoGroupBase(AccountGroupKind::Segment) => 4,
        MissingReason::NoPlanLimit => 5,
        MissingReason::NoEarlierData => 6,
        MissingReason::NoGroupBase(AccountGroupKind::Industry) => 7,
        MissingReason::NoGroupBase(AccountGroupKind::Plan) => 8,
    }
}

fn missing_reason(number: i16) -> Result<MissingReason, StorageError> {
    match number {
        1 => Ok(MissingReason::NoData),
        2 => Ok(MissingReason::Stale),
        3 => Ok(MissingReason::TooYoung),
        4 => Ok(MissingReason::NoGroupBase(AccountGroupKind::Segment)),
        5 => Ok(MissingReason::NoPlanLimit),
        6 => Ok(MissingReason::NoEarlierData),
        7 => Ok(MissingReason::NoGroupBase(AccountGroupKind::Industry)),
        8 => Ok(MissingReason::NoGroupBase(AccountGroupKind::Plan)),
        _ => Err(codes::corrupt(format!("missing reason {number}"))),
    }
}

/// The readings of a record as the columns keep them: arrays in PostgreSQL's
/// text form, because arrays of arrays cannot be handed to `unnest`.
#[derive(Default)]
struct ReadingColumns {
    values: Vec<String>,
    raw_values: Vec<String>,
    base_values: Vec<String>,
    missing: Vec<String>,
    freshness: Vec<String>,
}

impl ReadingColumns {
    fn push(&mut self, readings: &[Reading]) {
        self.values.push(codes::array_literal(readings, |reading| reading.value.ok()));
        self.raw_values.push(codes::array_literal(readings, |reading| reading.raw_value));
        self.base_values.push(codes::array_literal(readings, |reading| reading.base_value));
        self.missing.push(codes::array_literal(readings, |reading| reading.value.err().map(missing_number)));
        self.freshness.push(codes::array_literal(readings, |reading| reading.freshness_days));
    }
}

fn readings_of(
    values: &[Option<f64>],
    raw_values: &[Option<f64>],
    base_values: &[Option<f64>],
    missing: &[Option<i16>],
    freshness: &[Option<i32>],
) -> Result<Vec<Reading>, StorageError> {
    let lengths = [raw_values.len(), base_values.len(), missing.len(), freshness.len()];
    if lengths.iter().any(|&length| length != values.len()) {
        return Err(codes::corrupt(format!("{} values beside {lengths:?}", values.len())));
    }
    (0..values.len())
        .map(|place| {
            let value = match (values[place], missing[place]) {
                (Some(value), None) => Ok(value),
                (None, Some(reason)) => Err(missing_reason(reason)?),
                other => return Err(codes::corrupt(format!("a reading of {other:?}"))),
            };
            Ok(Reading {
                value,
                raw_value: raw_values[place],
                base_value: base_values[place],
                freshness_days: freshness[place],
            })
        })
        .collect()
}

#[derive(Default)]
struct RecordColumns<'a> {
    account_id: Vec<&'a str>,
    day: Vec<NaiveDate>,
    score: Vec<Option<i32>>,
    band: Vec<Option<i16>>,
    coverage: Vec<f64>,
    freshness_days: Vec<Option<i32>>,
    last_signal_day: Vec<Option<NaiveDate>>,
    model_id: Vec<&'a str>,
    readings: ReadingColumns,
    scored_at: Vec<DateTime<Utc>>,
}

impl<'a> RecordColumns<'a> {
    fn of(records: impl IntoIterator<Item = &'a HealthRecord>) -> Self {
        let mut columns = Self::default();
        for record in records {
            columns.account_id.push(record.account.as_str());
            columns.day.push(record.day);
            columns.score.push(record.score.map(Points::units));
            columns.band.push(record.band.map(codes::band_number));
            columns.coverage.push(record.coverage);
            columns.freshness_days.push(record.freshness_days);
            columns.last_signal_day.push(record.last_signal_day);
            columns.model_id.push(record.model.as_str());
            columns.readings.push(&record.readings);
            columns.scored_at.push(record.scored_at);
        }
        columns
    }
}

/// Writes days of history, over what was there.
pub(crate) async fn write_history(conn: &mut PgConnection, records: &[HealthRecord]) -> Result<(), StorageError> {
    let columns = RecordColumns::of(records);
    sqlx::query!(
        "INSERT INTO scoring.health_history (
             account_id, day, score, band, coverage, freshness_days, last_signal_day, model_id, measure_values,
             measure_raw_values, measure_base_values, measure_missing, measure_freshness_days, scored_at)
         SELECT account_id, day, score, band, coverage, freshness_days, last_signal_day, model_id, readings::float8[],
                raw_values::float8[], base_values::float8[], missing::smallint[], freshness::integer[], scored_at
           FROM unnest($1::text[], $2::date[], $3::integer[], $4::smallint[], $5::float8[], $6::integer[], $7::date[],
                       $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::timestamptz[])
                AS given (account_id, day, score, band, coverage, freshness_days, last_signal_day, model_id, readings,
                          raw_values, base_values, missing, freshness, scored_at)
         ON CONFLICT (account_id, day) DO UPDATE SET
             score = excluded.score, band = excluded.band, coverage = excluded.coverage,
             freshness_days = excluded.freshness_days, last_signal_day = excluded.last_signal_day,
             model_id = excluded.model_id, measure_values = excluded.measure_values,
             measure_raw_values = excluded.measure_raw_values, measure_base_values = excluded.measure_base_values,
             measure_missing = excluded.measure_missing, measure_freshness_days = excluded.measure_freshness_days,
             scored_at = excluded.scored_at",
        &columns.account_id as &[&str],
        &columns.day,
        &columns.score as &[Option<i32>],
        &columns.band as &[Option<i16>],
        &columns.coverage,
        &columns.freshness_days as &[Option<i32>],
        &columns.last_signal_day as &[Option<NaiveDate>],
        &columns.model_id as &[&str],
        &columns.readings.values,
        &columns.readings.raw_values,
        &columns.readings.base_values,
        &columns.readings.missing,
        &columns.readings.freshness,
        &columns.scored_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes today's rows, over what was there.
pub(crate) async fn write_current(conn: &mut PgConnection, rows: &[CurrentHealth]) -> Result<(), StorageError> {
    let columns = RecordColumns::of(rows.iter().map(|row| &row.record));
    let general: Vec<Option<&GeneralReadings>> = rows.iter().map(|row| row.by_general_model.as_ref()).collect();
    let values_literal = |readings: &GeneralReadings| codes::array_literal(&readings.measure_values, |value| *value);
    let change = |pick: fn(&Changes) -> Option<Points>| -> Vec<Option<i32>> {
        rows.iter().map(|row| pick(&row.changes).map(Points::units)).collect()
    };
    sqlx::query!(
        "INSERT INTO scoring.health (
             account_id, day, score, band, coverage, freshness_days, last_signal_day, model_id, measure_values,
             measure_raw_values, measure_base_values, measure_missing, measure_freshness_days, scored_at,
             change_1d, change_7d, change_30d, recent_scores, announced_score, announced_band, last_activity_day,
             general_model_id, general_measure_values, general_coverage)
         SELECT account_id, day, score, band, coverage, freshness_days, last_signal_day, model_id, readings::float8[],
                raw_values::float8[], base_values::float8[], missing::smallint[], freshness::integer[], scored_at,
                change_1d, change_7d, change_30d, recent_scores::integer[], announced_score, announced_band,
                last_activity_day, general_model_id, general_values::float8[], general_coverage
           FROM unnest($1::text[], $2::date[], $3::integer[], $4::smallint[], $5::float8[], $6::integer[], $7::date[],
                       $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::timestamptz[],
                       $15::integer[], $16::integer[], $17::integer[], $18::text[], $19::integer[], $20::smallint[],
                       $21::date[], $22::text[], $23::text[], $24::float8[])
                AS given (account_id, day, score, band, coverage, freshness_days, last_signal_day, model_id, readings,
                          raw_values, base_values, missing, freshness, scored_at, change_1d, change_7d, change_30d,
                          recent_scores, announced_score, announced_band, last_activity_day, general_model_id, general_values,
                          general_coverage)
         ON CONFLICT (account_id) DO UPDATE SET
             day = excluded.day, score = excluded.score, band = excluded.band, coverage = excluded.coverage,
             freshness_days = excluded.freshness_days, last_signal_day = excluded.last_signal_day,
             model_id = excluded.model_id, measure_values = excluded.measure_values,
             measure_raw_values = excluded.measure_raw_values, measure_base_values = excluded.measure_base_values,
             measure_missing = excluded.measure_missing, measure_freshness_days = excluded.measure_freshness_days,
             scored_at = excluded.scored_at, change_1d = excluded.change_1d, change_7d = excluded.change_7d,
             change_30d = excluded.change_30d, recent_scores = excluded.recent_scores, announced_score = excluded.announced_score,
             announced_band = excluded.announced_band, last_activity_day = excluded.last_activity_day,
             general_model_id = excluded.general_model_id, general_measure_values = excluded.general_measure_values,
             general_coverage = excluded.general_coverage",
        &columns.account_id as &[&str],
        &columns.day,
        &columns.score as &[Option<i32>],
        &columns.band as &[Option<i16>],
        &columns.coverage,
        &columns.freshness_days as &[Option<i32>],
        &columns.last_signal_day as &[Option<NaiveDate>],
        &columns.model_id as &[&str],
        &columns.readings.values,
        &columns.readings.raw_values,
        &columns.readings.base_values,
        &columns.readings.missing,
        &columns.readings.freshness,
        &columns.scored_at,
        &change(|changes| changes.one_day) as &[Option<i32>],
        &change(|changes| changes.week) as &[Option<i32>],
        &change(|changes| changes.month) as &[Option<i32>],
        &rows.iter().map(|row| codes::array_literal(&row.recent_scores, |score| score.map(Points::units))).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.announced.score.map(Points::units)).collect::<Vec<_>>() as &[Option<i32>],
        &rows.iter().map(|row| row.announced.band.map(codes::band_number)).collect::<Vec<_>>() as &[Option<i16>],
        &rows.iter().map(|row| row.last_activity_day).collect::<Vec<_>>() as &[Option<NaiveDate>],
        &general.iter().map(|general| Some(general.as_ref()?.model.as_str())).collect::<Vec<_>>() as &[Option<&str>],
        &general.iter().map(|general| general.map(values_literal)).collect::<Vec<_>>() as &[Option<String>],
        &general.iter().map(|general| Some(general.as_ref()?.coverage)).collect::<Vec<_>>() as &[Option<f64>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What today's row of an account says of the days before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownHealth {
    pub day: NaiveDate,
    pub score: Option<Points>,
    /// Scores of the days before `day`, the day before first; none when they must be looked up.
    pub recent_scores: Option<Vec<Option<Points>>>,
    /// What the last event said.
    pub announced: Announced,
    /// The account's newest day with activity.
    pub last_activity_day: Option<NaiveDate>,
}

/// What is known of these accounts, for those that were scored before.
pub(crate) async fn known(
    conn: &mut PgConnection,
    accounts: &[&str],
) -> Result<HashMap<String, KnownHealth>, StorageError> {
    let rows = sqlx::query!(
        r#"SELECT account_id, day, score, recent_scores AS "recent_scores: Vec<Option<i32>>", announced_score,
                  announced_band, last_activity_day
             FROM scoring.health WHERE account_id = ANY($1::text[])"#,
        accounts as &[&str]
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let points = |units: Option<i32>| units.map(Points::from_units);
            let announced = Announced {
                score: points(row.announced_score),
                band: row.announced_band.map(codes::band).transpose()?,
            };
            let recent_scores = row.recent_scores.map(|scores| scores.into_iter().map(points).collect());
            let (day, score, last_activity_day) = (row.day, points(row.score), row.last_activity_day);
            Ok((row.account_id, KnownHealth { day, score, recent_scores, announced, last_activity_day }))
        })
        .collect()
}

/// Has the recent scores of these accounts looked up at the next writing of today's row.
pub(crate) async fn forget_recent_scores(conn: &mut PgConnection, accounts: &[&str]) -> Result<(), StorageError> {
    sqlx::query!(
        "UPDATE scoring.health SET recent_scores = NULL WHERE account_id = ANY($1::text[])",
        accounts as &[&str]
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes the days of an account from `first` on and before `end`.
pub(crate) async fn forget_days(
    conn: &mut PgConnection,
    account: &AccountId,
    first: NaiveDate,
    end: NaiveDate,
) -> Result<(), StorageError> {
    sqlx::query!(
        "DELETE FROM scoring.health_history WHERE account_id = $1 AND day >= $2 AND day < $3",
        account.as_str(),
        first,
        end,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The scores of these accounts from the first to the last day, for those days that have one.
pub(crate) async fn scores_between(
    conn: &mut PgConnection,
    accounts: &[&str],
    first: NaiveDate,
    last: NaiveDate,
) -> Result<Vec<(String, NaiveDate, Points)>, StorageError> {
    let rows = sqlx::query!(
        r#"SELECT account_id, day, score AS "score!" FROM scoring.health_history
            WHERE account_id = ANY($1::text[]) AND day BETWEEN $2 AND $3 AND score IS NOT NULL"#,
        accounts as &[&str],
        first,
        last,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.account_id, row.day, Points::from_units(row.score))).collect())
}

/// The scores of accounts on days, for those that have one.
pub(super) async fn scores_on(
    conn: &mut PgConnection,
    wanted: &BTreeSet<(AccountId, NaiveDate)>,
) -> Result<HashMap<(AccountId, NaiveDate), Points>, StorageError> {
    let (accounts, days): (Vec<&str>, Vec<NaiveDate>) =
        wanted.iter().map(|(account, day)| (account.as_str(), *day)).unzip();
    let rows = sqlx::query!(
        r#"SELECT history.account_id, history.day, history.score AS "score!"
             FROM unnest($1::text[], $2::date[]) AS wanted (account_id, day)
             JOIN scoring.health_history AS history
               ON history.account_id = wanted.account_id AND history.day = wanted.day
            WHERE history.score IS NOT NULL"#,
        &accounts as &[&str],
        &days,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| Ok(((codes::account_id(&row.account_id)?, row.day), Points::from_units(row.score))))
        .collect()
}

/// A record as the queries give it.
pub(super) struct RecordRow {
    pub account_id: String,
    pub day: NaiveDate,
    pub score: Option<i32>,
    pub band: Option<i16>,
    pub coverage: f64,
    pub freshness_days: Option<i32>,
    pub last_signal_day: Option<NaiveDate>,
    pub model_id: String,
    pub measure_values: Vec<Option<f64>>,
    pub measure_raw_values: Vec<Option<f64>>,
    pub measure_base_values: Vec<Option<f64>>,
    pub measure_missing: Vec<Option<i16>>,
    pub measure_freshness_days: Vec<Option<i32>>,
    pub scored_at: DateTime<Utc>,
}

impl TryFrom<RecordRow> for HealthRecord {
    type Error = StorageError;

    fn try_from(row: RecordRow) -> Result<Self, StorageError> {
        Ok(Self {
            account: codes::account_id(&row.account_id)?,
            day: row.day,
            score: row.score.map(Points::from_units),
            band: row.band.map(codes::band).transpose()?,
            coverage: row.coverage,
            freshness_days: row.freshness_days,
            last_signal_day: row.last_signal_day,
            model: codes::model_id(&row.model_id)?,
            readings: readings_of(
                &row.measure_values,
                &row.measure_raw_values,
                &row.measure_base_values,
                &row.measure_missing,
                &row.measure_freshness_days,
            )?,
            scored_at: row.scored_at,
        })
    }
}
