//! The rows of the copy.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_domain::{AccountId, Contact, Currency, Money, Owner, Points};
use mainstay_events::{Event, HandlerError};
use mainstay_storage::{SchemaName, StorageError};
use prost::Name;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, FromRow, PgConnection, SqlSafeStr, SqlStr};

use crate::account::{Account, AccountHealth};
use crate::{codes, message};

/// A service's copy of the accounts, in its schema. Clones share the statements.
#[derive(Debug, Clone)]
pub struct Accounts {
    statements: Arc<Statements>,
}

#[derive(Debug)]
struct Statements {
    lookup: SqlStr,
    lookup_all: SqlStr,
    display_names: SqlStr,
    lock: SqlStr,
    lock_free: SqlStr,
    list: SqlStr,
    insert_unknown: SqlStr,
    store_facts: SqlStr,
    store_health: SqlStr,
}

#[derive(FromRow)]
struct Row {
    account_id: String,
    display_name: String,
    segment: i16,
    plan: String,
    lifecycle_stage: i16,
    currency: Option<String>,
    arr_minor_units: Option<i64>,
    renewal_at: Option<DateTime<Utc>>,
    signed_up_at: Option<DateTime<Utc>>,
    activated_at: Option<DateTime<Utc>>,
    seats: Option<i64>,
    plan_limits: Json<BTreeMap<String, f64>>,
    owners: Json<Vec<Owner>>,
    contacts: Json<Vec<Contact>>,
    archived_at: Option<DateTime<Utc>>,
    score: Option<i32>,
    band: Option<i16>,
    scored_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Account {
    type Error = StorageError;

    fn try_from(row: Row) -> Result<Self, StorageError> {
        let corrupt = |what: String| StorageError::Corrupt(format!("account {}: {what}", row.account_id));
        let arr = match (row.currency, row.arr_minor_units) {
            (Some(currency), Some(minor_units)) => {
                let currency = Currency::parse(&currency).map_err(|error| corrupt(error.to_string()))?;
                Some(Money { currency, minor_units })
            }
            _ => None,
        };
        Ok(Self {
            id: AccountId::parse(&row.account_id).map_err(|error| corrupt(error.to_string()))?,
            display_name: row.display_name,
            segment: codes::segment(row.segment)?,
            plan: row.plan,
            lifecycle_stage: codes::lifecycle_stage(row.lifecycle_stage)?,
            arr,
            renewal_at: row.renewal_at,
            signed_up_at: row.signed_up_at,
            activated_at: row.activated_at,
            seats: row.seats,
            plan_limits: row.plan_limits.0,
            owners: row.owners.0,
            contacts: row.contacts.0,
            archived_at: row.archived_at,
            health: AccountHealth {
                score: row.score.map(Points::from_units),
                band: row.band.map(codes::band).transpose()?,
                scored_at: row.scored_at,
            },
        })
    }
}

impl Accounts {
    /// The copy in a schema that has [`crate::MIGRATIONS`].
    pub fn new(schema: &SchemaName) -> Self {
        const COLUMNS: &str = "account_id, display_name, segment, plan, lifecycle_stage, currency, arr_minor_units, \
             renewal_at, signed_up_at, activated_at, seats, plan_limits, owners, contacts, archived_at, score, band, \
             scored_at";
        let sql = |text: String| AssertSqlSafe(Arc::<str>::from(text)).into_sql_str();
        let statements = Statements {
            lookup: sql(format!("SELECT {COLUMNS} FROM {schema}.accounts WHERE account_id = $1")),
            lookup_all: sql(format!("SELECT {COLUMNS} FROM {schema}.accounts WHERE account_id = ANY ($1)")),
            display_names: sql(format!(
                "SELECT account_id, display_name FROM {schema}.accounts WHERE account_id = ANY ($1)"
            )),
            lock: sql(format!("SELECT {COLUMNS} FROM {schema}.accounts WHERE account_id = $1 FOR UPDATE")),
            lock_free: sql(format!(
                "SELECT account_id FROM {schema}.accounts WHERE account_id = ANY ($1) ORDER BY account_id
                 FOR UPDATE SKIP LOCKED"
            )),
            list: sql(format!(
                "SELECT {COLUMNS} FROM {schema}.accounts WHERE $1::text IS NULL OR account_id > $1
                 ORDER BY account_id LIMIT $2"
            )),
            insert_unknown: sql(format!(
                "INSERT INTO {schema}.accounts
                     (account_id, display_name, segment, plan, lifecycle_stage, plan_limits, owners, contacts)
                 VALUES ($1, $1, 0, '', 0, '{{}}', '[]', '[]') ON CONFLICT DO NOTHING"
            )),
            store_facts: sql(format!(
                "INSERT INTO {schema}.accounts (account_id, display_name, segment, plan, lifecycle_stage, currency,
                     arr_minor_units, renewal_at, signed_up_at, activated_at, seats, plan_limits, owners, contacts,
                     archived_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
                 ON CONFLICT (account_id) DO UPDATE SET
                     display_name = excluded.display_name, segment = excluded.segment, plan = excluded.plan,
                     lifecycle_stage = excluded.lifecycle_stage, currency = excluded.currency,
                     arr_minor_units = excluded.arr_minor_units, renewal_at = excluded.renewal_at,
                     signed_up_at = excluded.signed_up_at, activated_at = excluded.activated_at,
                     seats = excluded.seats, plan_limits = excluded.plan_limits, owners = excluded.owners,
                     contacts = excluded.contacts, archived_at = excluded.archived_at"
            )),
            store_health: sql(format!(
                "UPDATE {schema}.accounts SET score = $2, band = $3, scored_at = $4 WHERE account_id = $1"
            )),
        };
        Self { statements: Arc::new(statements) }
    }

