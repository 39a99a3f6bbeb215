//! Rows of plans, one a version.

use chrono::{DateTime, Utc};
use mainstay_domain::{Currency, Money};
use mainstay_storage::StorageError;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;

use super::codes::{self, corrupt, from_json, to_json};
use crate::domain::{Plan, PlanDraft, PlanId, Price, PriceBasis, PricePeriod};

#[derive(Serialize, Deserialize)]
struct PriceRow {
    period: PricePeriod,
    basis: PriceBasis,
    currency: String,
    minor_units: i64,
}

struct PlanRow {
    plan_id: String,
    version: i32,
    display_name: String,
    description: String,
    limits: Value,
    included_seats: i64,
    features: Value,
    prices: Value,
    upgrade_plan_id: Option<String>,
    created_at: DateTime<Utc>,
    published_at: Option<DateTime<Utc>>,
    in_force: bool,
}

impl TryFrom<PlanRow> for Plan {
    type Error = StorageError;

    fn try_from(row: PlanRow) -> Result<Self, StorageError> {
        let prices: Vec<PriceRow> = from_json(row.prices)?;
        let price = |price: PriceRow| {
            let currency = Currency::parse(&price.currency).map_err(corrupt)?;
            let amount = Money { currency, minor_units: price.minor_units };
            Ok(Price { period: price.period, basis: price.basis, amount })
        };
        Ok(Self {
            draft: PlanDraft {
                id: PlanId::parse(&row.plan_id).map_err(corrupt)?,
                display_name: row.display_name,
                description: row.description,
                limits: from_json(row.limits)?,
                included_seats: row.included_seats,
                features: from_json(row.features)?,
                prices: prices.into_iter().map(price).collect::<Result<_, StorageError>>()?,
                upgrade: codes::plan_id(row.upgrade_plan_id.as_deref())?,
            },
            version: row.version,
            created_at: row.created_at,
            published_at: row.published_at,
            in_force: row.in_force,
        })
    }
}

/// `query_as!` for whole plans, so that the columns stand here once.
macro_rules! select_plans {
    ($tail:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            PlanRow,
            r#"SELECT plan_id, version, display_name, description, limits, included_seats, features, prices,
                      upgrade_plan_id, created_at, published_at, in_force AS "in_force!"
                 FROM (SELECT *, published_at IS NOT NULL AND version = max(version)
                              FILTER (WHERE published_at IS NOT NULL) OVER (PARTITION BY plan_id) AS in_force
                         FROM expansion.plan_versions) AS plan "# + $tail
            $(, $argument)*
        )
    };
}

/// The version, if there is one.
pub(crate) async fn lookup(conn: &mut PgConnection, id: &PlanId, version: i32) -> Result<Option<Plan>, StorageError> {
    let row = select_plans!("WHERE plan_id = $1 AND version = $2", id.as_str(), version).fetch_optional(conn).await?;
    row.map(Plan::try_from).transpose()
}

/// The version in force, if one is.
pub(crate) async fn in_force(conn: &mut PgConnection, id: &PlanId) -> Result<Option<Plan>, StorageError> {
    let row = select_plans!("WHERE plan_id = $1 AND in_force", id.as_str()).fetch_optional(conn).await?;
    row.map(Plan::try_from).transpose()
}

/// A page of plans by id, the versions of each from the newest down, after a plan and version.
pub(crate) async fn list(
    conn: &mut PgConnection,
    in_force_only: bool,
    after: Option<(&str, i32)>,
    limit: i64,
) -> Result<Vec<Plan>, StorageError> {
    let rows = select_plans!(
        r#"WHERE (NOT $1 OR in_force)
             AND ($2::text IS NULL OR plan_id > $2 OR (plan_id = $2 AND version < $3))
           ORDER BY plan_id, version DESC LIMIT $4"#,
        in_force_only,
        after.map(|(plan, _)| plan),
        after.map_or(0, |(_, version)| version),
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Plan::try_from).collect()
}

/// Waits for the others that create or publish versions, and keeps them waiting until the transaction ends.
pub(crate) async fn lock(conn: &mut PgConnection) -> Result<(), StorageError> {
    sqlx::query!("LOCK TABLE expansion.plan_versions IN SHARE ROW EXCLUSIVE MODE").execute(conn).await?;
    Ok(())
}

/// Stores the next version of a plan; the caller has [`lock`]ed. Gives its number.
pub(crate) async fn create(
    conn: &mut PgConnection,
    draft: &PlanDraft,
    created_at: DateTime<Utc>,
) -> Result<i32, StorageError> {
    let prices: Vec<PriceRow> = draft
        .prices
        .iter()
        .map(|price| PriceRow {
            period: price.period,
            basis: price.basis,
            currency: price.amount.currency.to_string(),
            minor_units: price.amount.minor_units,
        })
        .collect();
    let version = sqlx::query_scalar!(
        "INSERT INTO expansion.plan_versions (plan_id, version, display_name, description, limits, included_seats,
             features, prices, upgrade_plan_id, created_at)
         SELECT $1, coalesce(max(version), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9
           FROM expansion.plan_versions WHERE plan_id = $1
         RETURNING version",
        draft.id.as_str(),
        draft.display_name,
        draft.description,
        to_json(&draft.limits)?,
        draft.included_seats,
        to_json(&draft.features)?,
        to_json(&prices)?,
        draft.upgrade.as_ref().map(PlanId::as_str),
        created_at,
    )
    .fetch_one(conn)
    .await?;
    Ok(version)
}

/// Publishes a draft.
pub(crate) async fn publish(
    conn: &mut PgConnection,
    id: &PlanId,
    version: i32,
    published_at: DateTime<Utc>,
) -> Result<(), StorageError> {
    let published = sqlx::query!(
        "UPDATE expansion.plan_versions SET published_at = $3
          WHERE plan_id = $1 AND version = $2 AND published_at IS NULL",
        id.as_str(),
        version,
        published_at,
    )
    .execute(conn)
    .await?;
    mainstay_storage::exactly_one(&published)
}
