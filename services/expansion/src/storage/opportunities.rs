//! Rows of opportunities. Who writes one holds its account's row.

use chrono::{DateTime, Utc};
use mainstay_domain::AccountId;
use mainstay_storage::{StorageError, exactly_one};
use sqlx::PgConnection;
use uuid::Uuid;

use super::codes::{self, to_json};
use super::opportunity_row::OpportunityRow;
use crate::domain::{Opportunity, OpportunityCursor, OpportunityFilter, OpportunityName, PlanId};

/// `query_as!` for whole opportunities, so that the columns stand here once.
macro_rules! select_opportunities {
    ($tail:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            OpportunityRow,
            "SELECT account_id, opportunity_id, metric, stage, postponed_stage, postponed_until, owner_email,
                    owner_is_fallback, current_plan_id, target_plan_id, expected_currency, expected_minor_units,
                    won_currency, won_minor_units, checklist, due_at, overdue_at, held_at, held_seconds, holds,
                    hand_over, lost_reason, note, criteria, created_at, stage_at, closed_at, version
               FROM expansion.opportunities " + $tail
            $(, $argument)*
        )
    };
}

/// The opportunity, if there is one.
pub(crate) async fn lookup(
    conn: &mut PgConnection,
    name: &OpportunityName,
) -> Result<Option<Opportunity>, StorageError> {
    let row = select_opportunities!("WHERE account_id = $1 AND opportunity_id = $2", name.account.as_str(), name.id);
    row.fetch_optional(conn).await?.map(Opportunity::try_from).transpose()
}

/// The open opportunities of an account, in the order of their ids.
pub(crate) async fn open_of_account(
    conn: &mut PgConnection,
    account: &AccountId,
) -> Result<Vec<Opportunity>, StorageError> {
    let rows =
        select_opportunities!("WHERE account_id = $1 AND closed_at IS NULL ORDER BY opportunity_id", account.as_str());
    rows.fetch_all(conn).await?.into_iter().map(Opportunity::try_from).collect()
}

/// By metric, the last opportunity of an account that was closed, and when.
pub(crate) async fn last_closed(
    conn: &mut PgConnection,
    account: &AccountId,
) -> Result<Vec<(String, Uuid, DateTime<Utc>)>, StorageError> {
    let rows = sqlx::query!(
        r#"SELECT DISTINCT ON (metric) metric, opportunity_id, closed_at AS "closed_at!"
             FROM expansion.opportunities WHERE account_id = $1 AND closed_at IS NOT NULL
            ORDER BY metric, closed_at DESC"#,
        account.as_str(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.metric, row.opportunity_id, row.closed_at)).collect())
}

/// A page of opportunities: open ones by their due time, those on hold after them, then closed ones.
pub(crate) async fn list(
    conn: &mut PgConnection,
    filter: &OpportunityFilter,
    after: Option<&OpportunityCursor>,
    limit: i64,
) -> Result<Vec<Opportunity>, StorageError> {
    let stages = codes::any_of(&filter.stages, codes::stage_number);
    let rows = select_opportunities!(
        r#"WHERE ($1::text IS NULL OR account_id = $1)
             AND CASE WHEN $2::smallint[] IS NULL THEN closed_at IS NULL ELSE stage = ANY($2) END
             AND ($3::text IS NULL OR owner_email = $3)
             AND (NOT $4 OR overdue_at IS NOT NULL) AND (NOT $5 OR held_at IS NOT NULL)
             AND ($6::boolean IS NULL OR
                  ((closed_at IS NOT NULL), coalesce(due_at, 'infinity'::timestamptz), account_id, opportunity_id)
                  > ($6, coalesce($7::timestamptz, 'infinity'::timestamptz), $8, $9::uuid))
           ORDER BY (closed_at IS NOT NULL), coalesce(due_at, 'infinity'::timestamptz), account_id, opportunity_id
           LIMIT $10"#,
        filter.account.as_ref().map(AccountId::as_str),
        stages.as_deref(),
        filter.owner_email.as_deref(),
        filter.overdue_only,
        filter.held_only,
        after.map(|after| after.closed),
        after.and_then(|after| after.due_at),
        after.map_or("", |after| after.account_id.as_str()),
        after.map_or(Uuid::nil(), |after| after.opportunity_id),
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Opportunity::try_from).collect()
}

/// Stores a new one, or one that is there with the version before.
pub(crate) async fn store(conn: &mut PgConnection, opportunity: &Opportunity) -> Result<(), StorageError> {
    let currency = |money: Option<mainstay_domain::Money>| money.map(|money| money.currency.to_string());
    let stored = sqlx::query!(
        "INSERT INTO expansion.opportunities AS known (account_id, opportunity_id, metric, stage, postponed_stage,
             postponed_until, owner_email, owner_is_fallback, current_plan_id, target_plan_id, expected_currency,
             expected_minor_units, won_currency, won_minor_units, checklist, due_at, overdue_at, held_at, held_seconds,
             holds, hand_over, lost_reason, note, criteria, created_at, stage_at, closed_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
             $23, $24, $25, $26, $27, $28)
         ON CONFLICT (account_id, opportunity_id) DO UPDATE SET
             stage = excluded.stage, postponed_stage = excluded.postponed_stage,
             postponed_until = excluded.postponed_until, owner_email = excluded.owner_email,
             owner_is_fallback = excluded.owner_is_fallback, target_plan_id = excluded.target_plan_id,
             expected_currency = excluded.expected_currency, expected_minor_units = excluded.expected_minor_units,
             won_currency = excluded.won_currency, won_minor_units = excluded.won_minor_units,
             checklist = excluded.checklist, due_at = excluded.due_at, overdue_at = excluded.overdue_at,
             held_at = excluded.held_at, held_seconds = excluded.held_seconds, holds = excluded.holds,
             hand_over = excluded.hand_over, lost_reason = excluded.lost_reason, note = excluded.note,
             stage_at = excluded.stage_at, closed_at = excluded.closed_at, version = excluded.version
           WHERE known.version = excluded.version - 1",
        opportunity.name.account.as_str(),
        opportunity.name.id,
        opportunity.metric,
        codes::stage_number(opportunity.stage),
        opportunity.postponed.map(|(stage, _)| codes::stage_number(stage)),
        opportunity.postponed.map(|(_, until)| until),
        opportunity.owner.email,
        opportunity.owner.is_fallback,
        opportunity.current_plan.as_ref().map(PlanId::as_str),
        opportunity.target_plan.as_ref().map(PlanId::as_str),
        currency(opportunity.expected_gain),
        opportunity.expected_gain.map(|money| money.minor_units),
        currency(opportunity.won_amount),
        opportunity.won_amount.map(|money| money.minor_units),
        to_json(&opportunity.checklist)?,
        opportunity.due_at,
        opportunity.overdue_at,
        opportunity.hold.map(|hold| hold.since),
        opportunity.hold.map(|hold| hold.left.num_seconds()),
        to_json(&opportunity.holds)?,
        opportunity.hand_over.as_ref().map(to_json).transpose()?,
        opportunity.lost_reason.map(codes::lost_reason_number),
        opportunity.note,
        to_json(&opportunity.criteria)?,
        opportunity.created_at,
        opportunity.stage_at,
        opportunity.closed_at,
        opportunity.version,
    )
    .execute(conn)
    .await?;
    exactly_one(&stored)
}
