//! What the accounts of each segment had at the end of a day.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use mainstay_domain::ModelId;
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes;
use crate::domain::{Segment, SegmentBase, SegmentBases};

/// The bases of a day for a model, if they were computed.
pub(crate) async fn lookup(
    conn: &mut PgConnection,
    model: &ModelId,
    day: NaiveDate,
) -> Result<Option<SegmentBases>, StorageError> {
    let rows = sqlx::query!(
        "SELECT segment, measure_id, median, account_count FROM scoring.segment_medians WHERE model_id = $1 AND day = $2",
        model.as_str(),
        day,
    )
    .fetch_all(conn)
    .await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut bases = SegmentBases::default();
    for row in rows {
        if let Some(median) = row.median {
            let account_count = usize::try_from(row.account_count).unwrap_or(0);
            bases.insert(codes::segment(row.segment)?, &row.measure_id, SegmentBase { median, account_count });
        }
    }
    Ok(Some(bases))
}

/// Keeps the bases of a day; those that another replica kept first stay.
pub(crate) async fn keep(
    conn: &mut PgConnection,
    model: &ModelId,
    day: NaiveDate,
    bases: &BTreeMap<(Segment, String), SegmentBase>,
) -> Result<(), StorageError> {
    let segments: Vec<i16> = bases.keys().map(|(segment, _)| codes::segment_number(*segment)).collect();
    let measures: Vec<&str> = bases.keys().map(|(_, measure)| measure.as_str()).collect();
    let medians: Vec<f64> = bases.values().map(|base| base.median).collect();
    let counts: Vec<i64> = bases.values().map(|base| i64::try_from(base.account_count).unwrap_or(i64::MAX)).collect();
    sqlx::query!(
        "INSERT INTO scoring.segment_medians (model_id, day, segment, measure_id, median, account_count)
         SELECT $1::text, $2::date, segment, measure_id, median, account_count
           FROM unnest($3::smallint[], $4::text[], $5::float8[], $6::bigint[])
                AS given (segment, measure_id, median, account_count)
         UNION ALL SELECT $1::text, $2::date, 0::smallint, '', NULL, 0
         ON CONFLICT DO NOTHING",
        model.as_str(),
        day,
        &segments,
        &measures as &[&str],
        &medians,
        &counts,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets the bases of the days from `first` on.
pub(crate) async fn forget(conn: &mut PgConnection, first: NaiveDate) -> Result<(), StorageError> {
    sqlx::query!("DELETE FROM scoring.segment_medians WHERE day >= $1", first).execute(conn).await?;
    Ok(())
}

/// The numbers before the comparison that a model's measures had on a day, by segment.
pub(crate) async fn raw_values(
    conn: &mut PgConnection,
    model: &ModelId,
    day: NaiveDate,
) -> Result<Vec<(Segment, Vec<Option<f64>>)>, StorageError> {
    let rows = sqlx::query!(
        r#"SELECT accounts.segment, history.measure_raw_values AS "raw_values: Vec<Option<f64>>"
             FROM scoring.health_history AS history
             JOIN scoring.accounts ON accounts.account_id = history.account_id
            WHERE history.day = $1 AND history.model_id = $2 AND accounts.archived_at IS NULL"#,
        day,
        model.as_str(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok((codes::segment(row.segment)?, row.raw_values))).collect()
}
