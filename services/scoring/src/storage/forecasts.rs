//! What forecasts learn from and are made of, and the models themselves.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::{AccountId, Currency, ModelId, Money};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes;
use super::customer_filters::FilterParameters;
use crate::domain::account::LifecycleStage;
use crate::domain::customer_filter::CustomerFilter;
use crate::domain::forecast::{ContractDays, CustomerDay, ForecastCustomer, ForecastDefinition, ForecastModel};

/// How many parts accounts are put into, so that some of the parts can be drawn.
pub(crate) const PARTS: i64 = 1_024;

/// At most `limit` accounts after `after` that are no trials, archived ones too, with what they say of their contracts; only the
/// first `parts` of [`PARTS`]. Where the renewal date was taken from those that are gone, it is that of the last renewal that was
/// decided.
pub(crate) async fn contracts(
    conn: &mut PgConnection,
    parts: i64,
    after: Option<&str>,
    limit: i64,
) -> Result<BTreeMap<AccountId, ContractDays>, StorageError> {
    let rows = sqlx::query!(
        r#"SELECT account_id,
                  (CASE WHEN renewal_at IS NULL AND (archived_at IS NOT NULL OR lifecycle_stage = $5)
                        THEN (SELECT max(due_at) FROM scoring.renewal_outcomes AS decided
                               WHERE decided.account_id = accounts.account_id)
                        ELSE renewal_at END AT TIME ZONE 'UTC')::date AS renewal_day,
                  (COALESCE(activated_at, contract_start_at, signed_up_at) AT TIME ZONE 'UTC')::date AS start_day
             FROM scoring.accounts
            WHERE lifecycle_stage <> $4 AND (hashtextextended(account_id, 0) & 1023) < $1
              AND ($2::text IS NULL OR account_id > $2)
            ORDER BY account_id
            LIMIT $3"#,
        parts,
        after,
        limit,
        codes::lifecycle_stage_number(LifecycleStage::Trial),
        codes::lifecycle_stage_number(LifecycleStage::Churned),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let contract = ContractDays { start_day: row.start_day, renewal_day: row.renewal_day };
            Ok((codes::account_id(&row.account_id)?, contract))
        })
        .collect()
}

/// A day before which no account had a signal; none without signals.
pub(crate) async fn first_signal_day(conn: &mut PgConnection) -> Result<Option<NaiveDate>, StorageError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT LEAST((SELECT min(day) FROM scoring.series_days), (SELECT min(month) FROM scoring.gauge_months)) AS day"#
    )
    .fetch_one(conn)
    .await?)
}

/// How many accounts that are no trials there are in the first `parts` of [`PARTS`], archived ones too.
pub(crate) async fn count_accounts(conn: &mut PgConnection, parts: i64) -> Result<u64, StorageError> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM scoring.accounts
            WHERE lifecycle_stage <> $1 AND (hashtextextended(account_id, 0) & 1023) < $2"#,
        codes::lifecycle_stage_number(LifecycleStage::Trial),
        parts,
    )
    .fetch_one(conn)
    .await?;
    u64::try_from(count).map_err(codes::corrupt)
}

