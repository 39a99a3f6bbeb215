//! Health as it is looked at: of an account, of a day, of the portfolio.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use mainstay_domain::{AccountId, Currency, Money, Points};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes;
use super::health::{RecordRow, scores_on};
use crate::domain::{
    Changes, HealthCursor, HealthFilter, HealthOrder, HealthRecord, HealthSummary, HealthView, SummaryGroup,
};

struct ViewRow {
    account_id: String,
    day: NaiveDate,
    score: Option<i32>,
    band: Option<i16>,
    coverage: f64,
    freshness_days: Option<i32>,
    last_signal_day: Option<NaiveDate>,
    model_id: String,
    measure_values: Vec<Option<f64>>,
    measure_raw_values: Vec<Option<f64>>,
    measure_base_values: Vec<Option<f64>>,
    measure_missing: Vec<Option<i16>>,
    measure_freshness_days: Vec<Option<i32>>,
    scored_at: DateTime<Utc>,
    change_1d: Option<i32>,
    change_7d: Option<i32>,
    change_30d: Option<i32>,
    display_name: String,
    segment: i16,
    currency: Option<String>,
    arr_minor_units: Option<i64>,
    archived_at: Option<DateTime<Utc>>,
    is_corrected: bool,
}

impl TryFrom<ViewRow> for HealthView {
    type Error = StorageError;

    fn try_from(row: ViewRow) -> Result<Self, StorageError> {
        let points = |units: Option<i32>| units.map(Points::from_units);
        let currency = row.currency.as_deref().map(Currency::parse).transpose().map_err(codes::corrupt)?;
        Ok(Self {
            record: HealthRecord::try_from(RecordRow {
                account_id: row.account_id,
                day: row.day,
                score: row.score,
                band: row.band,
                coverage: row.coverage,
                freshness_days: row.freshness_days,
                last_signal_day: row.last_signal_day,
                model_id: row.model_id,
                measure_values: row.measure_values,
                measure_raw_values: row.measure_raw_values,
                measure_base_values: row.measure_base_values,
                measure_missing: row.measure_missing,
                measure_freshness_days: row.measure_freshness_days,
                scored_at: row.scored_at,
            })?,
            changes: Changes {
                one_day: points(row.change_1d),
                week: points(row.change_7d),
                month: points(row.change_30d),
            },
            display_name: row.display_name,
            segment: codes::segment(row.segment)?,
            arr: currency.zip(row.arr_minor_units).map(|(currency, minor_units)| Money { currency, minor_units }),
            archived_at: row.archived_at,
            is_corrected: row.is_corrected,
        })
    }
}

/// `query_as!` for views of today's rows, so that the columns stand here once.
macro_rules! select_views {
    ([$($tail:tt)+] $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            ViewRow,
            r#"SELECT health.account_id, health.day, health.score, health.band, health.coverage, health.freshness_days,
                      health.last_signal_day, health.model_id,
                      health.measure_values AS "measure_values: Vec<Option<f64>>",
                      health.measure_raw_values AS "measure_raw_values: Vec<Option<f64>>",
                      health.measure_base_values AS "measure_base_values: Vec<Option<f64>>",
                      health.measure_missing AS "measure_missing: Vec<Option<i16>>",
                      health.measure_freshness_days AS "measure_freshness_days: Vec<Option<i32>>",
                      health.scored_at, health.change_1d, health.change_7d, health.change_30d,
                      accounts.display_name, accounts.segment, accounts.currency, accounts.arr_minor_units,
                      accounts.archived_at,
                      EXISTS (SELECT FROM scoring.labels
                               WHERE labels.account_id = accounts.account_id AND labels.ended_at IS NULL)
                          AS "is_corrected!"
                 FROM scoring.health
                 JOIN scoring.accounts ON accounts.account_id = health.account_id "# + $($tail)+
            $(, $argument)*
        )
    };
}

/// Today's health of an account, if it was scored. A list of one would make
/// PostgreSQL plan anew at each call, which costs more than the look-up.
pub(crate) async fn current_of(conn: &mut PgConnection, id: &AccountId) -> Result<Option<HealthView>, StorageError> {
    let row = select_views!(["WHERE health.account_id = $1"], id.as_str()).fetch_optional(conn).await?;
    row.map(HealthView::try_from).transpose()
}

/// Today's health of those of `ids` that were scored.
pub(crate) async fn current(conn: &mut PgConnection, ids: &[&str]) -> Result<Vec<HealthView>, StorageError> {
    let rows = select_views!(["WHERE health.account_id = ANY($1::text[])"], ids as &[&str]).fetch_all(conn).await?;
    rows.into_iter().map(HealthView::try_from).collect()
}

