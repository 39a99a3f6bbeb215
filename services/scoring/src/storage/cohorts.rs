//! How long customers were seen, counted: one look at all accounts.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use mainstay_domain::{AccountId, Currency, Money};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes;
use crate::domain::cohort::{
    Age, CohortDimension, CohortFilter, Customer, SeenCustomers, SeenPortfolio, UncountedReason, segment_key,
};

/// All customers that the filter lets through, or only one, by how long they were seen up to `today`.
pub(crate) async fn seen(
    conn: &mut PgConnection,
    dimension: CohortDimension,
    filter: &CohortFilter,
    account: Option<&AccountId>,
    today: NaiveDate,
) -> Result<SeenPortfolio, StorageError> {
    let segments = codes::any_of(&filter.segments, codes::segment_number);
    let rows = sqlx::query!(
        r#"WITH judged AS (
               SELECT *, scoring.uncounted_reason(lifecycle_stage, start_day, end_day, churned, $1) AS uncounted,
                      age(LEAST(end_day, $1)::timestamp, start_day::timestamp) AS age
                 FROM scoring.lifespans
                WHERE ($2::text IS NULL OR account_id = $2)
                  AND ($3::smallint[] IS NULL OR segment = ANY($3))
                  AND ($4::text IS NULL OR product_line = $4)
                  AND ($5::date IS NULL OR start_day >= $5) AND ($6::date IS NULL OR start_day < $6)
           ), counted AS (
               SELECT uncounted, churned, currency, annual_revenue,
                      CASE WHEN uncounted IS NULL THEN
                           CASE $7::smallint WHEN 1 THEN segment::text WHEN 2 THEN product_line WHEN 3 THEN plan
                                             WHEN 4 THEN industry WHEN 5 THEN to_char(start_day, 'YYYY-MM')
                                             ELSE '' END END AS cohort,
                      CASE WHEN uncounted IS NULL THEN
                           (extract(year FROM age) * 12 + extract(month FROM age))::integer END AS months,
                      CASE WHEN uncounted IS NULL THEN extract(day FROM age)::integer END AS days
                 FROM judged
           )
           SELECT uncounted, cohort, months, days, churned AS "churned!", currency,
                  count(*) AS "count!", COALESCE(sum(annual_revenue), 0)::text AS "annual_revenue!"
             FROM counted
            GROUP BY uncounted, cohort, months, days, churned, currency"#,
        today,
        account.map(AccountId::as_str),
        segments.as_deref(),
        filter.product_line,
        filter.started_since,
        filter.started_before,
        dimension_number(dimension),
    )
    .fetch_all(conn)
    .await?;
    let mut portfolio = SeenPortfolio { customers: Vec::with_capacity(rows.len()), uncounted: BTreeMap::new() };
    for row in rows {
        let count = u64::try_from(row.count).map_err(codes::corrupt)?;
        if let Some(number) = row.uncounted {
            *portfolio.uncounted.entry(uncounted_reason(number)?).or_default() += count;
            continue;
        }
        let missing = || codes::corrupt("a customer without a cohort or an age");
        let part = |number: Option<i32>| u32::try_from(number.ok_or_else(missing)?).map_err(codes::corrupt);
        portfolio.customers.push(SeenCustomers {
            cohort: cohort_key(dimension, row.cohort.ok_or_else(missing)?)?,
            age: Age::new(part(row.months)?, part(row.days)?),
            churned: row.churned,
            currency: row.currency.as_deref().map(Currency::parse).transpose().map_err(codes::corrupt)?,
            count,
            annual_revenue: row.annual_revenue.parse().map_err(codes::corrupt)?,
        });
    }
    Ok(portfolio)
}

/// One account as a customer, or why it is none; nothing when it does not exist.
pub(crate) async fn customer(
    conn: &mut PgConnection,
    dimension: CohortDimension,
    account: &AccountId,
    today: NaiveDate,
) -> Result<Option<Result<Customer, UncountedReason>>, StorageError> {
    let portfolio = seen(conn, dimension, &CohortFilter::default(), Some(account), today).await?;
    if let Some(reason) = portfolio.uncounted.into_keys().next() {
        return Ok(Some(Err(reason)));
    }
    let Some(one) = portfolio.customers.into_iter().next() else { return Ok(None) };
    let annual_revenue = match one.currency {
        Some(currency) => {
            let minor_units = i64::try_from(one.annual_revenue).map_err(codes::corrupt)?;
            Some(Money { currency, minor_units })
        }
        None => None,
    };
    Ok(Some(Ok(Customer { cohort: one.cohort, age: one.age, churned: one.churned, annual_revenue })))
}

const fn dimension_number(dimension: CohortDimension) -> i16 {
    match dimension {
        CohortDimension::All => 0,
        CohortDimension::Segment => 1,
        CohortDimension::ProductLine => 2,
        CohortDimension::Plan => 3,
        CohortDimension::Industry => 4,
        CohortDimension::OnboardingMonth => 5,
    }
}

pub(super) fn uncounted_reason(number: i32) -> Result<UncountedReason, StorageError> {
    match number {
        1 => Ok(UncountedReason::Trial),
        2 => Ok(UncountedReason::StartUnknown),
        3 => Ok(UncountedReason::NotStarted),
        4 => Ok(UncountedReason::ChurnTimeUnknown),
        5 => Ok(UncountedReason::EndedBeforeStart),
        _ => Err(codes::corrupt(format!("uncounted reason {number}"))),
    }
}

/// The key of a cohort: the words of segments, all else as it is.
fn cohort_key(dimension: CohortDimension, text: String) -> Result<String, StorageError> {
    if dimension != CohortDimension::Segment {
        return Ok(text);
    }
    Ok(segment_key(codes::segment(text.parse().map_err(codes::corrupt)?)?).to_owned())
}
