//! What a report of adopted features is made of.

use chrono::NaiveDate;
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes;
use super::customer_filters::FilterParameters;
use crate::domain::adoption_period::AdoptionGrain;
use crate::domain::customer_filter::CustomerFilter;
use crate::domain::feature_adoption_report::{CustomerCount, FeatureUsers, UserCount};

const fn grain_number(grain: AdoptionGrain) -> i16 {
    match grain {
        AdoptionGrain::Month => 1,
        AdoptionGrain::Fortnight => 2,
    }
}

/// Customers and users by segment in the periods that begin on `starts`, which follow one another.
///
/// Accounts that used a feature alike are counted before they are looked at period by period: they are few patterns.
pub(crate) async fn counts(
    conn: &mut PgConnection,
    customers: &CustomerFilter,
    grain: AdoptionGrain,
    starts: &[NaiveDate],
) -> Result<(Vec<CustomerCount>, Vec<UserCount>), StorageError> {
    let customers = FilterParameters::of(customers);
    let first = starts.first().map_or(0, |start| grain.period_of(*start));
    let last = starts.last().map_or(0, |start| grain.period_of(*start));
    let rows = sqlx::query!(
        r#"WITH customers AS (
               SELECT account_id, segment,
                      GREATEST(scoring.period_of($3::smallint, COALESCE(start_day, created_day)), $4::integer) AS from_period,
                      LEAST(COALESCE(scoring.period_of($3, end_day), $5::integer), $5) AS to_period
                 FROM scoring.lifespans
                WHERE lifecycle_stage <> 1 AND (lifecycle_stage <> 5 OR end_day IS NOT NULL)
                  AND ($1::smallint[] IS NULL OR segment = ANY($1))
                  AND ($2::text IS NULL OR owner_emails @> ARRAY[$2])
           ), used AS (
               SELECT feature, segment, from_period, to_period,
                      scoring.periods_until(CASE $3 WHEN 1 THEN month_bits ELSE fortnight_bits END,
                                            CASE $3 WHEN 1 THEN last_month ELSE last_fortnight END, $5)
                          & ((1::bigint << ($5 - $4 + 2)) - 1) AS bits,
                      GREATEST(scoring.period_of($3, first_day), $4 - 1) AS first_use, count(*) AS account_count
                 FROM scoring.feature_periods JOIN customers USING (account_id)
                GROUP BY 1, 2, 3, 4, 5, 6
           )
           SELECT NULL AS feature, segment AS "segment!", period AS "period!", sum(account_count)::bigint AS "users!",
                  0::bigint AS "new!", 0::bigint AS "returned!", 0::bigint AS "lapsed!"
             FROM (SELECT segment, from_period, to_period, count(*) AS account_count FROM customers GROUP BY 1, 2, 3) AS alike
             JOIN generate_series($4, $5) AS period ON period BETWEEN from_period AND to_period
            GROUP BY 1, 2, 3
           UNION ALL
           SELECT feature, segment, period,
                  COALESCE(sum(account_count) FILTER (WHERE uses), 0)::bigint,
                  COALESCE(sum(account_count) FILTER (WHERE uses AND first_use = period), 0)::bigint,
                  COALESCE(sum(account_count) FILTER (WHERE uses AND NOT used_before AND first_use < period), 0)::bigint,
                  COALESCE(sum(account_count) FILTER (WHERE used_before AND NOT uses), 0)::bigint
             FROM used
             JOIN generate_series($4, $5) AS period ON period BETWEEN from_period AND to_period
            CROSS JOIN LATERAL (SELECT bits & (1::bigint << ($5 - period)) <> 0 AS uses,
                                       bits & (1::bigint << ($5 - period + 1)) <> 0 AS used_before) AS look
            WHERE uses OR used_before
            GROUP BY 1, 2, 3"#,
        customers.segments.as_deref(),
        customers.owner_email,
        grain_number(grain),
        first,
        last,
    )
    .fetch_all(conn)
    .await?;
    let (mut of_customers, mut of_users) = (Vec::new(), Vec::new());
    for row in rows {
        let place = usize::try_from(row.period - first).map_err(codes::corrupt)?;
        let Some(&start) = starts.get(place) else { continue };
        let segment = codes::segment(row.segment)?;
        match row.feature {
            None => of_customers.push(CustomerCount { start, segment, account_count: row.users }),
            Some(feature) => {
                let counts =
                    FeatureUsers { users: row.users, new: row.new, returned: row.returned, lapsed: row.lapsed };
                of_users.push(UserCount { feature, start, segment, counts });
            }
        }
    }
    of_customers.sort_unstable_by_key(|count| (count.start, count.segment));
    Ok((of_customers, of_users))
}
