//! Takes withdrawn signals out of the days of an account.
//!
//! A sum has its amount taken away. A level, and in which periods a feature was used, are made anew of what is left: first the rows
//! are locked, then another statement reads what is left. So it sees what was recorded until then, and what is recorded later waits.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use mainstay_domain::AccountId;
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes::series_kind_number;
use super::series_deltas::SeriesDeltas;
use super::{feature_periods, series};
use crate::domain::SeriesKind;
use crate::domain::signal::SignalKind;

/// Takes out what signals of an account added, which are marked as withdrawn. Rows are locked in the order in which
/// recording does.
pub(crate) async fn take_out(
    conn: &mut PgConnection,
    account: &AccountId,
    added: &SeriesDeltas<'_>,
) -> Result<(), StorageError> {
    let series: BTreeSet<(i16, &str)> =
        added.counts.keys().map(|key| (series_kind_number(key.kind), key.name)).collect();
    if !series.is_empty() {
        take_from_counts(conn, account, &series, added).await?;
    }
    let level_days = added.level_days();
    if !level_days.is_empty() {
        make_levels_anew(conn, account, &level_days).await?;
    }
    let features: BTreeSet<&str> =
        added.counts.keys().filter(|key| key.kind == SeriesKind::Feature).map(|key| key.name).collect();
    if !features.is_empty() {
        feature_periods::make_anew(conn, account.as_str(), &features.into_iter().collect::<Vec<_>>()).await?;
    }
    Ok(())
}

async fn take_from_counts(
    conn: &mut PgConnection,
    account: &AccountId,
    series: &BTreeSet<(i16, &str)>,
    added: &SeriesDeltas<'_>,
) -> Result<(), StorageError> {
    let (kinds, names): (Vec<i16>, Vec<&str>) = series.iter().copied().unzip();
    sqlx::query!(
        "SELECT FROM scoring.count_months AS months
           JOIN unnest($2::smallint[], $3::text[]) AS concerned (kind, name)
             ON concerned.kind = months.kind AND concerned.name = months.name
          WHERE months.account_id = $1
          ORDER BY months.account_id, months.kind, months.name, months.month
            FOR UPDATE OF months",
        account.as_str(),
        &kinds,
        &names as &[&str],
    )
    .execute(&mut *conn)
    .await?;
    series::add_counts(conn, &added.negated()).await?;
    // A month with nothing in it would still say that the account has such a series.
    sqlx::query!(
        "DELETE FROM scoring.count_months AS months
          USING unnest($2::smallint[], $3::text[]) AS concerned (kind, name)
          WHERE months.account_id = $1 AND months.kind = concerned.kind AND months.name = concerned.name
            AND NOT EXISTS (SELECT FROM unnest(months.day_sums) AS day_sum WHERE day_sum <> 0)",
        account.as_str(),
        &kinds,
        &names as &[&str],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Sets the level of each of these days of a metric to the newest of those that are left, if there is one.
async fn make_levels_anew(
    conn: &mut PgConnection,
    account: &AccountId,
    days: &[(&str, NaiveDate)],
) -> Result<(), StorageError> {
    let (names, days): (Vec<&str>, Vec<NaiveDate>) = days.iter().copied().unzip();
    sqlx::query!(
        "SELECT FROM scoring.gauge_months WHERE account_id = $1 AND name = ANY($2::text[])
          ORDER BY account_id, name, month FOR UPDATE",
        account.as_str(),
        &names as &[&str],
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "UPDATE scoring.gauge_months AS stored SET (day_levels, day_level_micros) = (
             SELECT array_agg(CASE WHEN concerned.day IS NULL THEN stored.day_levels[place] ELSE newest.level END
                              ORDER BY place),
                    array_agg(CASE WHEN concerned.day IS NULL THEN stored.day_level_micros[place] ELSE newest.micros END
                              ORDER BY place)
               FROM generate_series(1, array_upper(stored.day_levels, 1)) AS places (place)
               LEFT JOIN unnest($2::text[], $3::date[]) AS concerned (name, day)
                      ON concerned.name = stored.name AND concerned.day = stored.month + place - 1
               LEFT JOIN LATERAL (
                    SELECT signals.level, (extract(epoch FROM signals.event_at) * 1000000)::bigint AS micros
                      FROM scoring.signals
                     WHERE signals.account_id = stored.account_id AND signals.kind = $4 AND signals.name = stored.name
                       AND signals.event_at >= concerned.day::timestamp AT TIME ZONE 'UTC'
                       AND signals.event_at < (concerned.day + 1)::timestamp AT TIME ZONE 'UTC'
                     ORDER BY signals.event_at DESC, signals.level DESC LIMIT 1) AS newest ON true)
          WHERE account_id = $1
            AND (name, month) IN (SELECT given.name, date_trunc('month', given.day::timestamp)::date
                                    FROM unnest($2::text[], $3::date[]) AS given (name, day))",
        account.as_str(),
        &names as &[&str],
        &days,
        SignalKind::Gauge.number(),
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "DELETE FROM scoring.gauge_months AS months
          WHERE account_id = $1 AND name = ANY($2::text[])
            AND NOT EXISTS (SELECT FROM unnest(months.day_level_micros) AS micros WHERE micros IS NOT NULL)",
        account.as_str(),
        &names as &[&str],
    )
    .execute(conn)
    .await?;
    Ok(())
}
