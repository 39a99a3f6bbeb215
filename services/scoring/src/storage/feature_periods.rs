//! In which months and fortnights accounts use features.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes::series_kind_number;
use super::series_deltas::SeriesDeltas;
use crate::domain::SeriesKind;
use crate::domain::adoption_period::AdoptionGrain;

/// Periods of which it is known: the bits that `scoring.periods_until` reads.
const PERIODS_KEPT: i32 = 62;

/// In which periods something was used, seen from the newest of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct UsedPeriods {
    last: i32,
    bits: i64,
}

impl UsedPeriods {
    fn of(grain: AdoptionGrain, days: &[NaiveDate]) -> Self {
        let periods = || days.iter().map(|day| grain.period_of(*day));
        let last = periods().max().unwrap_or_default();
        let bits = periods().map(|period| last - period).filter(|past| *past < PERIODS_KEPT);
        Self { last, bits: bits.fold(0, |bits, past| bits | 1 << past) }
    }
}

/// Adds the uses of features among what new signals add, in the order of the rows' keys, so that two callers wait for one another
/// instead of deadlocking. Rows that say so already are left alone: an upsert would lock them all.
pub(crate) async fn add(conn: &mut PgConnection, deltas: &SeriesDeltas<'_>) -> Result<(), StorageError> {
    let used = used_days(deltas);
    if used.is_empty() {
        return Ok(());
    }
    let periods = |grain: AdoptionGrain| -> (Vec<i32>, Vec<i64>) {
        used.values().map(|days| UsedPeriods::of(grain, days)).map(|periods| (periods.last, periods.bits)).unzip()
    };
    let ((last_months, month_bits), (last_fortnights, fortnight_bits)) =
        (periods(AdoptionGrain::Month), periods(AdoptionGrain::Fortnight));
    sqlx::query!(
        "INSERT INTO scoring.feature_periods AS stored
             (account_id, feature, first_day, last_month, month_bits, last_fortnight, fortnight_bits)
         SELECT account_id, feature, given.first_day, given.last_month, given.month_bits, given.last_fortnight,
                given.fortnight_bits
           FROM unnest($1::text[], $2::text[], $3::date[], $4::integer[], $5::bigint[], $6::integer[], $7::bigint[])
                AS given (account_id, feature, first_day, last_month, month_bits, last_fortnight, fortnight_bits)
           LEFT JOIN scoring.feature_periods AS known USING (account_id, feature)
          WHERE known.account_id IS NULL
             OR given.first_day < known.first_day
             OR given.last_month > known.last_month
             OR given.last_fortnight > known.last_fortnight
             OR scoring.periods_until(given.month_bits, given.last_month, known.last_month) & ~known.month_bits <> 0
             OR scoring.periods_until(given.fortnight_bits, given.last_fortnight, known.last_fortnight)
                & ~known.fortnight_bits <> 0
         ON CONFLICT (account_id, feature) DO UPDATE SET
             first_day = LEAST(stored.first_day, excluded.first_day),
             last_month = GREATEST(stored.last_month, excluded.last_month),
             month_bits =
                 scoring.periods_until(stored.month_bits, stored.last_month, GREATEST(stored.last_month, excluded.last_month))
                 | scoring.periods_until(excluded.month_bits, excluded.last_month,
                                         GREATEST(stored.last_month, excluded.last_month)),
             last_fortnight = GREATEST(stored.last_fortnight, excluded.last_fortnight),
             fortnight_bits =
                 scoring.periods_until(stored.fortnight_bits, stored.last_fortnight,
                                       GREATEST(stored.last_fortnight, excluded.last_fortnight))
                 | scoring.periods_until(excluded.fortnight_bits, excluded.last_fortnight,
                                         GREATEST(stored.last_fortnight, excluded.last_fortnight))",
        &used.keys().map(|(account, _)| *account).collect::<Vec<_>>() as &[&str],
        &used.keys().map(|(_, feature)| *feature).collect::<Vec<_>>() as &[&str],
        &used.values().filter_map(|days| days.iter().min().copied()).collect::<Vec<_>>(),
        &last_months,
        &month_bits,
        &last_fortnights,
        &fortnight_bits,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Makes anew in which periods an account used these features, by what its days say by now. The months of these features are
/// locked: what is added to them meanwhile comes after this, and a new month changes the row, which is locked, too.
pub(super) async fn make_anew(conn: &mut PgConnection, account: &str, features: &[&str]) -> Result<(), StorageError> {
    sqlx::query!(
        "SELECT FROM scoring.feature_periods WHERE account_id = $1 AND feature = ANY($2::text[]) ORDER BY feature FOR UPDATE",
        account,
        features as &[&str],
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "WITH used AS (
             SELECT name AS feature, month + place - 1 AS day, scoring.period_of(1::smallint, month) AS month,
                    scoring.period_of(2::smallint, month + place - 1) AS fortnight
               FROM scoring.count_months, generate_subscripts(day_sums, 1) AS place
              WHERE account_id = $1 AND kind = $3 AND name = ANY($2::text[]) AND day_sums[place] > 0
         ), newest AS (
             SELECT feature, min(day) AS first_day, max(month) AS last_month, max(fortnight) AS last_fortnight
               FROM used GROUP BY feature
         ), made AS (
             SELECT newest.feature, newest.first_day, newest.last_month, newest.last_fortnight,
                    bit_or(1::bigint << (last_month - month)) FILTER (WHERE last_month - month < $4) AS month_bits,
                    bit_or(1::bigint << (last_fortnight - fortnight)) FILTER (WHERE last_fortnight - fortnight < $4)
                        AS fortnight_bits
               FROM used JOIN newest USING (feature)
              GROUP BY 1, 2, 3, 4
         ), gone AS (
             DELETE FROM scoring.feature_periods AS stored
              WHERE account_id = $1 AND feature = ANY($2::text[])
                AND NOT EXISTS (SELECT FROM made WHERE made.feature = stored.feature)
         )
         UPDATE scoring.feature_periods AS stored
            SET first_day = made.first_day, last_month = made.last_month, month_bits = made.month_bits,
                last_fortnight = made.last_fortnight, fortnight_bits = made.fortnight_bits
           FROM made
          WHERE stored.account_id = $1 AND stored.feature = made.feature",
        account,
        features as &[&str],
        series_kind_number(SeriesKind::Feature),
        PERIODS_KEPT,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The days of each account and feature, none without one.
fn used_days<'a>(deltas: &SeriesDeltas<'a>) -> BTreeMap<(&'a str, &'a str), Vec<NaiveDate>> {
    let mut used: BTreeMap<(&str, &str), Vec<NaiveDate>> = BTreeMap::new();
    for (key, sums) in deltas.counts.iter().filter(|(key, _)| key.kind == SeriesKind::Feature) {
        let days = (0..)
            .zip(sums)
            .filter(|(_, sum)| **sum > 0)
            .filter_map(|(place, _)| key.month.checked_add_days(Days::new(place)));
        let mut days = days.peekable();
        if days.peek().is_some() {
            used.entry((key.account, key.name)).or_default().extend(days);
        }
    }
    used
}
