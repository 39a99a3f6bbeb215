//! Customers from a day on, with what they were exposed to before: counted in one look at all accounts.

use chrono::{NaiveDate, TimeDelta};
use mainstay_domain::{Currency, day_of, start_of_day};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::{codes, cohorts};
use crate::domain::Segment;
use crate::domain::product::CaseOutcome;
use crate::domain::retention_comparison::{
    Exposure, FollowUp, FollowedCustomers, FollowedPortfolio, LifespanCount, first_month,
};
use crate::domain::signal::SignalKind;

/// What makes a customer one that was exposed.
pub(crate) struct ExposureSpan<'a> {
    pub exposure: &'a Exposure,
    /// The first and the last day of the span.
    pub first_day: NaiveDate,
    pub last_day: NaiveDate,
}

/// An [`Exposure`] as parameters of queries.
struct Parameters<'a> {
    kind: SignalKind,
    name: Option<&'a str>,
    outcomes: Option<Vec<&'static str>>,
    count: u32,
    minutes: u32,
}

impl<'a> From<&'a Exposure> for Parameters<'a> {
    fn from(exposure: &'a Exposure) -> Self {
        let once = |kind| Self { kind, name: None, outcomes: None, count: 1, minutes: 0 };
        match exposure {
            Exposure::Incidents { count, minutes } => {
                Self { count: *count, minutes: *minutes, ..once(SignalKind::Incident) }
            }
            Exposure::Touches { count } => Self { count: *count, ..once(SignalKind::Touch) },
            Exposure::Cases { outcomes } => {
                let words = outcomes.iter().map(|outcome| outcome_word(*outcome)).collect();
                Self { outcomes: (!outcomes.is_empty()).then_some(words), ..once(SignalKind::CaseOutcome) }
            }
            Exposure::Feature { name } => Self { name: name.as_deref(), ..once(SignalKind::FeatureRelease) },
        }
    }
}

/// As it stands in the details of signals.
const fn outcome_word(outcome: CaseOutcome) -> &'static str {
    match outcome {
        CaseOutcome::Saved => "saved",
        CaseOutcome::Churned => "churned",
        CaseOutcome::NoAction => "no_action",
        CaseOutcome::Recovered => "recovered",
        CaseOutcome::NotRecovered => "not_recovered",
    }
}

