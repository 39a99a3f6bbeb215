//! What a report of health is made of: sums over the newest health of all customers, which is kept ready.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use mainstay_domain::{Band, BandCuts, NPS_PROMOTER_MIN, Points};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes::{self, money};
use super::customer_filters::FilterParameters;
use super::near_limits;
use super::risk_triggers::kind_of;
use super::survey_answers::question_number;
use crate::domain::customer_filter::CustomerFilter;
use crate::domain::health_report::{
    CustomerReport, NearLimit, ReportGroup, ReportPeriod, ReportQuery, RiskTriggerReport, TimeToValue, TrendPoint,
};
use crate::domain::voice::SurveyQuestion;

/// Days of the trend before today.
const TREND_DAYS: [i32; 5] = [28, 21, 14, 7, 0];

/// Customers by segment, band, band of before and currency. Where a score of today is not there yet, that of the day before stands in, and
/// so for the days before.
pub(crate) async fn groups(
    conn: &mut PgConnection,
    customers: &CustomerFilter,
    period: ReportPeriod,
    cuts: &BandCuts,
    today: NaiveDate,
) -> Result<Vec<ReportGroup>, StorageError> {
    let customers = FilterParameters::of(customers);
    let rows = sqlx::query!(
        r#"SELECT accounts.segment, health.band AS "band?",
                  CASE WHEN earlier.score < $4 THEN 1 WHEN earlier.score < $5 THEN 2 WHEN earlier.score <= $6 THEN 3
                       WHEN earlier.score IS NOT NULL THEN 4 END::smallint AS band_before,
                  accounts.currency, count(*) AS "account_count!",
                  COALESCE(sum(health.score), 0)::bigint AS "score_sum!",
                  count(health.score - earlier.score) AS "compared_count!",
                  COALESCE(sum(health.score - earlier.score), 0)::bigint AS "change_sum!",
                  sum(scoring.annual_minor_units(accounts.arr_minor_units, accounts.mrr_minor_units))::bigint AS arr_minor_units,
                  min(health.day) AS oldest_day
             FROM scoring.accounts
             LEFT JOIN scoring.health ON health.account_id = accounts.account_id
             LEFT JOIN LATERAL (SELECT CASE WHEN $3::integer <= $7::date - health.day THEN health.score
                                            ELSE COALESCE(health.recent_scores[$3 - ($7 - health.day)],
                                                          health.score - CASE $3 WHEN 1 THEN health.change_1d
                                                                                 WHEN 7 THEN health.change_7d
                                                                                 ELSE health.change_30d END) END
                                       AS score) AS earlier ON true
            WHERE accounts.archived_at IS NULL AND accounts.lifecycle_stage <> 5
              AND ($1::smallint[] IS NULL OR accounts.segment = ANY($1))
              AND ($2::text IS NULL OR accounts.owner_emails @> ARRAY[$2])
            GROUP BY 1, 2, 3, 4"#,
        customers.segments.as_deref(),
        customers.owner_email,
        period.days(),
        cuts.critical_below.units(),
        cuts.at_risk_below.units(),
        cuts.healthy_above.units(),
        today,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(ReportGroup {
                segment: codes::segment(row.segment)?,
                band: row.band.map(codes::band).transpose()?,
                band_before: row.band_before.map(codes::band).transpose()?,
                account_count: row.account_count,
                score_sum: row.score_sum,
                compared_count: row.compared_count,
                change_sum: row.change_sum,
                oldest_day: row.oldest_day,
                arr: money(row.currency.as_deref(), row.arr_minor_units)?,
            })
        })
        .collect()
}

/// The customers of today on the days of the trend, oldest first.
pub(crate) async fn trend(
    conn: &mut PgConnection,
    query: &ReportQuery,
    cuts: &BandCuts,
    today: NaiveDate,
) -> Result<Vec<TrendPoint>, StorageError> {
    let customers = FilterParameters::of(&query.customers);
    let rows = sqlx::query!(
        r#"SELECT days.back AS "back!", count(past.score) AS "scored_count!",
                  COALESCE(sum(past.score), 0)::bigint AS "score_sum!",
                  count(*) FILTER (WHERE past.score < $4) AS "at_risk_count!",
                  count(*) FILTER (WHERE past.score < $3) AS "critical_count!"
             FROM scoring.accounts
             JOIN scoring.health ON health.account_id = accounts.account_id
            CROSS JOIN unnest($5::integer[]) AS days (back)
            CROSS JOIN LATERAL (SELECT CASE WHEN days.back <= $6::date - health.day THEN health.score
                                            ELSE health.recent_scores[days.back - ($6 - health.day)] END AS score) AS past
            WHERE accounts.archived_at IS NULL AND accounts.lifecycle_stage <> 5
              AND ($1::smallint[] IS NULL OR accounts.segment = ANY($1))
              AND ($2::text IS NULL OR accounts.owner_emails @> ARRAY[$2])
            GROUP BY 1 ORDER BY 1 DESC"#,
        customers.segments.as_deref(),
        customers.owner_email,
        cuts.critical_below.units(),
        cuts.at_risk_below.max(cuts.critical_below).units(),
        &TREND_DAYS,
        today,
    )
    .fetch_all(conn)
    .await?;
    let point = |days: i32| {
        let found = rows.iter().find(|row| row.back == days);
        TrendPoint {
            day: today - TimeDelta::days(days.into()),
            scored_count: found.map_or(0, |row| row.scored_count),
            score_sum: found.map_or(0, |row| row.score_sum),
            at_risk_count: found.map_or(0, |row| row.at_risk_count),
            critical_count: found.map_or(0, |row| row.critical_count),
        }
    };
    Ok(TREND_DAYS.map(point).to_vec())
}

