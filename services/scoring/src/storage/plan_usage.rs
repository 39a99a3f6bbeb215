//! How much of the limits of their plans accounts used in a month.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::AccountId;
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes::series_kind_number;
use crate::domain::SeriesKind;

/// What accounts used, by account and metric, and how many of their users were active.
#[derive(Debug, Default)]
pub(crate) struct PlanUsage {
    used: HashMap<(String, String), f64>,
    active_users: HashMap<String, i64>,
}

impl PlanUsage {
    /// What an account used of a metric; none without data.
    pub(crate) fn used(&self, account: &AccountId, metric: &str) -> Option<f64> {
        self.used.get(&(account.as_str().to_owned(), metric.to_owned())).copied()
    }

    /// How many users of an account were active.
    pub(crate) fn active_users(&self, account: &AccountId) -> i64 {
        self.active_users.get(account.as_str()).copied().unwrap_or_default()
    }
}

/// A page of the accounts that were there when a month ended, are not archived, and whose use in it was not told yet, in the order
/// of their ids, after `after`.
pub(crate) async fn accounts_to_tell(
    conn: &mut PgConnection,
    month: NaiveDate,
    month_end: DateTime<Utc>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<String>, StorageError> {
    Ok(sqlx::query_scalar!(
        "SELECT account_id FROM scoring.accounts
          WHERE archived_at IS NULL AND created_at < $2 AND ($3::text IS NULL OR account_id > $3)
            AND NOT EXISTS (SELECT FROM scoring.plan_usage_reports AS told
                             WHERE told.account_id = accounts.account_id AND told.month >= $1)
          ORDER BY account_id LIMIT $4",
        month,
        month_end,
        after,
        limit,
    )
    .fetch_all(conn)
    .await?)
}

/// Notes that the month was told of these accounts.
pub(crate) async fn note_told(
    conn: &mut PgConnection,
    accounts: &[&str],
    month: NaiveDate,
) -> Result<(), StorageError> {
    sqlx::query!(
        "INSERT INTO scoring.plan_usage_reports (account_id, month)
         SELECT account_id, $2 FROM unnest($1::text[]) AS given (account_id)
         ON CONFLICT (account_id) DO UPDATE SET month = excluded.month",
        accounts as &[&str],
        month,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What these accounts used of the metrics named, in the month that begins on `month`: of counts the sum, of gauges the
/// highest level.
pub(crate) async fn load(
    conn: &mut PgConnection,
    accounts: &[&str],
    metrics: &[&str],
    month: NaiveDate,
) -> Result<PlanUsage, StorageError> {
    let mut usage = PlanUsage::default();
    let counts = sqlx::query!(
        r#"SELECT account_id, name, (SELECT sum(day) FROM unnest(day_sums) AS day)::float8 AS "used!"
             FROM scoring.count_months
            WHERE account_id = ANY($1::text[]) AND kind = $3 AND month = $4 AND name = ANY($2::text[])"#,
        accounts as &[&str],
        metrics as &[&str],
        series_kind_number(SeriesKind::Usage),
        month,
    )
    .fetch_all(&mut *conn)
    .await?;
    usage.used.extend(counts.into_iter().map(|row| ((row.account_id, row.name), row.used)));
    let levels = sqlx::query!(
        r#"SELECT account_id, name, (SELECT max(day) FROM unnest(day_levels) AS day) AS "used!"
             FROM scoring.gauge_months
            WHERE account_id = ANY($1::text[]) AND month = $3 AND name = ANY($2::text[])"#,
        accounts as &[&str],
        metrics as &[&str],
        month,
    )
    .fetch_all(&mut *conn)
    .await?;
    usage.used.extend(levels.into_iter().map(|row| ((row.account_id, row.name), row.used)));
    let users = sqlx::query!(
        r#"SELECT account_id, count(*) AS "count!" FROM scoring.count_months
            WHERE account_id = ANY($1::text[]) AND kind = $2 AND month = $3 GROUP BY account_id"#,
        accounts as &[&str],
        series_kind_number(SeriesKind::User),
        month,
    )
    .fetch_all(conn)
    .await?;
    usage.active_users.extend(users.into_iter().map(|row| (row.account_id, row.count)));
    Ok(usage)
}