    /// Full names of the events that feed the copy, for a consumer's list of types.
    pub fn event_types() -> Vec<String> {
        vec![scoring::AccountChanged::full_name(), scoring::HealthChanged::full_name()]
    }

    /// Takes an event of [`Self::event_types`] into the copy, and gives the account as it is then; any other is none of
    /// the copy's business.
    ///
    /// # Errors
    /// [`HandlerError::Skip`] for a message that cannot be read, else what the storage says.
    pub async fn apply(&self, conn: &mut PgConnection, event: &Event) -> Result<Option<Account>, HandlerError> {
        if event.is::<scoring::AccountChanged>() {
            let changed: scoring::AccountChanged = event.decode()?;
            let message = changed.account.ok_or_else(|| HandlerError::Skip("it names no account".to_owned()))?;
            let facts = message::account(message).map_err(|error| HandlerError::Skip(error.to_string()))?;
            self.store_facts(conn, &facts).await?;
            return Ok(self.lookup(conn, &facts.id).await?);
        }
        if event.is::<scoring::HealthChanged>() {
            let changed: scoring::HealthChanged = event.decode()?;
            let message = changed.change.ok_or_else(|| HandlerError::Skip("it says no change".to_owned()))?;
            let (id, health) = message::health(&message).map_err(|error| HandlerError::Skip(error.to_string()))?;
            self.lock_or_insert(conn, &id).await?;
            self.store_health(conn, &id, health).await?;
            return Ok(self.lookup(conn, &id).await?);
        }
        Ok(None)
    }

    /// The account, if the copy has it.
    pub async fn lookup(&self, conn: &mut PgConnection, id: &AccountId) -> Result<Option<Account>, StorageError> {
        let row: Option<Row> =
            sqlx::query_as(self.statements.lookup.clone()).bind(id.as_str()).fetch_optional(conn).await?;
        row.map(Account::try_from).transpose()
    }

    /// Those of the accounts that the copy has.
    pub async fn lookup_all(
        &self,
        conn: &mut PgConnection,
        ids: &[&AccountId],
    ) -> Result<HashMap<AccountId, Account>, StorageError> {
        let ids: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
        let rows: Vec<Row> = sqlx::query_as(self.statements.lookup_all.clone()).bind(ids).fetch_all(conn).await?;
        let by_id = |row| Account::try_from(row).map(|account| (account.id.clone(), account));
        rows.into_iter().map(by_id).collect()
    }

