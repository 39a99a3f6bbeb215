//! What customers are to reach, and where each stands with it.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::{AccountId, AdoptionTargetId};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes;
use crate::domain::adoption_target::{AccountOutcome, AdoptionTarget, KeptTarget, ValueOutcome};

const fn outcome_number(outcome: &ValueOutcome) -> i16 {
    match outcome {
        ValueOutcome::Milestone(_) => 1,
        ValueOutcome::UsageTotal { .. } => 2,
        ValueOutcome::FeatureUses { .. } => 3,
    }
}

fn outcome(number: i16, name: String, quantity: Option<i64>) -> Result<ValueOutcome, StorageError> {
    match (number, quantity) {
        (1, None) => Ok(ValueOutcome::Milestone(name)),
        (2, Some(quantity)) => Ok(ValueOutcome::UsageTotal { metric: name, quantity }),
        (3, Some(count)) => Ok(ValueOutcome::FeatureUses { feature: name, count }),
        _ => Err(codes::corrupt(format!("outcome kind {number}"))),
    }
}

pub(super) fn target_id(text: &str) -> Result<AdoptionTargetId, StorageError> {
    AdoptionTargetId::parse(text).map_err(codes::corrupt)
}

/// All targets, by id.
pub(crate) async fn all(conn: &mut PgConnection) -> Result<Vec<KeptTarget>, StorageError> {
    let rows = sqlx::query!(
        "SELECT target_id, display_name, segments, outcome_kind, outcome_name, quantity, within_days, target_share, updated_at
           FROM scoring.adoption_targets ORDER BY target_id"
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let target = AdoptionTarget {
                id: target_id(&row.target_id)?,
                display_name: row.display_name,
                segments: row.segments.into_iter().map(codes::segment).collect::<Result<_, _>>()?,
                outcome: outcome(row.outcome_kind, row.outcome_name, row.quantity)?,
                within_days: row.within_days,
                share: row.target_share,
            };
            Ok(KeptTarget { target, updated_at: row.updated_at })
        })
        .collect()
}

/// Has changes of targets wait for one another until the transaction ends.
pub(crate) async fn lock(conn: &mut PgConnection) -> Result<(), StorageError> {
    sqlx::query!("LOCK TABLE scoring.adoption_targets IN SHARE ROW EXCLUSIVE MODE").execute(conn).await?;
    Ok(())
}

/// Keeps a target, instead of the one with its id.
pub(crate) async fn set(
    conn: &mut PgConnection,
    target: &AdoptionTarget,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    sqlx::query!(
        "INSERT INTO scoring.adoption_targets
             (target_id, display_name, segments, outcome_kind, outcome_name, quantity, within_days, target_share, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (target_id) DO UPDATE SET
             display_name = excluded.display_name, segments = excluded.segments, outcome_kind = excluded.outcome_kind,
             outcome_name = excluded.outcome_name, quantity = excluded.quantity, within_days = excluded.within_days,
             target_share = excluded.target_share, updated_at = excluded.updated_at",
        target.id.as_str(),
        target.display_name,
        &target.segments.iter().copied().map(codes::segment_number).collect::<Vec<_>>(),
        outcome_number(&target.outcome),
        target.outcome.name(),
        target.outcome.quantity(),
        target.within_days,
        target.share,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes a target away; answers whether there was one. Where accounts stand with it is told no more, and goes as they are scored.
pub(crate) async fn delete(conn: &mut PgConnection, id: &AdoptionTargetId) -> Result<bool, StorageError> {
    let deleted =
        sqlx::query!("DELETE FROM scoring.adoption_targets WHERE target_id = $1", id.as_str()).execute(conn).await?;
    Ok(deleted.rows_affected() > 0)
}

/// Where accounts stand with the targets that there are, by account, in the order of the targets' ids.
pub(crate) async fn outcomes(
    conn: &mut PgConnection,
    accounts: &[&str],
) -> Result<HashMap<String, Vec<AccountOutcome>>, StorageError> {
    let rows = sqlx::query_as!(
        OutcomeRow,
        "SELECT account_id, target_id, activation_day, due_day, reached_day
           FROM scoring.account_outcomes JOIN scoring.adoption_targets USING (target_id)
          WHERE account_id = ANY($1::text[]) ORDER BY account_id, target_id",
        accounts as &[&str],
    )
    .fetch_all(conn)
    .await?;
    by_account(rows)
}

/// All that is written of where accounts stand, also with targets that are gone.
pub(crate) async fn written_outcomes(
    conn: &mut PgConnection,
    accounts: &[&str],
) -> Result<HashMap<String, Vec<AccountOutcome>>, StorageError> {
    let rows = sqlx::query_as!(
        OutcomeRow,
        "SELECT account_id, target_id, activation_day, due_day, reached_day
           FROM scoring.account_outcomes WHERE account_id = ANY($1::text[])",
        accounts as &[&str],
    )
    .fetch_all(conn)
    .await?;
    by_account(rows)
}

struct OutcomeRow {
    account_id: String,
    target_id: String,
    activation_day: NaiveDate,
    due_day: NaiveDate,
    reached_day: Option<NaiveDate>,
}

fn by_account(rows: Vec<OutcomeRow>) -> Result<HashMap<String, Vec<AccountOutcome>>, StorageError> {
    let mut outcomes: HashMap<String, Vec<AccountOutcome>> = HashMap::new();
    for row in rows {
        outcomes.entry(row.account_id).or_default().push(AccountOutcome {
            target_id: target_id(&row.target_id)?,
            activation_day: row.activation_day,
            due_day: row.due_day,
            reached_day: row.reached_day,
        });
    }
    Ok(outcomes)
}

/// Writes where accounts stand, whatever is known of it.
pub(crate) async fn write_outcomes(
    conn: &mut PgConnection,
    outcomes: &[(&AccountId, AccountOutcome)],
) -> Result<(), StorageError> {
    let column =
        |day: fn(&AccountOutcome) -> NaiveDate| outcomes.iter().map(|(_, outcome)| day(outcome)).collect::<Vec<_>>();
    sqlx::query!(
        "INSERT INTO scoring.account_outcomes (account_id, target_id, activation_day, due_day, reached_day)
         SELECT * FROM unnest($1::text[], $2::text[], $3::date[], $4::date[], $5::date[])
         ON CONFLICT (account_id, target_id) DO UPDATE SET
             activation_day = excluded.activation_day, due_day = excluded.due_day, reached_day = excluded.reached_day",
        &outcomes.iter().map(|(account, _)| account.as_str()).collect::<Vec<_>>() as &[&str],
        &outcomes.iter().map(|(_, outcome)| outcome.target_id.as_str()).collect::<Vec<_>>() as &[&str],
        &column(|outcome| outcome.activation_day),
        &column(|outcome| outcome.due_day),
        &outcomes.iter().map(|(_, outcome)| outcome.reached_day).collect::<Vec<_>>() as &[Option<NaiveDate>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets where accounts stand with targets that are not theirs any more.
pub(crate) async fn delete_outcomes(
    conn: &mut PgConnection,
    gone: &[(&AccountId, AdoptionTargetId)],
) -> Result<(), StorageError> {
    sqlx::query!(
        "DELETE FROM scoring.account_outcomes
          WHERE (account_id, target_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))",
        &gone.iter().map(|(account, _)| account.as_str()).collect::<Vec<_>>() as &[&str],
        &gone.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>() as &[&str],
    )
    .execute(conn)
    .await?;
    Ok(())
}
