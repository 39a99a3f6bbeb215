//! What a report of requested features is made of.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_domain::day_of;
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes::money;
use super::customer_filters::FilterParameters;
use crate::domain::customer_filter::CustomerFilter;
use crate::domain::feature_request_report::{AskerGroup, COMPARED_MAX, EFFECT_DAYS, Given};
use crate::domain::signal::SignalKind;

/// Requests after a time and until another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestWindow {
    pub start: DateTime<Utc>,
    /// Within the window; later ones are recent.
    pub recent_start: DateTime<Utc>,
    pub end: DateTime<Utc>,
}

/// Those who asked by feature and currency: customers, and those who left since they asked.
pub(crate) async fn askers(
    conn: &mut PgConnection,
    customers: &CustomerFilter,
    window: RequestWindow,
) -> Result<Vec<AskerGroup>, StorageError> {
    let customers = FilterParameters::of(customers);
    let rows = sqlx::query!(
        r#"WITH asked AS (
               SELECT feature, account_id, count(*) AS request_count,
                      count(*) FILTER (WHERE event_at > $4) AS recent_request_count,
                      min(event_at) AS first_at, max(event_at) AS last_at
                 FROM scoring.feature_signals
                WHERE kind = $6 AND event_at > $3 AND event_at <= $5
                GROUP BY 1, 2
           ), askers AS (
               SELECT asked.*, accounts.lifecycle_stage = 5 AS has_left, COALESCE(health.band <= 2, false) AS is_at_risk,
                      accounts.currency,
                      scoring.annual_minor_units(accounts.arr_minor_units, accounts.mrr_minor_units) AS arr_minor_units
                 FROM asked
                 JOIN scoring.accounts ON accounts.account_id = asked.account_id
                 LEFT JOIN scoring.health ON health.account_id = asked.account_id
                WHERE CASE WHEN accounts.lifecycle_stage = 5 THEN accounts.churned_at >= asked.first_at
                           ELSE accounts.archived_at IS NULL END
                  AND ($1::smallint[] IS NULL OR accounts.segment = ANY($1))
                  AND ($2::text IS NULL OR accounts.owner_emails @> ARRAY[$2])
           )
           SELECT feature AS "feature!", currency, sum(request_count)::bigint AS "request_count!",
                  count(*) AS "account_count!", sum(recent_request_count)::bigint AS "recent_request_count!",
                  count(*) FILTER (WHERE recent_request_count > 0) AS "recent_account_count!",
                  min(first_at) AS "first_at!", max(last_at) AS "last_at!",
                  sum(arr_minor_units) FILTER (WHERE NOT has_left)::bigint AS arr_minor_units,
                  count(*) FILTER (WHERE NOT has_left AND is_at_risk) AS "at_risk_account_count!",
                  sum(arr_minor_units) FILTER (WHERE NOT has_left AND is_at_risk)::bigint AS at_risk_minor_units,
                  count(*) FILTER (WHERE has_left) AS "left_account_count!"
             FROM askers GROUP BY 1, 2"#,
        customers.segments.as_deref(),
        customers.owner_email,
        window.start,
        window.recent_start,
        window.end,
        SignalKind::FeatureRequest.number(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(AskerGroup {
                feature: row.feature,
                request_count: row.request_count,
                account_count: row.account_count,
                recent_request_count: row.recent_request_count,
                recent_account_count: row.recent_account_count,
                first_at: row.first_at,
                last_at: row.last_at,
                arr: money(row.currency.as_deref(), row.arr_minor_units)?,
                at_risk_account_count: row.at_risk_account_count,
                at_risk_arr: money(row.currency.as_deref(), row.at_risk_minor_units)?,
                left_account_count: row.left_account_count,
            })
        })
        .collect()
}

/// What became of those who got these features within the window, for each that somebody got. Scores are compared of so many accounts
/// in all, drawn by a hash.
pub(crate) async fn given(
    conn: &mut PgConnection,
    customers: &CustomerFilter,
    window: RequestWindow,
    features: &[&str],
) -> Result<HashMap<String, Given>, StorageError> {
    let customers = FilterParameters::of(customers);
    // A plan over all parts of the history is compiled for ten times as long as it runs.
    sqlx::query!("SET LOCAL jit = off").execute(&mut *conn).await?;
    let rows = sqlx::query!(
        r#"WITH asked AS (
               SELECT feature, account_id, min(event_at) AS first_at
                 FROM scoring.feature_signals
                WHERE kind = $5 AND event_at > $3 AND event_at <= $4 AND feature = ANY($7::text[])
                GROUP BY 1, 2
           ), released AS (
               SELECT released.feature, released.account_id, accounts.lifecycle_stage = 5 AS has_left, accounts.churned_at,
                      asked.first_at AS first_at,
                      (min(released.event_at) FILTER (WHERE released.event_at >= asked.first_at)
                          AT TIME ZONE 'UTC')::date AS given_day
                 FROM scoring.feature_signals AS released
                 JOIN scoring.accounts ON accounts.account_id = released.account_id
                 LEFT JOIN asked ON asked.feature = released.feature AND asked.account_id = released.account_id
                WHERE released.kind = $6 AND released.event_at > $3 AND released.event_at <= $4
                  AND released.feature = ANY($7)
                  AND (accounts.archived_at IS NULL OR accounts.lifecycle_stage = 5)
                  AND ($1::smallint[] IS NULL OR accounts.segment = ANY($1))
                  AND ($2::text IS NULL OR accounts.owner_emails @> ARRAY[$2])
                GROUP BY 1, 2, 3, 4, 5
           ), given AS (
               SELECT *, row_number() OVER (PARTITION BY feature, given_day <= $9::date
                                            ORDER BY hashtextextended(account_id, 0)) AS place
                 FROM released WHERE given_day IS NOT NULL AND (NOT has_left OR churned_at >= first_at)
           ), compared AS (
               -- An account's day is found by its key; a join may decide to read the history of all.
               SELECT feature,
                      (SELECT score FROM scoring.health_history AS history
                        WHERE history.account_id = given.account_id AND history.day = given_day + $8::integer)
                      - (SELECT score FROM scoring.health_history AS history
                          WHERE history.account_id = given.account_id AND history.day = given_day - 1) AS change
                 FROM given WHERE given_day <= $9 AND place <= $10
           )
           SELECT feature AS "feature!", sum(released)::bigint AS "released_count!", sum(given)::bigint AS "given_count!",
                  count(change) AS "compared_count!", COALESCE(sum(change), 0)::bigint AS "change_sum!"
             FROM (SELECT feature, 1 AS released, 0 AS given, NULL::integer AS change FROM released
                    UNION ALL
                   SELECT feature, 0, 1, NULL FROM given
                    UNION ALL
                   SELECT feature, 0, 0, change FROM compared) AS counted
            GROUP BY 1"#,
        customers.segments.as_deref(),
        customers.owner_email,
        window.start,
        window.end,
        SignalKind::FeatureRequest.number(),
        SignalKind::FeatureRelease.number(),
        features as &[&str],
        EFFECT_DAYS,
        day_of(window.end) - TimeDelta::days(EFFECT_DAYS.into()),
        COMPARED_MAX / i64::try_from(features.len().max(1)).unwrap_or(i64::MAX),
    )
    .fetch_all(conn)
    .await?;
    let given = rows.into_iter().map(|row| {
        let given = Given {
            released_to: row.released_count,
            askers: row.given_count,
            compared_count: row.compared_count,
            change_sum: row.change_sum,
        };
        (row.feature, given)
    });
    Ok(given.collect())
}
