//! What digests of billing alerts are made from, and what they have told.

use chrono::{DateTime, Utc};
use mainstay_domain::AccountId;
use mainstay_storage::StorageError;
use sqlx::PgConnection;
use uuid::Uuid;

use super::codes;
use crate::domain::alert::Resolution;
use crate::domain::policy::PolicyId;

/// A billing alert that is open, or whose end no digest has told.
#[derive(Debug, Clone)]
pub(crate) struct UntoldAlert {
    pub account: AccountId,
    pub id: Uuid,
    pub headline: String,
    pub owner_email: String,
    pub happened_at: DateTime<Utc>,
    pub next_due_at: Option<DateTime<Utc>>,
    /// The earliest deadline that passed and was not met since; a reminder is none.
    pub overdue_since: Option<DateTime<Utc>>,
    pub policy: PolicyId,
    pub policy_version: i32,
    pub end: Option<(DateTime<Utc>, Resolution)>,
    /// Whether no digest has told that it was raised.
    pub is_new: bool,
}

/// A page of them by account and id, after the account and id given. The kinds are those of the index `alerts_billing`.
pub(crate) async fn untold(
    conn: &mut PgConnection,
    after: (&str, Uuid),
    limit: i64,
) -> Result<Vec<UntoldAlert>, StorageError> {
    let rows = sqlx::query!(
        r#"SELECT account_id, alert_id, headline, owner_email, happened_at, next_due_at, policy_id, policy_version,
                  resolution, closed_at, NOT is_raise_digested AS "is_new!",
                  (SELECT min(clock.due_at) FROM interventions.clocks AS clock
                    WHERE clock.account_id = alert.account_id AND clock.alert_id = alert.alert_id
                      AND clock.state = 3 AND clock.met_at IS NULL AND clock.step <> 16) AS overdue_since
             FROM interventions.alerts AS alert
            WHERE kind IN (5, 6) AND NOT is_end_digested AND (account_id, alert_id) > ($1, $2)
            ORDER BY account_id, alert_id LIMIT $3"#,
        after.0,
        after.1,
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let resolution = row.resolution.map(codes::resolution).transpose()?;
            Ok(UntoldAlert {
                account: codes::account_id(&row.account_id)?,
                id: row.alert_id,
                headline: row.headline,
                owner_email: row.owner_email,
                happened_at: row.happened_at,
                next_due_at: row.next_due_at,
                overdue_since: row.overdue_since,
                policy: codes::policy_id(&row.policy_id)?,
                policy_version: row.policy_version,
                end: row.closed_at.zip(resolution),
                is_new: row.is_new,
            })
        })
        .collect()
}

/// Notes that a digest told of these that they were raised, and of those that they have ended. No version grows: of the
/// alerts themselves nothing changes. Rows are locked in the order of account and alert, as by who works on several.
pub(crate) async fn note_told(conn: &mut PgConnection, raised: &[Uuid], ended: &[Uuid]) -> Result<(), StorageError> {
    sqlx::query!(
        "WITH held AS (
            SELECT account_id, alert_id FROM interventions.alerts WHERE alert_id = ANY($1) OR alert_id = ANY($2)
             ORDER BY account_id, alert_id FOR NO KEY UPDATE)
         UPDATE interventions.alerts AS alert
            SET is_raise_digested = true, is_end_digested = is_end_digested OR alert.alert_id = ANY($2)
           FROM held WHERE alert.account_id = held.account_id AND alert.alert_id = held.alert_id",
        raised,
        ended
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Has no digest tell what was raised and has ended before now; says how many there were, at most `limit`.
pub(crate) async fn pass_over(conn: &mut PgConnection, limit: i64) -> Result<u64, StorageError> {
    let passed = sqlx::query!(
        "WITH held AS (
            SELECT account_id, alert_id FROM interventions.alerts
             WHERE kind IN (5, 6) AND NOT is_end_digested AND (closed_at IS NOT NULL OR NOT is_raise_digested)
             ORDER BY account_id, alert_id LIMIT $1 FOR NO KEY UPDATE)
         UPDATE interventions.alerts AS alert SET is_raise_digested = true, is_end_digested = closed_at IS NOT NULL
           FROM held WHERE alert.account_id = held.account_id AND alert.alert_id = held.alert_id",
        limit
    )
    .execute(conn)
    .await?;
    Ok(passed.rows_affected())
}
