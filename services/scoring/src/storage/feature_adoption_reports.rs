//! What a report of adopted features is made of.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes;
use super::customer_filters::FilterParameters;
use crate::domain::adoption_period::AdoptionGrain;
use crate::domain::customer_filter::CustomerFilter;
use crate::domain::feature_adoption_report::{CustomerCount, CustomerSpan, FeatureUse, UserTallies, UserTally};

const fn grain_number(grain: AdoptionGrain) -> i16 {
    match grain {
        AdoptionGrain::Month => 1,
        AdoptionGrain::Fortnight => 2,
    }
}

/// Customers by segment in the periods that begin on `starts`, which follow one another.
pub(crate) async fn customers(
    conn: &mut PgConnection,
    customers: &CustomerFilter,
    grain: AdoptionGrain,
    starts: &[NaiveDate],
) -> Result<Vec<CustomerCount>, StorageError> {
    let customers = FilterParameters::of(customers);
    let rows = sqlx::query!(
        r#"SELECT segment AS "segment!", $4::integer - scoring.period_of($3::smallint, COALESCE(start_day, created_day)) AS "from_ago!",
                  GREATEST($4 - scoring.period_of($3, end_day), 0) AS "to_ago!", count(*) AS "account_count!"
             FROM scoring.lifespans
            WHERE lifecycle_stage <> 1 AND (lifecycle_stage <> 5 OR end_day IS NOT NULL)
              AND ($1::smallint[] IS NULL OR segment = ANY($1))
              AND ($2::text IS NULL OR owner_emails @> ARRAY[$2])
            GROUP BY 1, 2, 3"#,
        customers.segments.as_deref(),
        customers.owner_email,
        grain_number(grain),
        starts.last().map_or(0, |start| grain.period_of(*start)),
    )
    .fetch_all(conn)
    .await?;
    let mut counts = BTreeMap::new();
    for row in rows {
        let segment = codes::segment(row.segment)?;
        for (_, start) in (0..).zip(starts.iter().rev()).filter(|(ago, _)| (row.to_ago..=row.from_ago).contains(ago)) {
            *counts.entry((*start, segment)).or_default() += row.account_count;
        }
    }
    let count = |((start, segment), account_count)| CustomerCount { start, segment, account_count };
    Ok(counts.into_iter().map(count).collect())
}

/// Users of features by segment in the periods that begin on `starts`, which follow one another.
///
/// They are counted here: the database would look at each account in each period, which takes it much longer. It gives those of a feature
/// and segment in one row, for a row takes longer to read than what is in it.
pub(crate) async fn users(
    conn: &mut PgConnection,
    customers: &CustomerFilter,
    grain: AdoptionGrain,
    starts: &[NaiveDate],
) -> Result<UserTallies, StorageError> {
    let customers = FilterParameters::of(customers);
    let rows = sqlx::query!(
        r#"SELECT feature, segment AS "segment!",
                  array_agg(scoring.periods_until(CASE $3::smallint WHEN 1 THEN month_bits ELSE fortnight_bits END,
                                                  CASE $3 WHEN 1 THEN last_month ELSE last_fortnight END, $4::integer))
                      AS "bits!",
                  array_agg($4 - scoring.period_of($3, first_day)) AS "first_ago!",
                  array_agg($4 - scoring.period_of($3, COALESCE(start_day, created_day))) AS "from_ago!",
                  array_agg(GREATEST($4 - scoring.period_of($3, end_day), 0)) AS "to_ago!"
             FROM scoring.feature_periods
             JOIN scoring.lifespans ON lifespans.account_id = feature_periods.account_id
            WHERE lifecycle_stage <> 1 AND (lifecycle_stage <> 5 OR end_day IS NOT NULL)
              AND ($1::smallint[] IS NULL OR segment = ANY($1))
              AND ($2::text IS NULL OR owner_emails @> ARRAY[$2])
            GROUP BY 1, 2"#,
        customers.segments.as_deref(),
        customers.owner_email,
        grain_number(grain),
        starts.last().map_or(0, |start| grain.period_of(*start)),
    )
    .fetch_all(conn)
    .await?;
    let mut tallies = UserTallies::new();
    for row in rows {
        let tally = tallies.entry(row.feature).or_default().entry(codes::segment(row.segment)?);
        let tally = tally.or_insert_with(|| UserTally::of(starts.len()));
        let spans = row.from_ago.into_iter().zip(row.to_ago);
        for ((bits, first_ago), (from_ago, to_ago)) in row.bits.into_iter().zip(row.first_ago).zip(spans) {
            tally.add(FeatureUse { bits, first_ago, customer: CustomerSpan { from_ago, to_ago } });
        }
    }
    Ok(tallies)
}
