//! The limits of their plans that customers are near, who have room to grow.

use chrono::NaiveDate;
use mainstay_domain::{AccountId, NEAR_LIMIT_MONTHS_MIN, NEAR_LIMIT_PERCENT};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes::{self, money};
use super::customer_filters::FilterParameters;
use super::plan_usage;
use crate::domain::customer_filter::CustomerFilter;
use crate::domain::health_report::ReadyToGrow;

/// So many months in a row as the statements have it.
pub(super) const MONTHS_MIN: i32 = NEAR_LIMIT_MONTHS_MIN.cast_signed();

/// A metric of which an account used most of its limit in a month, or more than all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct NearlyUsed<'a> {
    pub account: &'a str,
    pub metric: &'a str,
    /// What was used, as a share of the limit.
    pub share: f64,
    pub plan_limit: f64,
}

/// Notes what accounts nearly used in a month. They are locked.
pub(crate) async fn note(
    conn: &mut PgConnection,
    nearly_used: &[NearlyUsed<'_>],
    month: NaiveDate,
) -> Result<(), StorageError> {
    if nearly_used.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO scoring.near_limits AS stored (account_id, metric, month, share, plan_limit, months)
         SELECT account_id, metric, $5, share, plan_limit, 1
           FROM unnest($1::text[], $2::text[], $3::float8[], $4::float8[]) AS given (account_id, metric, share, plan_limit)
         ON CONFLICT (account_id, metric) DO UPDATE
            SET month = excluded.month, share = excluded.share, plan_limit = excluded.plan_limit,
                months = CASE WHEN stored.month = (excluded.month - interval '1 month')::date THEN stored.months + 1
                              ELSE 1 END",
        &nearly_used.iter().map(|one| one.account).collect::<Vec<_>>() as &[&str],
        &nearly_used.iter().map(|one| one.metric).collect::<Vec<_>>() as &[&str],
        &nearly_used.iter().map(|one| one.share).collect::<Vec<_>>(),
        &nearly_used.iter().map(|one| one.plan_limit).collect::<Vec<_>>(),
        month,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Judges anew whether an account is near its limits of these metrics, by what it used in the newest month in which it was, as far as that
/// is still known. It is locked.
pub(crate) async fn judge_anew(
    conn: &mut PgConnection,
    account: &AccountId,
    metrics: &[&str],
) -> Result<(), StorageError> {
    let months = sqlx::query!(
        "SELECT DISTINCT month FROM scoring.near_limits WHERE account_id = $1 AND metric = ANY($2::text[])",
        account.as_str(),
        metrics as &[&str],
    )
    .fetch_all(&mut *conn)
    .await?;
    for row in months {
        let usage = plan_usage::load(conn, &[account.as_str()], metrics, row.month).await?;
        let used: Vec<f64> = metrics.iter().map(|metric| usage.used(account, metric).unwrap_or_default()).collect();
        sqlx::query!(
            "WITH used AS (SELECT * FROM unnest($2::text[], $3::float8[]) AS used (metric, amount)
             ), gone AS (
                 DELETE FROM scoring.near_limits AS stored USING used
                  WHERE stored.account_id = $1 AND stored.metric = used.metric AND stored.month = $4
                    AND used.amount * 100 < stored.plan_limit * $5)
             UPDATE scoring.near_limits AS stored SET share = used.amount / stored.plan_limit FROM used
              WHERE stored.account_id = $1 AND stored.metric = used.metric AND stored.month = $4
                AND used.amount * 100 >= stored.plan_limit * $5",
            account.as_str(),
            metrics as &[&str],
            &used,
            row.month,
            NEAR_LIMIT_PERCENT,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// How many customers are neither at risk nor critical and near a limit of their plan as of `month`, and what they bring in.
pub(crate) async fn ready_to_grow(
    conn: &mut PgConnection,
    customers: &CustomerFilter,
    month: NaiveDate,
) -> Result<ReadyToGrow, StorageError> {
    let customers = FilterParameters::of(customers);
    let rows = sqlx::query!(
        r#"SELECT accounts.currency, count(*) AS "account_count!",
                  sum(scoring.annual_minor_units(accounts.arr_minor_units, accounts.mrr_minor_units))::bigint AS arr_minor_units
             FROM scoring.accounts
             JOIN scoring.health ON health.account_id = accounts.account_id
            WHERE accounts.account_id IN (SELECT account_id FROM scoring.near_limits WHERE month = $3 AND months >= $4)
              AND health.band > 2
              AND accounts.archived_at IS NULL AND accounts.lifecycle_stage <> 5
              AND ($1::smallint[] IS NULL OR accounts.segment = ANY($1))
              AND ($2::text IS NULL OR accounts.owner_emails @> ARRAY[$2])
            GROUP BY 1"#,
        customers.segments.as_deref(),
        customers.owner_email,
        month,
        MONTHS_MIN,
    )
    .fetch_all(conn)
    .await?;
    let mut ready = ReadyToGrow::default();
    for row in rows {
        ready.account_count += row.account_count;
        if let Some(arr) = money(row.currency.as_deref(), row.arr_minor_units)? {
            ready.arr.add(arr).map_err(codes::corrupt)?;
        }
    }
    Ok(ready)
}
