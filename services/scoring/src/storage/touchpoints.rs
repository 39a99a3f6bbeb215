//! Customers from a day on, with the friction that they met before: counted in one look at all accounts.

use chrono::{NaiveDate, TimeDelta};
use mainstay_domain::{Currency, start_of_day};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::risk_triggers::kind_number;
use super::{codes, cohorts};
use crate::domain::retention_comparison::{
    JourneyStage, STAGE_DAYS, TouchedCustomers, TouchedPortfolio, Touchpoint, TouchpointQuery,
};
use crate::domain::signal::SignalKind;

fn stage(number: i32) -> Result<JourneyStage, StorageError> {
    match number {
        1 => Ok(JourneyStage::Onboarding),
        2 => Ok(JourneyStage::InUse),
        3 => Ok(JourneyStage::Renewing),
        _ => Err(codes::corrupt(format!("journey stage {number}"))),
    }
}

/// All customers of the query that were there when the follow-up began, by what they met up to then and how long they were seen in
/// it. From when to when an account was a customer, and which are not counted, is what cohorts say.
pub(crate) async fn followed(
    conn: &mut PgConnection,
    query: &TouchpointQuery,
    today: NaiveDate,
) -> Result<TouchedPortfolio, StorageError> {
    let segments = codes::any_of(&query.segments, codes::segment_number);
    // By place in the list of all; incidents are no kind of condition.
    let kinds = Touchpoint::ALL.map(|touchpoint| match touchpoint {
        Touchpoint::Condition(kind) => kind_number(kind),
        Touchpoint::Incident => 0,
    });
    let incident_place = Touchpoint::ALL.iter().position(|touchpoint| *touchpoint == Touchpoint::Incident);
    let follow_up = query.follow_up;
    let rows = sqlx::query!(
        r#"WITH touched AS (
               SELECT account_id, bit_or(1 << place) AS places
                 FROM (SELECT account_id, array_position($5::smallint[], kind) - 1 AS place
                         FROM scoring.risk_triggers
                        WHERE kind = ANY($5) AND raised_at < $7 AND (cleared_at IS NULL OR cleared_at >= $6)
                        UNION ALL
                       SELECT account_id, $8::integer FROM scoring.signals
                        -- The list is that of the index, which could not be used without it.
                        WHERE kind IN (10, 14, 15, 16) AND kind = $9 AND event_at >= $6 AND event_at < $7) AS met
                GROUP BY account_id
           ), decided AS (
               SELECT DISTINCT account_id FROM scoring.renewal_outcomes
                WHERE due_at >= $10 AND due_at < $11 AND decided_at >= $10
           ), judged AS (
               SELECT *, scoring.uncounted_reason(lifecycle_stage, start_day, end_day, churned, $1) AS uncounted,
                      LEAST(end_day, $1) AS seen_day
                 FROM scoring.lifespans
                WHERE ($2::smallint[] IS NULL OR segment = ANY($2))
           ), followed AS (
               SELECT uncounted, COALESCE(touched.places, 0) AS places,
                      CASE WHEN start_day >= $3::date - $12::integer THEN 1
                           WHEN decided.account_id IS NOT NULL OR (renewal_at >= $10 AND renewal_at < $11) THEN 3
                           ELSE 2 END AS stage,
                      LEAST(seen_day, $4::date) - $3 + 1 AS day, churned AND seen_day <= $4 AS churned,
                      currency, annual_revenue
                 FROM judged
                 LEFT JOIN touched ON touched.account_id = judged.account_id
                 LEFT JOIN decided ON decided.account_id = judged.account_id
                WHERE uncounted IS NULL AND start_day < $3 AND seen_day >= $3
                UNION ALL
               SELECT uncounted, 0, NULL, NULL, false, NULL, NULL FROM judged WHERE uncounted IS NOT NULL
           )
           SELECT uncounted, places AS "places!", stage, day, churned AS "churned!", currency, count(*) AS "count!",
                  COALESCE(sum(annual_revenue), 0)::text AS "annual_revenue!"
             FROM followed
            GROUP BY uncounted, places, stage, day, churned, currency"#,
        today,
        segments.as_deref(),
        follow_up.first_day,
        follow_up.last_day(),
        &kinds,
        start_of_day(query.exposure_first_day()),
        start_of_day(follow_up.first_day),
        incident_place.and_then(|place| i32::try_from(place).ok()),
        SignalKind::Incident.number(),
        start_of_day(follow_up.first_day),
        start_of_day(follow_up.first_day + TimeDelta::days(STAGE_DAYS.into())),
        STAGE_DAYS,
    )
    .fetch_all(conn)
    .await?;
    let mut portfolio = TouchedPortfolio::default();
    for row in rows {
        let count = u64::try_from(row.count).map_err(codes::corrupt)?;
        if let Some(number) = row.uncounted {
            *portfolio.uncounted.entry(cohorts::uncounted_reason(number)?).or_default() += count;
            continue;
        }
        let missing = || codes::corrupt("a customer without a stage or a day");
        portfolio.customers.push(TouchedCustomers {
            touched: std::array::from_fn(|place| row.places & (1 << place) != 0),
            stage: stage(row.stage.ok_or_else(missing)?)?,
            day: u32::try_from(row.day.ok_or_else(missing)?).map_err(codes::corrupt)?,
            churned: row.churned,
            currency: row.currency.as_deref().map(Currency::parse).transpose().map_err(codes::corrupt)?,
            count,
            annual_revenue: row.annual_revenue.parse().map_err(codes::corrupt)?,
        });
    }
    Ok(portfolio)
}
