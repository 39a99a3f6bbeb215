//! Rows of chances.

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::{AccountId, Points};
use mainstay_storage::StorageError;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::codes::{self, corrupt, from_json, to_json};
use crate::domain::{Candidate, CandidateCursor, CandidateFilter, CandidateState};

struct CandidateRow {
    account_id: String,
    metric: String,
    state: i16,
    month: NaiveDate,
    consecutive_months: i32,
    used: Option<f64>,
    usage_limit: Option<f64>,
    score: Option<i32>,
    active_users: Option<i64>,
    criteria: Value,
    suppressions: Value,
    opportunity_id: Option<Uuid>,
    rest_ends_at: Option<DateTime<Utc>>,
    identified_at: DateTime<Utc>,
    reviewed_at: DateTime<Utc>,
}

impl TryFrom<CandidateRow> for Candidate {
    type Error = StorageError;

    fn try_from(row: CandidateRow) -> Result<Self, StorageError> {
        Ok(Self {
            account: codes::account_id(&row.account_id)?,
            metric: row.metric,
            state: codes::candidate_state(row.state)?,
            month: codes::month(row.month),
            consecutive_months: u32::try_from(row.consecutive_months).map_err(corrupt)?,
            used: row.used,
            limit: row.usage_limit,
            score: row.score.map(Points::from_units),
            active_users: row.active_users,
            criteria: from_json(row.criteria)?,
            suppressions: from_json(row.suppressions)?,
            opportunity: row.opportunity_id,
            rest_ends_at: row.rest_ends_at,
            identified_at: row.identified_at,
            reviewed_at: row.reviewed_at,
        })
    }
}

/// `query_as!` for whole candidates, so that the columns stand here once.
macro_rules! select_candidates {
    ($tail:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            CandidateRow,
            "SELECT account_id, metric, state, month, consecutive_months, used, usage_limit, score, active_users,
                    criteria, suppressions, opportunity_id, rest_ends_at, identified_at, reviewed_at
               FROM expansion.candidates " + $tail
            $(, $argument)*
        )
    };
}

/// The chance of an account and metric, if there is one.
pub(crate) async fn lookup(
    conn: &mut PgConnection,
    account: &AccountId,
    metric: &str,
) -> Result<Option<Candidate>, StorageError> {
    let row = select_candidates!("WHERE account_id = $1 AND metric = $2", account.as_str(), metric);
    row.fetch_optional(conn).await?.map(Candidate::try_from).transpose()
}

/// All chances of an account, by metric.
pub(crate) async fn of_account(conn: &mut PgConnection, account: &AccountId) -> Result<Vec<Candidate>, StorageError> {
    let rows = select_candidates!("WHERE account_id = $1 ORDER BY metric", account.as_str()).fetch_all(conn).await?;
    rows.into_iter().map(Candidate::try_from).collect()
}

/// A page of chances after one, the best first: qualified, identified, suppressed, lapsed; by score, then by active
/// users, what is not known last; then by account and metric. The expressions are those of an index.
pub(crate) async fn list(
    conn: &mut PgConnection,
    filter: &CandidateFilter,
    after: Option<&CandidateCursor>,
    limit: i64,
) -> Result<Vec<Candidate>, StorageError> {
    let states = codes::any_of(&filter.states, codes::candidate_state_number);
    let rows = select_candidates!(
        r#"WHERE ($1::text IS NULL OR account_id = $1) AND ($2::text IS NULL OR metric = $2)
             AND CASE WHEN $3::smallint[] IS NULL THEN state <> $4 ELSE state = ANY($3) END
             AND ($5::smallint IS NULL OR
                  (CASE state WHEN 2 THEN 0 ELSE state END, -coalesce(score, -1), -coalesce(active_users, -1),
                   account_id, metric)
                  > (CASE $5 WHEN 2 THEN 0 ELSE $5 END, -coalesce($6::integer, -1), -coalesce($7::bigint, -1), $8, $9))
           ORDER BY CASE state WHEN 2 THEN 0 ELSE state END, -coalesce(score, -1), -coalesce(active_users, -1),
                    account_id, metric
           LIMIT $10"#,
        filter.account.as_ref().map(AccountId::as_str),
        filter.metric.as_deref(),
        states.as_deref(),
        codes::candidate_state_number(CandidateState::Lapsed),
        after.map(|after| codes::candidate_state_number(after.state)),
        after.and_then(|after| after.score_units),
        after.and_then(|after| after.active_users),
        after.map_or("", |after| after.account_id.as_str()),
        after.map_or("", |after| after.metric.as_str()),
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Candidate::try_from).collect()
}

/// Stores a chance as of this look.
pub(crate) async fn store(conn: &mut PgConnection, candidate: &Candidate) -> Result<(), StorageError> {
    sqlx::query!(
        "INSERT INTO expansion.candidates (account_id, metric, state, month, consecutive_months, used, usage_limit,
             score, active_users, criteria, suppressions, opportunity_id, rest_ends_at, identified_at, reviewed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         ON CONFLICT (account_id, metric) DO UPDATE SET
             state = excluded.state, month = excluded.month, consecutive_months = excluded.consecutive_months,
             used = excluded.used, usage_limit = excluded.usage_limit, score = excluded.score,
             active_users = excluded.active_users, criteria = excluded.criteria, suppressions = excluded.suppressions,
             opportunity_id = excluded.opportunity_id,
             rest_ends_at = excluded.rest_ends_at, reviewed_at = excluded.reviewed_at",
        candidate.account.as_str(),
        candidate.metric,
        codes::candidate_state_number(candidate.state),
        candidate.month.first_day(),
        i32::try_from(candidate.consecutive_months).map_err(corrupt)?,
        candidate.used,
        candidate.limit,
        candidate.score.map(Points::units),
        candidate.active_users,
        to_json(&candidate.criteria)?,
        to_json(&candidate.suppressions)?,
        candidate.opportunity,
        candidate.rest_ends_at,
        candidate.identified_at,
        candidate.reviewed_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}