/// `query_as!` for views of past days, to which [`with_changes`] adds the changes: `$tail` joins
/// `history`, which has the days, to `accounts`.
macro_rules! select_past_views {
    ([$($tail:tt)+] $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            ViewRow,
            r#"SELECT history.account_id, history.day, history.score, history.band, history.coverage,
                      history.freshness_days, history.last_signal_day, history.model_id,
                      history.measure_values AS "measure_values: Vec<Option<f64>>",
                      history.measure_raw_values AS "measure_raw_values: Vec<Option<f64>>",
                      history.measure_base_values AS "measure_base_values: Vec<Option<f64>>",
                      history.measure_missing AS "measure_missing: Vec<Option<i16>>",
                      history.measure_freshness_days AS "measure_freshness_days: Vec<Option<i32>>",
                      history.scored_at, NULL::integer AS change_1d, NULL::integer AS change_7d,
                      NULL::integer AS change_30d,
                      accounts.display_name, accounts.segment, accounts.currency, accounts.arr_minor_units,
                      accounts.archived_at,
                      EXISTS (SELECT FROM scoring.labels
                               WHERE labels.account_id = accounts.account_id AND labels.ended_at IS NULL)
                          AS "is_corrected!"
                 FROM scoring.accounts "# + $($tail)+
            $(, $argument)*
        )
    };
}

/// Health of those of `ids` that were scored by the end of `day`, each on the last day it was scored.
pub(crate) async fn as_of(
    conn: &mut PgConnection,
    ids: &[&str],
    day: NaiveDate,
) -> Result<Vec<HealthView>, StorageError> {
    let rows = select_past_views!(
        ["JOIN LATERAL (SELECT * FROM scoring.health_history AS every
                         WHERE every.account_id = accounts.account_id AND every.day <= $2
                         ORDER BY every.day DESC LIMIT 1) AS history ON true
          WHERE accounts.account_id = ANY($1::text[])"],
        ids as &[&str],
        day,
    )
    .fetch_all(&mut *conn)
    .await?;
    with_changes(conn, rows).await
}

/// A page of an account's days, newest first, of days before `before`.
pub(crate) async fn history(
    conn: &mut PgConnection,
    account: &AccountId,
    start: Option<NaiveDate>,
    end: Option<NaiveDate>,
    before: Option<NaiveDate>,
    limit: i64,
) -> Result<Vec<HealthView>, StorageError> {
    let rows = select_past_views!(
        ["JOIN scoring.health_history AS history ON history.account_id = accounts.account_id
          WHERE accounts.account_id = $1
            AND ($2::date IS NULL OR history.day >= $2)
            AND ($3::date IS NULL OR history.day <= $3)
            AND ($4::date IS NULL OR history.day < $4)
          ORDER BY history.day DESC
          LIMIT $5"],
        account.as_str(),
        start,
        end,
        before,
        limit,
    )
    .fetch_all(&mut *conn)
    .await?;
    with_changes(conn, rows).await
}

/// Views of past days with their changes, for which the scores of the days before are looked up together.
async fn with_changes(conn: &mut PgConnection, rows: Vec<ViewRow>) -> Result<Vec<HealthView>, StorageError> {
    let mut views = rows.into_iter().map(HealthView::try_from).collect::<Result<Vec<_>, _>>()?;
    let place = |record: &HealthRecord, days: u8| (record.account.clone(), record.day - TimeDelta::days(days.into()));
    let wanted = views.iter().flat_map(|view| Changes::DAYS.map(|days| place(&view.record, days))).collect();
    let scores = scores_on(conn, &wanted).await?;
    for view in &mut views {
        let record = &view.record;
        view.changes = Changes::of(record.score, |days| scores.get(&place(record, days)).copied());
    }
    Ok(views)
}

/// A [`HealthFilter`] as parameters of queries.
struct FilterParameters<'a> {
    bands: Option<Vec<i16>>,
    without_score: bool,
    segments: Option<Vec<i16>>,
    owner_email: Option<&'a str>,
    change_30d_at_most: Option<i32>,
    change_30d_at_least: Option<i32>,
}

impl<'a> From<&'a HealthFilter> for FilterParameters<'a> {
    fn from(filter: &'a HealthFilter) -> Self {
        let bands = filter.bands.iter().flatten().map(|&band| codes::band_number(band)).collect();
        Self {
            bands: (!filter.bands.is_empty()).then_some(bands),
            without_score: filter.bands.contains(&None),
            segments: codes::any_of(&filter.segments, codes::segment_number),
            owner_email: filter.owner_email.as_deref(),
            change_30d_at_most: filter.change_30d_at_most.map(Points::units),
            change_30d_at_least: filter.change_30d_at_least.map(Points::units),
        }
    }
}

/// A query of the accounts that a filter lets through, by a macro that takes its tail: the
/// conditions stand here once. Parameters of the rest of the tail begin with $7.
macro_rules! filtered {
    ($select:ident, $filter:expr, [$($tail:tt)+] $(, $argument:expr)* $(,)?) => {
        $select!(
            ["WHERE accounts.archived_at IS NULL
                AND ($1::smallint[] IS NULL OR health.band = ANY($1) OR ($2 AND health.band IS NULL))
                AND ($3::smallint[] IS NULL OR accounts.segment = ANY($3))
                AND ($4::text IS NULL OR accounts.owner_emails @> ARRAY[$4])
                AND ($5::integer IS NULL OR health.change_30d <= $5)
                AND ($6::integer IS NULL OR health.change_30d >= $6) "
                + $($tail)+],
            $filter.bands.as_deref(),
            $filter.without_score,
            $filter.segments.as_deref(),
            $filter.owner_email,
            $filter.change_30d_at_most,
            $filter.change_30d_at_least
            $(, $argument)*
        )
    };
}

