//! Which metrics are counts and which are gauges.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes;
use crate::domain::signal::SignalKind;

/// Notes metrics seen for the first time; a metric that is known keeps its kind.
pub(crate) async fn note(
    conn: &mut PgConnection,
    kinds: &[(&str, SignalKind)],
    first_seen_at: DateTime<Utc>,
) -> Result<(), StorageError> {
    let mut sorted = kinds.to_vec();
    sorted.sort_unstable();
    let metrics: Vec<&str> = sorted.iter().map(|(metric, _)| *metric).collect();
    let numbers: Vec<i16> = sorted.iter().map(|(_, kind)| kind.number()).collect();
    sqlx::query!(
        "INSERT INTO scoring.metrics (metric, kind, first_seen_at)
         SELECT metric, kind, $3 FROM unnest($1::text[], $2::smallint[]) AS given (metric, kind)
         ON CONFLICT DO NOTHING",
        &metrics as &[&str],
        &numbers,
        first_seen_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The kinds of those of `metrics` that are known.
pub(crate) async fn kinds(
    conn: &mut PgConnection,
    metrics: &[&str],
) -> Result<HashMap<String, SignalKind>, StorageError> {
    let rows =
        sqlx::query!("SELECT metric, kind FROM scoring.metrics WHERE metric = ANY($1::text[])", metrics as &[&str])
            .fetch_all(conn)
            .await?;
    rows.into_iter()
        .map(|row| {
            let kind =
                SignalKind::of_number(row.kind).ok_or_else(|| codes::corrupt(format!("metrics.kind {}", row.kind)))?;
            Ok((row.metric, kind))
        })
        .collect()
}
