//! How measures were spread over groups of accounts at the end of a day.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, Days, NaiveDate, Utc};
use mainstay_domain::{ModelId, start_of_day};
use mainstay_storage::StorageError;
use sqlx::PgConnection;
use uuid::Uuid;

use super::codes;
use crate::domain::{AccountGroup, Distribution, GroupDistributions, ScoringFacts};

/// A recomputation, which makes distributions anew.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remaking {
    pub operation_id: Uuid,
    /// The day it begins with. What that one is compared with is of the day before, which stays as it is.
    pub start_day: NaiveDate,
}

/// The days from `first` to `last` for which the distributions of each of these models are made; for a recomputation those that it
/// has made itself, and those that it does not make.
pub(crate) async fn made_days(
    conn: &mut PgConnection,
    models: &[&str],
    first: NaiveDate,
    last: NaiveDate,
    remaking: Option<Remaking>,
) -> Result<HashSet<(ModelId, NaiveDate)>, StorageError> {
    let rows = sqlx::query!(
        "SELECT model_id, day FROM scoring.group_distributions
          WHERE model_id = ANY($1::text[]) AND day BETWEEN $2 AND $3 AND measure_id = ''
            AND ($4::uuid IS NULL OR operation_id = $4 OR day <= $5::date)",
        models as &[&str],
        first,
        last,
        remaking.map(|remaking| remaking.operation_id),
        remaking.map(|remaking| remaking.start_day),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok((codes::model_id(&row.model_id)?, row.day))).collect()
}

/// The distributions of a model over these groups, for those of the days for which they are kept.
pub(crate) async fn load(
    conn: &mut PgConnection,
    model: &ModelId,
    days: &[NaiveDate],
    groups: &BTreeSet<AccountGroup>,
) -> Result<BTreeMap<NaiveDate, GroupDistributions>, StorageError> {
    let (kinds, names): (Vec<i16>, Vec<String>) = groups.iter().map(codes::account_group_columns).unzip();
    let rows = sqlx::query!(
        "SELECT day, group_kind, group_name, measure_id, quantiles, account_count FROM scoring.group_distributions
          WHERE model_id = $1 AND day = ANY($2::date[]) AND measure_id <> ''
            AND (group_kind, group_name) IN (SELECT kind, name FROM unnest($3::smallint[], $4::text[]) AS wanted (kind, name))",
        model.as_str(),
        days,
        &kinds,
        &names,
    )
    .fetch_all(conn)
    .await?;
    let mut by_day: BTreeMap<NaiveDate, GroupDistributions> = BTreeMap::new();
    for row in rows {
        let account_count = usize::try_from(row.account_count).unwrap_or(0);
        if let Some(distribution) = Distribution::from_quantiles(row.quantiles, account_count) {
            let group = codes::account_group(row.group_kind, row.group_name)?;
            by_day.entry(row.day).or_default().insert(group, &row.measure_id, distribution);
        }
    }
    Ok(by_day)
}

/// Keeps the distributions for a day; those that another replica kept first stay, but for a recomputation those of before are
/// replaced. That there are none is kept, too.
pub(crate) async fn keep(
    conn: &mut PgConnection,
    model: &ModelId,
    day: NaiveDate,
    distributions: &GroupDistributions,
    operation_id: Option<Uuid>,
) -> Result<(), StorageError> {
    if operation_id.is_some() {
        sqlx::query!(
            "DELETE FROM scoring.group_distributions
              WHERE model_id = $1 AND day = $2 AND operation_id IS DISTINCT FROM $3",
            model.as_str(),
            day,
            operation_id,
        )
        .execute(&mut *conn)
        .await?;
    }
    let (mut kinds, mut names, mut measures, mut counts, mut quantiles) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (group, measure, distribution) in distributions.iter() {
        let (kind, name) = codes::account_group_columns(group);
        kinds.push(kind);
        names.push(name);
        measures.push(measure);
        counts.push(i64::try_from(distribution.account_count()).unwrap_or(i64::MAX));
        quantiles.push(codes::array_literal(distribution.quantiles(), |quantile| Some(*quantile)));
    }
    sqlx::query!(
        "INSERT INTO scoring.group_distributions (model_id, day, group_kind, group_name, measure_id, quantiles, account_count,
                                                  operation_id)
         SELECT $1::text, $2::date, group_kind, group_name, measure_id, quantiles::float8[], account_count, $8::uuid
           FROM unnest($3::smallint[], $4::text[], $5::text[], $6::text[], $7::bigint[])
                AS given (group_kind, group_name, measure_id, quantiles, account_count)
         UNION ALL SELECT $1::text, $2::date, 0::smallint, '', '', '{}', 0, $8::uuid
         ON CONFLICT DO NOTHING",
        model.as_str(),
        day,
        &kinds,
        &names,
        &measures as &[&str],
        &quantiles,
        &counts,
        operation_id,
    )
    .execute(conn)
    .await?;
    Ok(())
}

fn end_of(day: NaiveDate) -> DateTime<Utc> {
    start_of_day(day + Days::new(1))
}

/// A query of the customers whom a model scored on a day, accounts that are not archived and had not left by its end, so that these
/// conditions stand here once.
macro_rules! select_scored {
    ($query:ident, $columns:tt, $joined:tt, $model:expr, $day:expr) => {
        sqlx::$query!(
            "SELECT "
                + $columns
                + " FROM scoring.health_history AS history
               JOIN scoring.accounts ON accounts.account_id = history.account_id "
                + $joined
                + "
              WHERE history.day = $1 AND history.model_id = $2 AND accounts.archived_at IS NULL
                AND NOT (accounts.lifecycle_stage = 5 AND COALESCE(accounts.churned_at < $3, true))",
            $day,
            $model.as_str(),
            end_of($day),
        )
    };
}

/// How many customers a model scored on a day.
pub(crate) async fn count_scored(
    conn: &mut PgConnection,
    model: &ModelId,
    day: NaiveDate,
) -> Result<usize, StorageError> {
    let count = select_scored!(query_scalar, r#"count(*) AS "count!""#, "", model, day).fetch_one(conn).await?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// The numbers before the comparison that a model's measures had on a day, of those customers, with what was said of each then. Plan
/// limits are not among it.
pub(crate) async fn raw_values(
    conn: &mut PgConnection,
    model: &ModelId,
    day: NaiveDate,
) -> Result<Vec<(ScoringFacts, Vec<Option<f64>>)>, StorageError> {
    let rows = select_scored!(
        query,
        r#"facts.segment, facts.industry, facts.plan, history.measure_raw_values AS "raw_values: Vec<Option<f64>>""#,
        // The newest up to the day; of those that came later only, the oldest.
        "CROSS JOIN LATERAL (
              SELECT segment, industry, plan FROM scoring.scoring_facts
               WHERE account_id = history.account_id
               ORDER BY from_day > $1, CASE WHEN from_day > $1 THEN from_day - $1 ELSE $1 - from_day END
               LIMIT 1) AS facts",
        model,
        day
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let segment = codes::segment(row.segment)?;
            let facts = ScoringFacts { segment, industry: row.industry, plan: row.plan, ..ScoringFacts::default() };
            Ok((facts, row.raw_values))
        })
        .collect()
}