/// All customers of these segments, or of any, that were there when the follow-up began, by how long they were seen in it. Without a
/// span nobody is exposed. From when to when an account was a customer, and which are not counted, is what cohorts say.
pub(crate) async fn followed(
    conn: &mut PgConnection,
    segments: &[Segment],
    follow_up: FollowUp,
    span: Option<&ExposureSpan<'_>>,
    today: NaiveDate,
) -> Result<FollowedPortfolio, StorageError> {
    let segments = codes::any_of(segments, codes::segment_number);
    let parameters = span.map(|span| Parameters::from(span.exposure));
    let rows = sqlx::query!(
        r#"WITH exposed AS (
               SELECT signals.account_id FROM scoring.signals
                -- The list is that of the index, which could not be used without it.
                WHERE signals.kind IN (10, 14, 15, 16) AND signals.kind = $5
                  AND signals.event_at >= $6 AND signals.event_at < $7
                  AND ($8::text IS NULL OR signals.name = $8)
                  AND ($9::text[] IS NULL OR
                       (SELECT told.details ->> 'outcome' FROM scoring.signal_details AS told
                         WHERE told.account_id = signals.account_id AND told.source = signals.source
                           AND told.source_id = signals.source_id) = ANY($9))
                GROUP BY signals.account_id
               HAVING count(*) >= $10
                  AND ($11::bigint = 0 OR sum(CASE WHEN $11 > 0 THEN COALESCE(signals.amount,
                       -- Of incidents that were recorded before the amount had their minutes.
                       (SELECT (told.details ->> 'minutes')::bigint FROM scoring.signal_details AS told
                         WHERE told.account_id = signals.account_id AND told.source = signals.source
                           AND told.source_id = signals.source_id)) END) >= $11)
           ), judged AS (
               SELECT *, scoring.uncounted_reason(lifecycle_stage, start_day, end_day, churned, $1) AS uncounted,
                      LEAST(end_day, $1) AS seen_day
                 FROM scoring.lifespans
                WHERE ($2::smallint[] IS NULL OR segment = ANY($2))
           ), followed AS (
               SELECT uncounted, CASE WHEN uncounted IS NULL THEN segment END AS segment,
                      uncounted IS NULL AND exposed.account_id IS NOT NULL AS exposed,
                      CASE WHEN uncounted IS NULL THEN LEAST(seen_day, $4::date) - $3::date + 1 END AS day,
                      uncounted IS NULL AND churned AND seen_day <= $4 AS churned,
                      CASE WHEN uncounted IS NULL THEN currency END AS currency, annual_revenue
                 FROM judged LEFT JOIN exposed ON exposed.account_id = judged.account_id
                WHERE uncounted IS NOT NULL OR (start_day < $3 AND seen_day >= $3)
           )
           SELECT uncounted, segment, exposed AS "exposed!", day, churned AS "churned!", currency, count(*) AS "count!",
                  COALESCE(sum(annual_revenue), 0)::text AS "annual_revenue!"
             FROM followed
            GROUP BY uncounted, segment, exposed, day, churned, currency"#,
        today,
        segments.as_deref(),
        follow_up.first_day,
        follow_up.last_day(),
        parameters.as_ref().map(|known| known.kind.number()),
        span.map(|span| start_of_day(span.first_day)),
        span.map(|span| start_of_day(span.last_day + TimeDelta::days(1))),
        parameters.as_ref().and_then(|known| known.name),
        parameters.as_ref().and_then(|known| known.outcomes.as_deref()) as Option<&[&str]>,
        parameters.as_ref().map_or(1, |known| i64::from(known.count)),
        parameters.as_ref().map_or(0, |known| i64::from(known.minutes)),
    )
    .fetch_all(conn)
    .await?;
    let mut portfolio = FollowedPortfolio::default();
    for row in rows {
        let count = u64::try_from(row.count).map_err(codes::corrupt)?;
        if let Some(number) = row.uncounted {
            *portfolio.uncounted.entry(cohorts::uncounted_reason(number)?).or_default() += count;
            continue;
        }
        let missing = || codes::corrupt("a customer without a segment or a day");
        portfolio.customers.push(FollowedCustomers {
            stratum: codes::segment(row.segment.ok_or_else(missing)?)?,
            exposed: row.exposed,
            day: u32::try_from(row.day.ok_or_else(missing)?).map_err(codes::corrupt)?,
            churned: row.churned,
            currency: row.currency.as_deref().map(Currency::parse).transpose().map_err(codes::corrupt)?,
            count,
            annual_revenue: row.annual_revenue.parse().map_err(codes::corrupt)?,
        });
    }
    Ok(portfolio)
}

/// The customers of these segments, or of any, by the months in which they started and were last seen; without those that ended
/// before the months that are shown of a change on this day.
pub(crate) async fn lifespans(
    conn: &mut PgConnection,
    segments: &[Segment],
    change_day: NaiveDate,
    today: NaiveDate,
) -> Result<Vec<LifespanCount>, StorageError> {
    let segments = codes::any_of(segments, codes::segment_number);
    let rows = sqlx::query!(
        r#"WITH seen AS (
               SELECT start_day, LEAST(end_day, $1) AS seen_day, churned
                 FROM scoring.lifespans
                WHERE ($2::smallint[] IS NULL OR segment = ANY($2))
                  AND scoring.uncounted_reason(lifecycle_stage, start_day, end_day, churned, $1) IS NULL
           )
           SELECT date_trunc('month', start_day::timestamp)::date AS "start_month!",
                  date_trunc('month', seen_day::timestamp)::date AS "end_month!", churned AS "churned!",
                  count(*) AS "count!"
             FROM seen
            WHERE seen_day >= $3
            GROUP BY 1, 2, 3"#,
        today,
        segments.as_deref(),
        first_month(change_day),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let count = u64::try_from(row.count).map_err(codes::corrupt)?;
            Ok(LifespanCount { start_month: row.start_month, end_month: row.end_month, churned: row.churned, count })
        })
        .collect()
}

/// The day on which a feature was first given to a customer; none when it never was.
pub(crate) async fn first_release(conn: &mut PgConnection, feature: &str) -> Result<Option<NaiveDate>, StorageError> {
    let first = sqlx::query_scalar!(
        "SELECT min(event_at) FROM scoring.signals
          WHERE kind IN (10, 14, 15, 16) AND kind = $1 AND name = $2",
        SignalKind::FeatureRelease.number(),
        feature,
    )
    .fetch_one(conn)
    .await?;
    Ok(first.map(day_of))
}
