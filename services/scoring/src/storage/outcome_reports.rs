//! How customers stand with what they are to reach, counted over all of them.

use chrono::NaiveDate;
use mainstay_domain::{AdoptionTargetId, Points};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::adoption_targets::{self, target_id};
use super::codes::{self, money};
use super::customer_filters::FilterParameters;
use crate::domain::Segment;
use crate::domain::adoption_target::OutcomeGroup;
use crate::domain::customer_filter::CustomerFilter;
use crate::domain::outcome_report::{CustomerOutcome, CustomerOutcomeFilter, OutcomeCount, TargetCounts};

const fn group_number(group: OutcomeGroup) -> i16 {
    match group {
        OutcomeGroup::NoTarget => 1,
        OutcomeGroup::Behind => 2,
        OutcomeGroup::OnTheWay => 3,
        OutcomeGroup::Achieved => 4,
    }
}

fn group(number: i16) -> Result<OutcomeGroup, StorageError> {
    match number {
        1 => Ok(OutcomeGroup::NoTarget),
        2 => Ok(OutcomeGroup::Behind),
        3 => Ok(OutcomeGroup::OnTheWay),
        4 => Ok(OutcomeGroup::Achieved),
        _ => Err(codes::corrupt(format!("outcome group {number}"))),
    }
}

/// How accounts stand with each target whose time for it ended on `due_since` or later, or has not ended, by segment and, without one,
/// in all. Judged are those whose time is over: who reached it ahead of time counts when all of its time have had theirs, or successes
/// would be seen before failures. Who left is counted as it stood.
pub(crate) async fn progress(
    conn: &mut PgConnection,
    customers: &CustomerFilter,
    due_since: NaiveDate,
    today: NaiveDate,
) -> Result<Vec<(AdoptionTargetId, Option<Segment>, TargetCounts)>, StorageError> {
    let customers = FilterParameters::of(customers);
    let rows = sqlx::query!(
        r#"SELECT outcomes.target_id, accounts.segment AS "segment?",
                  count(*) FILTER (WHERE due_day < $4) AS "due!",
                  count(*) FILTER (WHERE due_day < $4 AND reached_day <= due_day) AS "in_time!",
                  count(*) FILTER (WHERE due_day < $4 AND reached_day > due_day) AS "late!",
                  count(*) FILTER (WHERE due_day >= $4 AND reached_day IS NOT NULL) AS "ahead!",
                  count(*) FILTER (WHERE due_day >= $4 AND reached_day IS NULL) AS "open!",
                  percentile_cont(0.5) WITHIN GROUP (ORDER BY GREATEST(reached_day - activation_day, 0)::double precision)
                      FILTER (WHERE due_day < $4 AND reached_day IS NOT NULL) AS days_median
             FROM scoring.account_outcomes AS outcomes
             JOIN scoring.accounts ON accounts.account_id = outcomes.account_id
            WHERE due_day >= $3
              AND (accounts.archived_at IS NULL OR accounts.lifecycle_stage = 5)
              AND ($1::smallint[] IS NULL OR accounts.segment = ANY($1))
              AND ($2::text IS NULL OR accounts.owner_emails @> ARRAY[$2])
            GROUP BY GROUPING SETS ((1), (1, 2)) ORDER BY 1, 2"#,
        customers.segments.as_deref(),
        customers.owner_email,
        due_since,
        today,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let counts = TargetCounts {
                due: row.due,
                in_time: row.in_time,
                late: row.late,
                ahead: row.ahead,
                open: row.open,
                days_median: row.days_median,
            };
            Ok((target_id(&row.target_id)?, row.segment.map(codes::segment).transpose()?, counts))
        })
        .collect()
}

