//! Rows of stage policies.

use chrono::{DateTime, Utc};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes::{self, from_json, to_json};
use crate::domain::{StagePolicies, StagePolicy};

/// The policies in force.
pub(crate) async fn in_force(conn: &mut PgConnection) -> Result<StagePolicies, StorageError> {
    let rows = sqlx::query!(
        "SELECT DISTINCT ON (stage) stage, version, due_days, items FROM expansion.stage_policies
          ORDER BY stage, version DESC"
    )
    .fetch_all(conn)
    .await?;
    let set = rows.into_iter().map(|row| {
        let (stage, items) = (codes::stage(row.stage)?, from_json(row.items)?);
        Ok(StagePolicy { stage, version: row.version, due_days: row.due_days, items })
    });
    Ok(StagePolicies::with(set.collect::<Result<_, StorageError>>()?))
}

/// Puts the next version of a stage's policy in force, and gives it its number.
pub(crate) async fn set(
    conn: &mut PgConnection,
    policy: &StagePolicy,
    created_at: DateTime<Utc>,
) -> Result<StagePolicy, StorageError> {
    sqlx::query!("LOCK TABLE expansion.stage_policies IN SHARE ROW EXCLUSIVE MODE").execute(&mut *conn).await?;
    let version = sqlx::query_scalar!(
        "INSERT INTO expansion.stage_policies (stage, version, due_days, items, created_at)
         SELECT $1, coalesce(max(version), 0) + 1, $2, $3, $4 FROM expansion.stage_policies WHERE stage = $1
         RETURNING version",
        codes::stage_number(policy.stage),
        policy.due_days,
        to_json(&policy.items)?,
        created_at,
    )
    .fetch_one(conn)
    .await?;
    Ok(StagePolicy { version, ..policy.clone() })
}