    /// What people call these accounts, of those that the copy has.
    pub async fn display_names(
        &self,
        conn: &mut PgConnection,
        ids: &[AccountId],
    ) -> Result<HashMap<AccountId, String>, StorageError> {
        let ids: Vec<&str> = ids.iter().map(AccountId::as_str).collect();
        let rows: Vec<(String, String)> =
            sqlx::query_as(self.statements.display_names.clone()).bind(ids).fetch_all(conn).await?;
        let named = |(id, name): (String, String)| {
            let id = AccountId::parse(&id).map_err(|error| StorageError::Corrupt(error.to_string()))?;
            Ok((id, name))
        };
        rows.into_iter().map(named).collect()
    }

    /// The account, held until the transaction ends, if the copy has it.
    pub async fn lock(&self, conn: &mut PgConnection, id: &AccountId) -> Result<Option<Account>, StorageError> {
        let row: Option<Row> =
            sqlx::query_as(self.statements.lock.clone()).bind(id.as_str()).fetch_optional(conn).await?;
        row.map(Account::try_from).transpose()
    }

    /// Those of the accounts that nobody else holds, held until the transaction ends.
    pub async fn lock_free(
        &self,
        conn: &mut PgConnection,
        ids: impl IntoIterator<Item = &str>,
    ) -> Result<HashSet<AccountId>, StorageError> {
        let ids: Vec<&str> = ids.into_iter().collect();
        let held: Vec<String> = sqlx::query_scalar(self.statements.lock_free.clone()).bind(ids).fetch_all(conn).await?;
        held.iter().map(|id| AccountId::parse(id).map_err(|error| StorageError::Corrupt(error.to_string()))).collect()
    }

    /// A page of accounts in the order of their ids: at most `limit` of those after `after`, archived ones too.
    pub async fn list(
        &self,
        conn: &mut PgConnection,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Vec<Account>, StorageError> {
        let rows: Vec<Row> =
            sqlx::query_as(self.statements.list.clone()).bind(after).bind(limit).fetch_all(conn).await?;
        rows.into_iter().map(Account::try_from).collect()
    }

    /// The account, held until the transaction ends. One of which the copy knows nothing yet is put there by its id: what
    /// is told of it must not be lost because its facts are not there.
    pub async fn lock_or_insert(&self, conn: &mut PgConnection, id: &AccountId) -> Result<Account, StorageError> {
        if let Some(account) = self.lock(conn, id).await? {
            return Ok(account);
        }
        sqlx::query(self.statements.insert_unknown.clone()).bind(id.as_str()).execute(&mut *conn).await?;
        self.lock(conn, id).await?.ok_or(StorageError::NotExactlyOne { rows: 0 })
    }

    /// Writes an account's facts; its health stays as it is.
    async fn store_facts(&self, conn: &mut PgConnection, account: &Account) -> Result<(), StorageError> {
        sqlx::query(self.statements.store_facts.clone())
            .bind(account.id.as_str())
            .bind(&account.display_name)
            .bind(codes::segment_number(account.segment))
            .bind(&account.plan)
            .bind(codes::lifecycle_stage_number(account.lifecycle_stage))
            .bind(account.arr.map(|arr| arr.currency.to_string()))
            .bind(account.arr.map(|arr| arr.minor_units))
            .bind(account.renewal_at)
            .bind(account.signed_up_at)
            .bind(account.activated_at)
            .bind(account.seats)
            .bind(Json(&account.plan_limits))
            .bind(Json(&account.owners))
            .bind(Json(&account.contacts))
            .bind(account.archived_at)
            .execute(conn)
            .await?;
        Ok(())
    }

    async fn store_health(
        &self,
        conn: &mut PgConnection,
        id: &AccountId,
        health: AccountHealth,
    ) -> Result<(), StorageError> {
        let stored = sqlx::query(self.statements.store_health.clone())
            .bind(id.as_str())
            .bind(health.score.map(Points::units))
            .bind(health.band.map(codes::band_number))
            .bind(health.scored_at)
            .execute(conn)
            .await?;
        mainstay_storage::exactly_one(&stored)
    }
}