/// Which customers a list holds, and in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CustomerList {
    /// Those that fell, deepest first.
    Fallen,
    /// Those that rose, highest first.
    Risen,
    /// Those at risk or critical, of each currency those with most revenue first.
    AtRisk,
    /// Those that are neither, and near a limit of their plan, in the same order.
    NearLimit,
}

impl CustomerList {
    /// As the statement has it: the sign of the change, or 0 for those ordered by revenue.
    const fn direction(self) -> i32 {
        match self {
            Self::Fallen => -1,
            Self::Risen => 1,
            Self::AtRisk | Self::NearLimit => 0,
        }
    }
}

/// The customers of a list. Of each the limit that it is nearest to as of `month`.
pub(crate) async fn customers(
    conn: &mut PgConnection,
    query: &ReportQuery,
    list: CustomerList,
    month: NaiveDate,
) -> Result<Vec<CustomerReport>, StorageError> {
    let customers = FilterParameters::of(&query.customers);
    let threshold = query.change_at_least.units();
    let rows = sqlx::query!(
        r#"SELECT account_id AS "account_id!", display_name AS "display_name!", segment AS "segment!", currency,
                  arr_minor_units, renewal_at, score, band, change, csm_email, near_limit_metric AS "near_limit_metric?", near_limit_share AS "near_limit_share?"
             FROM (SELECT accounts.account_id, accounts.display_name, accounts.segment, accounts.currency,
                          revenue.arr_minor_units, accounts.renewal_at, health.score, health.band, moved.change,
                          near.metric AS near_limit_metric, near.share AS near_limit_share,
                          (SELECT owner ->> 'email' FROM jsonb_array_elements(accounts.owners) AS owner
                            WHERE owner ->> 'role' = 'csm' LIMIT 1) AS csm_email,
                          row_number() OVER (PARTITION BY CASE WHEN $4 = 0 THEN accounts.currency END
                                             ORDER BY CASE WHEN $4 <> 0 THEN -$4 * moved.change END,
                                                      CASE WHEN $4 = 0 THEN revenue.arr_minor_units END DESC NULLS LAST,
                                                      accounts.account_id) AS place
                     FROM scoring.accounts
                     JOIN scoring.health ON health.account_id = accounts.account_id
                     LEFT JOIN (SELECT DISTINCT ON (account_id) account_id, metric, share FROM scoring.near_limits
                                 WHERE month = $7 AND months >= $9 ORDER BY account_id, share DESC, metric) AS near
                       ON near.account_id = accounts.account_id
                    CROSS JOIN LATERAL (SELECT CASE $3::integer WHEN 1 THEN health.change_1d WHEN 7 THEN health.change_7d
                                                                  ELSE health.change_30d END AS change) AS moved
                    CROSS JOIN LATERAL (SELECT scoring.annual_minor_units(accounts.arr_minor_units, accounts.mrr_minor_units)
                                               AS arr_minor_units) AS revenue
                    WHERE accounts.archived_at IS NULL AND accounts.lifecycle_stage <> 5
                      AND ($1::smallint[] IS NULL OR accounts.segment = ANY($1))
                      AND ($2::text IS NULL OR accounts.owner_emails @> ARRAY[$2])
                      AND CASE $4::integer WHEN -1 THEN moved.change <= -$5::integer
                                           WHEN 1 THEN moved.change >= $5
                                           ELSE CASE WHEN $8 THEN health.band > 2 AND near.account_id IS NOT NULL
                                                     ELSE health.band <= 2 END END) AS listed
            WHERE place <= $6
            ORDER BY CASE WHEN $4 = 0 THEN currency END NULLS LAST, place"#,
        customers.segments.as_deref(),
        customers.owner_email,
        query.period.days(),
        list.direction(),
        threshold,
        query.list_size,
        month,
        list == CustomerList::NearLimit,
        near_limits::MONTHS_MIN,
    )
    .fetch_all(conn)
    .await?;
    let points = |units: Option<i32>| units.map(Points::from_units);
    rows.into_iter()
        .map(|row| {
            Ok(CustomerReport {
                account: codes::account_id(&row.account_id)?,
                display_name: row.display_name,
                segment: codes::segment(row.segment)?,
                csm_email: row.csm_email,
                score: points(row.score),
                band: row.band.map(codes::band).transpose()?,
                change: points(row.change),
                arr: money(row.currency.as_deref(), row.arr_minor_units)?,
                renewal_at: row.renewal_at,
                near_limit: row
                    .near_limit_metric
                    .zip(row.near_limit_share)
                    .map(|(metric, share)| NearLimit { metric, share }),
            })
        })
        .collect()
}

