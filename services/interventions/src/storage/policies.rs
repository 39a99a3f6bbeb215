//! Rows of policies: every version of each.

use chrono::{DateTime, Utc};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes;
use crate::domain::policy::{Policy, PolicyDefinition, PolicyId};

/// The newest version of a policy, if there is one.
pub(crate) async fn newest(conn: &mut PgConnection, id: PolicyId) -> Result<Option<Policy>, StorageError> {
    let row = sqlx::query!(
        "SELECT version, definition FROM interventions.policies WHERE policy_id = $1 ORDER BY version DESC LIMIT 1",
        id.text()
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| policy(id, row.version, row.definition)).transpose()
}

/// One version of a policy.
pub(crate) async fn version(
    conn: &mut PgConnection,
    id: PolicyId,
    version: i32,
) -> Result<Option<Policy>, StorageError> {
    let definition = sqlx::query_scalar!(
        "SELECT definition FROM interventions.policies WHERE policy_id = $1 AND version = $2",
        id.text(),
        version
    )
    .fetch_optional(conn)
    .await?;
    definition.map(|definition| policy(id, version, definition)).transpose()
}

/// The newest version of every policy, by id.
pub(crate) async fn all_newest(conn: &mut PgConnection) -> Result<Vec<Policy>, StorageError> {
    let rows = sqlx::query!(
        "SELECT DISTINCT ON (policy_id) policy_id, version, definition
           FROM interventions.policies ORDER BY policy_id, version DESC"
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| policy(codes::policy_id(&row.policy_id)?, row.version, row.definition)).collect()
}

/// Stores a version; false when somebody else stored that version before.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    policy: &Policy,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<bool, StorageError> {
    let definition = serde_json::to_value(&policy.definition).map_err(codes::corrupt)?;
    let stored = sqlx::query!(
        "INSERT INTO interventions.policies (policy_id, version, definition, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        policy.id.text(),
        policy.version,
        definition,
        now,
        actor
    )
    .execute(conn)
    .await?;
    Ok(stored.rows_affected() == 1)
}

fn policy(id: PolicyId, version: i32, definition: serde_json::Value) -> Result<Policy, StorageError> {
    let definition: PolicyDefinition =
        serde_json::from_value(definition).map_err(|error| codes::corrupt(format!("policy {}: {error}", id.text())))?;
    Ok(Policy { id, version, definition })
}