/// A query for one order of the list: the column, how the next page compares
/// with it, and the direction.
macro_rules! list_views {
    ($column:literal, $beyond:literal, $direction:literal, $filter:expr, $after:expr, $limit:expr) => {
        filtered!(
            select_views,
            $filter,
            ["AND ($8::text IS NULL
                   OR CASE WHEN $7::bigint IS NULL THEN "
                + $column
                + " IS NULL AND health.account_id > $8
                           ELSE "
                + $column
                + $beyond
                + " $7 OR "
                + $column
                + " IS NULL
                                OR ("
                + $column
                + " = $7 AND health.account_id > $8) END)
              ORDER BY "
                + $column
                + $direction
                + " NULLS LAST, health.account_id
              LIMIT $9"],
            $after.and_then(|cursor| cursor.figure),
            $after.map(|cursor| cursor.account_id.as_str()),
            $limit,
        )
    };
}

/// A page of today's health.
pub(crate) async fn list(
    conn: &mut PgConnection,
    filter: &HealthFilter,
    order: HealthOrder,
    after: Option<&HealthCursor>,
    limit: i64,
) -> Result<Vec<HealthView>, StorageError> {
    let filter = &FilterParameters::from(filter);
    let rows = match order {
        HealthOrder::ScoreAscending => {
            list_views!("health.score", " > ", " ASC", filter, after, limit).fetch_all(conn).await?
        }
        HealthOrder::ScoreDescending => {
            list_views!("health.score", " < ", " DESC", filter, after, limit).fetch_all(conn).await?
        }
        HealthOrder::Change30dAscending => {
            list_views!("health.change_30d", " > ", " ASC", filter, after, limit).fetch_all(conn).await?
        }
        HealthOrder::Change30dDescending => {
            list_views!("health.change_30d", " < ", " DESC", filter, after, limit).fetch_all(conn).await?
        }
        HealthOrder::ArrDescending => list_by_arr(conn, filter, after, limit).await?,
    };
    rows.into_iter().map(HealthView::try_from).collect()
}

async fn list_by_arr(
    conn: &mut PgConnection,
    filter: &FilterParameters<'_>,
    after: Option<&HealthCursor>,
    limit: i64,
) -> Result<Vec<ViewRow>, StorageError> {
    Ok(filtered!(
        select_views,
        filter,
        ["AND ($9::text IS NULL
               OR CASE WHEN $7::bigint IS NULL THEN accounts.arr_minor_units IS NULL AND health.account_id > $9
                       ELSE accounts.arr_minor_units IS NULL OR accounts.currency > $8
                            OR (accounts.currency = $8
                                AND (accounts.arr_minor_units < $7
                                     OR (accounts.arr_minor_units = $7 AND health.account_id > $9))) END)
          ORDER BY CASE WHEN accounts.arr_minor_units IS NOT NULL THEN accounts.currency END NULLS LAST,
                   accounts.arr_minor_units DESC NULLS LAST, health.account_id
          LIMIT $10"],
        after.and_then(|cursor| cursor.figure),
        after.and_then(|cursor| cursor.currency.as_deref()),
        after.map(|cursor| cursor.account_id.as_str()),
        limit,
    )
    .fetch_all(conn)
    .await?)
}

/// `query!` for the groups of a summary; accounts that were not scored yet have no health.
macro_rules! select_groups {
    ([$($tail:tt)+] $(, $argument:expr)* $(,)?) => {
        sqlx::query!(
            r#"SELECT health.band AS "band?",
                      CASE WHEN health.score IS NOT NULL THEN LEAST(health.score / $7, $8 - 1) END AS bucket,
                      accounts.currency, count(*) AS "account_count!",
                      COALESCE(sum(health.score), 0)::bigint AS "score_sum!",
                      sum(accounts.arr_minor_units)::bigint AS arr_minor_units
                 FROM scoring.accounts
                 LEFT JOIN scoring.health ON health.account_id = accounts.account_id "# + $($tail)+
            $(, $argument)*
        )
    };
}

/// The portfolio by band, bucket of the histogram and currency.
pub(crate) async fn summarize(
    conn: &mut PgConnection,
    filter: &HealthFilter,
) -> Result<Vec<SummaryGroup>, StorageError> {
    let filter = FilterParameters::from(filter);
    let rows = filtered!(
        select_groups,
        filter,
        ["GROUP BY 1, 2, 3"],
        HealthSummary::BUCKET_POINTS * Points::UNITS_PER_POINT,
        HealthSummary::BUCKETS,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let currency = row.currency.as_deref().map(Currency::parse).transpose().map_err(codes::corrupt)?;
            Ok(SummaryGroup {
                band: row.band.map(codes::band).transpose()?,
                bucket: row.bucket,
                account_count: row.account_count,
                score_sum: row.score_sum,
                arr: currency.zip(row.arr_minor_units).map(|(currency, minor_units)| Money { currency, minor_units }),
            })
        })
        .collect()
}