/// Conditions by kind that last, or that began or ended since a time.
pub(crate) async fn risk_triggers(
    conn: &mut PgConnection,
    query: &ReportQuery,
    since: DateTime<Utc>,
) -> Result<Vec<RiskTriggerReport>, StorageError> {
    let customers = FilterParameters::of(&query.customers);
    let rows = sqlx::query!(
        r#"SELECT triggers.kind AS "kind!", count(*) FILTER (WHERE cleared_at IS NULL) AS "lasting_count!",
                  count(*) FILTER (WHERE raised_at >= $3) AS "raised_count!",
                  count(*) FILTER (WHERE cleared_at >= $3) AS "cleared_count!"
             FROM (SELECT account_id, kind, raised_at, cleared_at FROM scoring.risk_triggers WHERE cleared_at IS NULL
                    UNION ALL
                   SELECT account_id, kind, raised_at, cleared_at FROM scoring.risk_triggers WHERE cleared_at >= $3)
                  AS triggers
             JOIN scoring.accounts ON accounts.account_id = triggers.account_id
            WHERE accounts.archived_at IS NULL AND accounts.lifecycle_stage <> 5
              AND ($1::smallint[] IS NULL OR accounts.segment = ANY($1))
              AND ($2::text IS NULL OR accounts.owner_emails @> ARRAY[$2])
            GROUP BY 1 ORDER BY 1"#,
        customers.segments.as_deref(),
        customers.owner_email,
        since,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(RiskTriggerReport {
                kind: kind_of(row.kind)?,
                lasting_count: row.lasting_count,
                raised_count: row.raised_count,
                cleared_count: row.cleared_count,
            })
        })
        .collect()
}

/// How long customers who were activated since a time took to it.
pub(crate) async fn time_to_value(
    conn: &mut PgConnection,
    customers: &CustomerFilter,
    since: DateTime<Utc>,
) -> Result<TimeToValue, StorageError> {
    let customers = FilterParameters::of(customers);
    let row = sqlx::query!(
        r#"SELECT count(*) AS "activated_count!",
                  percentile_cont(0.5) WITHIN GROUP (
                      ORDER BY extract(epoch FROM activated_at - COALESCE(signed_up_at, contract_start_at))
                               ::double precision / 86400) AS days_median
             FROM scoring.accounts
            WHERE archived_at IS NULL AND lifecycle_stage <> 5
              AND activated_at >= $3 AND activated_at >= COALESCE(signed_up_at, contract_start_at)
              AND ($1::smallint[] IS NULL OR segment = ANY($1))
              AND ($2::text IS NULL OR owner_emails @> ARRAY[$2])"#,
        customers.segments.as_deref(),
        customers.owner_email,
        since,
    )
    .fetch_one(conn)
    .await?;
    Ok(TimeToValue { days_median: row.days_median, activated_count: row.activated_count })
}

/// How many customers can be named as references: those that are healthy, with no condition that puts them at risk, and whose newest
/// answer to the NPS question after `since` and until `as_of` is a promoter's. Of several answers of one time the lowest counts.
pub(crate) async fn referenceable(
    conn: &mut PgConnection,
    customers: &CustomerFilter,
    since: DateTime<Utc>,
    as_of: DateTime<Utc>,
) -> Result<i64, StorageError> {
    let customers = FilterParameters::of(customers);
    Ok(sqlx::query_scalar!(
        r#"SELECT count(*) AS "account_count!"
             FROM (SELECT DISTINCT ON (account_id) account_id, score FROM scoring.survey_answers
                    WHERE question = $3 AND answered_at > $4 AND answered_at <= $5
                    ORDER BY account_id, answered_at DESC, score) AS newest
             JOIN scoring.accounts ON accounts.account_id = newest.account_id
             JOIN scoring.health ON health.account_id = newest.account_id
            WHERE newest.score >= $6 AND health.band = $7
              AND NOT EXISTS (SELECT FROM scoring.risk_triggers AS lasting
                               WHERE lasting.account_id = newest.account_id AND lasting.cleared_at IS NULL)
              AND accounts.archived_at IS NULL AND accounts.lifecycle_stage <> 5
              AND ($1::smallint[] IS NULL OR accounts.segment = ANY($1))
              AND ($2::text IS NULL OR accounts.owner_emails @> ARRAY[$2])"#,
        customers.segments.as_deref(),
        customers.owner_email,
        question_number(SurveyQuestion::Nps),
        since,
        as_of,
        NPS_PROMOTER_MIN,
        codes::band_number(Band::Healthy),
    )
    .fetch_one(conn)
    .await?)
}
