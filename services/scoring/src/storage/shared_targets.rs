//! Targets of metrics of retention that were set for all.

use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes;
use crate::domain::retention_goals::RetentionMetric;
use crate::domain::shared_target::{SharedTarget, SharedTargets};

const fn number(metric: RetentionMetric) -> i16 {
    match metric {
        RetentionMetric::RenewalRate => 1,
        RetentionMetric::GrossRetention => 2,
        RetentionMetric::NetRetention => 3,
        RetentionMetric::ArrAtRiskShare => 4,
        RetentionMetric::CriticalShare => 5,
        RetentionMetric::TimeToValueDays => 6,
    }
}

/// All of them.
pub(crate) async fn all(conn: &mut PgConnection) -> Result<SharedTargets, StorageError> {
    let rows = sqlx::query!("SELECT metric, target, teams, setter, set_at FROM scoring.shared_targets");
    let rows = rows.fetch_all(conn).await?;
    rows.into_iter()
        .map(|row| {
            let metric = RetentionMetric::ALL.into_iter().find(|metric| number(*metric) == row.metric);
            let metric = metric.ok_or_else(|| codes::corrupt(format!("shared_targets.metric is {}", row.metric)))?;
            let target = SharedTarget { value: row.target, teams: row.teams, setter: row.setter, set_at: row.set_at };
            Ok((metric, target))
        })
        .collect()
}

/// Keeps one, instead of the one that there was.
pub(crate) async fn set(
    conn: &mut PgConnection,
    metric: RetentionMetric,
    target: &SharedTarget,
) -> Result<(), StorageError> {
    sqlx::query!(
        "INSERT INTO scoring.shared_targets (metric, target, teams, setter, set_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (metric) DO UPDATE SET target = excluded.target, teams = excluded.teams,
             setter = excluded.setter, set_at = excluded.set_at",
        number(metric),
        target.value,
        &target.teams,
        target.setter,
        target.set_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes one away, if there was one.
pub(crate) async fn delete(conn: &mut PgConnection, metric: RetentionMetric) -> Result<(), StorageError> {
    sqlx::query!("DELETE FROM scoring.shared_targets WHERE metric = $1", number(metric)).execute(conn).await?;
    Ok(())
}