/// Those who are customers today and whom the filter lets through, or one of them, with what the model reads of them
/// today, where it does. Neither trials nor archived nor
/// churned accounts are customers.
pub(crate) async fn customers(
    conn: &mut PgConnection,
    health_model: &ModelId,
    account: Option<&AccountId>,
    filter: &CustomerFilter,
) -> Result<Vec<ForecastCustomer>, StorageError> {
    let filter = FilterParameters::of(filter);
    let rows = sqlx::query!(
        r#"SELECT accounts.account_id, accounts.segment, accounts.currency,
                  scoring.annual_minor_units(arr_minor_units, mrr_minor_units) AS arr_minor_units,
                  health.day AS "day?",
                  CASE health.model_id WHEN $1 THEN measure_values ELSE general_measure_values
                       END AS "measure_values?: Vec<Option<f64>>",
                  CASE health.model_id WHEN $1 THEN health.coverage ELSE general_coverage END AS "coverage?",
                  health.last_signal_day AS "last_signal_day?",
                  (COALESCE(activated_at, contract_start_at, signed_up_at) AT TIME ZONE 'UTC')::date AS start_day,
                  (renewal_at AT TIME ZONE 'UTC')::date AS renewal_day
             FROM scoring.accounts
             LEFT JOIN scoring.health ON health.account_id = accounts.account_id
                                     AND $1 IN (health.model_id, health.general_model_id)
            WHERE accounts.archived_at IS NULL AND accounts.lifecycle_stage NOT IN ($2, $3)
              AND ($4::text IS NULL OR accounts.account_id = $4)
              AND ($5::smallint[] IS NULL OR accounts.segment = ANY($5))
              AND ($6::text IS NULL OR accounts.owner_emails @> ARRAY[$6])"#,
        health_model.as_str(),
        codes::lifecycle_stage_number(LifecycleStage::Trial),
        codes::lifecycle_stage_number(LifecycleStage::Churned),
        account.map(AccountId::as_str),
        filter.segments.as_deref(),
        filter.owner_email,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let currency = row.currency.as_deref().map(Currency::parse).transpose().map_err(codes::corrupt)?;
            let today = match (row.day, row.measure_values, row.coverage) {
                (Some(day), Some(measure_values), Some(coverage)) => Some(CustomerDay {
                    day,
                    measure_values,
                    coverage,
                    last_signal_day: row.last_signal_day,
                    start_day: row.start_day,
                    renewal_day: row.renewal_day,
                }),
                _ => None,
            };
            Ok(ForecastCustomer {
                segment: codes::segment(row.segment)?,
                arr: currency.zip(row.arr_minor_units).map(|(currency, minor_units)| Money { currency, minor_units }),
                today,
            })
        })
        .collect()
}

struct ModelRow {
    number: i64,
    created_at: DateTime<Utc>,
    creator: String,
    health_model_id: String,
    definition: serde_json::Value,
}

impl TryFrom<ModelRow> for ForecastModel {
    type Error = StorageError;

    fn try_from(row: ModelRow) -> Result<Self, StorageError> {
        Ok(Self {
            number: row.number,
            created_at: row.created_at,
            creator: row.creator,
            health_model: codes::model_id(&row.health_model_id)?,
            definition: serde_json::from_value(row.definition).map_err(codes::corrupt)?,
        })
    }
}

/// Keeps a new model, and gives its number.
pub(crate) async fn create(
    conn: &mut PgConnection,
    health_model: &ModelId,
    definition: &ForecastDefinition,
    creator: &str,
    created_at: DateTime<Utc>,
) -> Result<i64, StorageError> {
    Ok(sqlx::query_scalar!(
        "INSERT INTO scoring.forecast_models (created_at, health_model_id, definition, creator)
         VALUES ($1, $2, $3, $4) RETURNING number",
        created_at,
        health_model.as_str(),
        serde_json::to_value(definition).map_err(codes::corrupt)?,
        creator,
    )
    .fetch_one(conn)
    .await?)
}

/// The model of a number, or the newest.
pub(crate) async fn lookup(
    conn: &mut PgConnection,
    number: Option<i64>,
) -> Result<Option<ForecastModel>, StorageError> {
    let row = sqlx::query_as!(
        ModelRow,
        "SELECT number, created_at, creator, health_model_id, definition FROM scoring.forecast_models
          WHERE $1::bigint IS NULL OR number = $1 ORDER BY number DESC LIMIT 1",
        number
    )
    .fetch_optional(conn)
    .await?;
    row.map(ForecastModel::try_from).transpose()
}

/// A page of models, newest first, below the number `before`.
pub(crate) async fn list(
    conn: &mut PgConnection,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<ForecastModel>, StorageError> {
    let rows = sqlx::query_as!(
        ModelRow,
        "SELECT number, created_at, creator, health_model_id, definition FROM scoring.forecast_models
          WHERE $1::bigint IS NULL OR number < $1 ORDER BY number DESC LIMIT $2",
        before,
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(ForecastModel::try_from).collect()
}