/// Customers by what they reached, and by currency.
pub(crate) async fn groups(
    conn: &mut PgConnection,
    customers: &CustomerFilter,
    today: NaiveDate,
) -> Result<Vec<OutcomeCount>, StorageError> {
    let customers = FilterParameters::of(customers);
    let rows = sqlx::query!(
        r#"WITH standing AS (
               SELECT account_id, scoring.outcome_group(count(*), bool_or(reached_day IS NULL AND due_day < $3),
                                                        bool_and(reached_day IS NOT NULL)) AS outcome_group
                 FROM scoring.account_outcomes JOIN scoring.adoption_targets USING (target_id) GROUP BY account_id
           )
           SELECT COALESCE(outcome_group, 1::smallint) AS "outcome_group!", accounts.currency, count(*) AS "account_count!",
                  count(health.score) AS "scored_count!", COALESCE(sum(health.score), 0)::bigint AS "score_sum!",
                  count(*) FILTER (WHERE health.band <= 2) AS "at_risk_count!",
                  sum(scoring.annual_minor_units(accounts.arr_minor_units, accounts.mrr_minor_units))::bigint AS arr_minor_units
             FROM scoring.accounts
             LEFT JOIN standing ON standing.account_id = accounts.account_id
             LEFT JOIN scoring.health ON health.account_id = accounts.account_id
            WHERE accounts.archived_at IS NULL AND accounts.lifecycle_stage <> 5
              AND ($1::smallint[] IS NULL OR accounts.segment = ANY($1))
              AND ($2::text IS NULL OR accounts.owner_emails @> ARRAY[$2])
            GROUP BY 1, 2"#,
        customers.segments.as_deref(),
        customers.owner_email,
        today,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(OutcomeCount {
                group: group(row.outcome_group)?,
                account_count: row.account_count,
                scored_count: row.scored_count,
                score_sum: row.score_sum,
                at_risk_count: row.at_risk_count,
                arr: money(row.currency.as_deref(), row.arr_minor_units)?,
            })
        })
        .collect()
}

/// Customers after one, in the order of their ids, with what they reached.
pub(crate) async fn list(
    conn: &mut PgConnection,
    filter: &CustomerOutcomeFilter,
    after: Option<&str>,
    limit: i64,
    today: NaiveDate,
) -> Result<Vec<CustomerOutcome>, StorageError> {
    let customers = FilterParameters::of(&filter.customers);
    let groups = codes::any_of(&filter.groups, group_number);
    let rows = sqlx::query!(
        r#"WITH page AS (
               SELECT accounts.account_id, standing.outcome_group
                 FROM scoring.accounts
                CROSS JOIN LATERAL (
                    SELECT scoring.outcome_group(count(*), bool_or(reached_day IS NULL AND due_day < $5),
                                                 bool_and(reached_day IS NOT NULL)) AS outcome_group
                      FROM scoring.account_outcomes AS outcomes JOIN scoring.adoption_targets USING (target_id)
                     WHERE outcomes.account_id = accounts.account_id) AS standing
                WHERE accounts.archived_at IS NULL AND accounts.lifecycle_stage <> 5
                  AND ($1::smallint[] IS NULL OR accounts.segment = ANY($1))
                  AND ($2::text IS NULL OR accounts.owner_emails @> ARRAY[$2])
                  AND ($3::smallint[] IS NULL OR standing.outcome_group = ANY($3))
                  AND ($4::text IS NULL OR accounts.account_id > $4)
                ORDER BY accounts.account_id LIMIT $6
           )
           SELECT accounts.account_id, accounts.display_name, accounts.segment, page.outcome_group AS "outcome_group!",
                  accounts.currency, health.score AS "score?", health.band AS "band?",
                  scoring.annual_minor_units(accounts.arr_minor_units, accounts.mrr_minor_units) AS arr_minor_units
             FROM page
             JOIN scoring.accounts ON accounts.account_id = page.account_id
             LEFT JOIN scoring.health ON health.account_id = page.account_id
            ORDER BY accounts.account_id"#,
        customers.segments.as_deref(),
        customers.owner_email,
        groups.as_deref(),
        after,
        today,
        limit,
    )
    .fetch_all(&mut *conn)
    .await?;
    let ids: Vec<&str> = rows.iter().map(|row| row.account_id.as_str()).collect();
    let mut outcomes = adoption_targets::outcomes(conn, &ids).await?;
    rows.into_iter()
        .map(|row| {
            Ok(CustomerOutcome {
                account: codes::account_id(&row.account_id)?,
                display_name: row.display_name,
                segment: codes::segment(row.segment)?,
                group: group(row.outcome_group)?,
                outcomes: outcomes.remove(&row.account_id).unwrap_or_default(),
                arr: money(row.currency.as_deref(), row.arr_minor_units)?,
                score: row.score.map(Points::from_units),
                band: row.band.map(codes::band).transpose()?,
            })
        })
        .collect()
}
