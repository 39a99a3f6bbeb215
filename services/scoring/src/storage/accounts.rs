//! Rows of accounts.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::{AccountId, Currency, Money, day_of};
use mainstay_storage::StorageError;
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::codes;
use crate::domain::ScoringFacts;
use crate::domain::Segment;
use crate::domain::account::{Account, AccountFacts, AccountFilter, LifecycleStage};
use crate::domain::champions::Champion;

struct AccountRow {
    account_id: String,
    display_name: String,
    segment: i16,
    industry: String,
    product_line: String,
    plan: String,
    lifecycle_stage: i16,
    currency: Option<String>,
    arr_minor_units: Option<i64>,
    mrr_minor_units: Option<i64>,
    contract_start_at: Option<DateTime<Utc>>,
    renewal_at: Option<DateTime<Utc>>,
    signed_up_at: Option<DateTime<Utc>>,
    activated_at: Option<DateTime<Utc>>,
    seats: Option<i64>,
    plan_limits: Value,
    owners: Value,
    contacts: Value,
    parent_id: Option<String>,
    labels: Value,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    archived_at: Option<DateTime<Utc>>,
}

/// What a column of JSON holds.
pub(super) fn from_json<T: serde::de::DeserializeOwned>(column: &str, value: Value) -> Result<T, StorageError> {
    serde_json::from_value(value).map_err(|error| StorageError::Corrupt(format!("accounts.{column}: {error}")))
}

impl TryFrom<AccountRow> for Account {
    type Error = StorageError;

    fn try_from(row: AccountRow) -> Result<Self, StorageError> {
        let currency = row.currency.as_deref().map(Currency::parse).transpose().map_err(codes::corrupt)?;
        let money = |minor_units: Option<i64>| Some(Money { currency: currency?, minor_units: minor_units? });
        Ok(Self {
            id: codes::account_id(&row.account_id)?,
            facts: AccountFacts {
                display_name: row.display_name,
                segment: codes::segment(row.segment)?,
                industry: row.industry,
                product_line: row.product_line,
                plan: row.plan,
                lifecycle_stage: codes::lifecycle_stage(row.lifecycle_stage)?,
                arr: money(row.arr_minor_units),
                mrr: money(row.mrr_minor_units),
                contract_start_at: row.contract_start_at,
                renewal_at: row.renewal_at,
                signed_up_at: row.signed_up_at,
                activated_at: row.activated_at,
                seats: row.seats,
                plan_limits: from_json("plan_limits", row.plan_limits)?,
                owners: from_json("owners", row.owners)?,
                contacts: from_json("contacts", row.contacts)?,
                parent: row.parent_id.as_deref().map(codes::account_id).transpose()?,
                labels: from_json("labels", row.labels)?,
            },
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
            archived_at: row.archived_at,
        })
    }
}

/// `query_as!` for whole accounts, so that the columns stand here once.
macro_rules! select_accounts {
    ($tail:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            AccountRow,
            "SELECT account_id, display_name, segment, industry, product_line, plan, lifecycle_stage, currency,
                    arr_minor_units, mrr_minor_units, contract_start_at, renewal_at, signed_up_at, activated_at, seats,
                    plan_limits, owners, contacts, parent_id, labels, version, created_at, updated_at, archived_at
               FROM scoring.accounts " + $tail
            $(, $argument)*
        )
    };
}

/// The account, if there is one.
pub(crate) async fn lookup(conn: &mut PgConnection, id: &AccountId) -> Result<Option<Account>, StorageError> {
    let row = select_accounts!("WHERE account_id = $1", id.as_str()).fetch_optional(conn).await?;
    row.map(Account::try_from).transpose()
}

/// The accounts of `ids` that exist, locked until the transaction ends. Locks
/// are taken in the order of the ids, so that two callers cannot deadlock.
pub(crate) async fn lock(conn: &mut PgConnection, ids: &[&str]) -> Result<HashMap<AccountId, Account>, StorageError> {
    let rows =
        select_accounts!("WHERE account_id = ANY($1::text[]) ORDER BY account_id FOR NO KEY UPDATE", ids as &[&str])
            .fetch_all(conn)
            .await?;
    rows.into_iter().map(|row| Account::try_from(row).map(|account| (account.id.clone(), account))).collect()
}

/// What scoring needs to know of an account.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ScoredAccount {
    pub id: AccountId,
    pub facts: ScoringFacts,
    pub archived: bool,
    /// Left; still scored, but at risk no more.
    pub churned: bool,
    /// The day on which it began to use what it bought, or will; none: not known.
    pub activation_day: Option<NaiveDate>,
    /// The day on which it became known here.
    pub created_day: NaiveDate,
    /// The day on which its contract is due for renewal.
    pub renewal_day: Option<NaiveDate>,
    /// Of a year: ARR, else twelve times MRR.
    pub arr: Option<Money>,
    /// People who carry the product there.
    pub champions: Vec<Champion>,
}

impl ScoredAccount {
    /// Whether it is a customer no more, as [`Account::is_gone`].
    pub(crate) fn is_gone(&self) -> bool {
        self.archived || self.churned
    }
}

/// The accounts of `ids` that exist and that nobody else holds, locked until the transaction ends.
pub(crate) async fn lock_free(
    conn: &mut PgConnection,
    ids: &[&str],
) -> Result<HashMap<String, ScoredAccount>, StorageError> {
    let rows = sqlx::query!(
        r#"SELECT account_id, segment, industry, NULLIF(plan_limits, '{}') AS plan_limits, archived_at IS NOT NULL AS "archived!",
                  lifecycle_stage, created_at, activated_at, renewal_at, currency,
                  scoring.annual_minor_units(arr_minor_units, mrr_minor_units) AS arr_minor_units, plan,
                  NULLIF(champions, '[]') AS champions
             FROM scoring.accounts
            WHERE account_id = ANY($1::text[])
            ORDER BY account_id
              FOR NO KEY UPDATE SKIP LOCKED"#,
        ids as &[&str]
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let limits = row.plan_limits.map(|limits| from_json("plan_limits", limits)).transpose()?;
            let champions = row.champions.map(|champions| from_json("champions", champions)).transpose()?;
            let currency = row.currency.as_deref().map(Currency::parse).transpose().map_err(codes::corrupt)?;
            let account = ScoredAccount {
                id: codes::account_id(&row.account_id)?,
                facts: ScoringFacts {
                    segment: codes::segment(row.segment)?,
                    industry: row.industry,
                    plan: row.plan,
                    plan_limits: limits.unwrap_or_default(),
                },
                archived: row.archived,
                churned: codes::lifecycle_stage(row.lifecycle_stage)? == LifecycleStage::Churned,
                activation_day: row.activated_at.map(day_of),
                created_day: day_of(row.created_at),
                renewal_day: row.renewal_at.map(day_of),
                arr: currency.zip(row.arr_minor_units).map(|(currency, minor_units)| Money { currency, minor_units }),
                champions: champions.unwrap_or_default(),
            };
            Ok((row.account_id, account))
        })
        .collect()
}

/// What decides whether signals of an account are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub archived: bool,
    /// Of its monthly revenue.
    pub mrr_currency: Option<Currency>,
}

/// Which of `ids` exist, and how they stand.
pub(crate) async fn standings(
    conn: &mut PgConnection,
    ids: &[&str],
) -> Result<HashMap<String, Standing>, StorageError> {
    let rows = sqlx::query!(
        r#"SELECT account_id, archived_at IS NOT NULL AS "archived!",
                  CASE WHEN mrr_minor_units IS NOT NULL THEN currency END AS mrr_currency
             FROM scoring.accounts WHERE account_id = ANY($1::text[])"#,
        ids as &[&str]
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let mrr_currency = row.mrr_currency.as_deref().map(Currency::parse).transpose().map_err(codes::corrupt)?;
            Ok((row.account_id, Standing { archived: row.archived, mrr_currency }))
        })
        .collect()
}

/// A page of accounts in the order of their ids, after `after`.
pub(crate) async fn list(
    conn: &mut PgConnection,
    filter: &AccountFilter,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Account>, StorageError> {
    let segments = codes::any_of(&filter.segments, codes::segment_number);
    let lifecycle_stages = codes::any_of(&filter.lifecycle_stages, codes::lifecycle_stage_number);
    let labels = (!filter.labels.is_empty()).then(|| json!(filter.labels));
    let rows = select_accounts!(
        "WHERE ($1::text IS NULL OR account_id > $1)
           AND ($2::smallint[] IS NULL OR segment = ANY($2))
           AND ($3::smallint[] IS NULL OR lifecycle_stage = ANY($3))
           AND ($4::text IS NULL OR owner_emails @> ARRAY[$4])
           AND ($5::text IS NULL OR product_line = $5)
           AND ($6::jsonb IS NULL OR labels @> $6)
           AND ($7::text IS NULL OR parent_id = $7)
           AND ($8 OR archived_at IS NULL)
         ORDER BY account_id
         LIMIT $9",
        after,
        segments.as_deref(),
        lifecycle_stages.as_deref(),
        filter.owner_email,
        filter.product_line,
        labels,
        filter.parent.as_ref().map(AccountId::as_str),
        filter.include_archived,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Account::try_from).collect()
}

/// The accounts above those of `ids` that exist; none for one at the top.
pub(crate) async fn parents(
    conn: &mut PgConnection,
    ids: &[&str],
) -> Result<HashMap<AccountId, Option<AccountId>>, StorageError> {
    let rows = sqlx::query!(
        "SELECT account_id, parent_id FROM scoring.accounts WHERE account_id = ANY($1::text[])",
        ids as &[&str]
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let parent = row.parent_id.as_deref().map(codes::account_id).transpose()?;
            Ok((codes::account_id(&row.account_id)?, parent))
        })
        .collect()
}

/// Waits until no other transaction moves stored accounts below other parents,
/// and keeps others from it until this one ends. Two moves that are right each
/// for itself could close a circle together.
pub(crate) async fn lock_tree(conn: &mut PgConnection) -> Result<(), StorageError> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended('scoring.accounts.parent_id', 0))")
        .fetch_one(conn)
        .await?;
    Ok(())
}

/// A page of ids of accounts that are not archived, in their order, after `after`.
pub(crate) async fn unarchived_ids(
    conn: &mut PgConnection,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<String>, StorageError> {
    let ids = sqlx::query_scalar!(
        "SELECT account_id FROM scoring.accounts
          WHERE archived_at IS NULL AND ($1::text IS NULL OR account_id > $1)
          ORDER BY account_id LIMIT $2",
        after,
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(ids)
}

/// How many accounts are not archived, counted up to `most`.
pub(crate) async fn count_unarchived_up_to(conn: &mut PgConnection, most: i64) -> Result<i64, StorageError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM (SELECT 1 FROM scoring.accounts WHERE archived_at IS NULL LIMIT $1) AS counted"#,
        most
    )
    .fetch_one(conn)
    .await?)
}

/// How many accounts of the segments are customers: not archived, and not churned.
pub(crate) async fn count_customers(conn: &mut PgConnection, segments: &[Segment]) -> Result<usize, StorageError> {
    let segments: Vec<i16> = segments.iter().map(|segment| codes::segment_number(*segment)).collect();
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM scoring.accounts
            WHERE archived_at IS NULL AND lifecycle_stage <> 5 AND segment = ANY($1)"#,
        &segments
    )
    .fetch_one(conn)
    .await?;
    usize::try_from(count).map_err(codes::corrupt)
}

/// Writes accounts whole: new ones with version 1, changed ones with the
/// version after the stored one.
///
/// Somebody who was faster shows as [`StorageError::Conflict`]: the
/// transaction starts again and sees what they wrote.
pub(crate) async fn write(conn: &mut PgConnection, accounts: &[Account]) -> Result<(), StorageError> {
    let columns = AccountColumns::of(accounts)?;
    let written = sqlx::query!(
        r#"INSERT INTO scoring.accounts AS stored (
             account_id, display_name, segment, industry, product_line, plan, lifecycle_stage, currency,
             arr_minor_units, mrr_minor_units, contract_start_at, renewal_at, signed_up_at, activated_at, seats,
             plan_limits, owners, owner_emails, contacts, parent_id, labels, version, created_at, updated_at, archived_at)
         SELECT account_id, display_name, segment, industry, product_line, plan, lifecycle_stage, currency,
                arr_minor_units, mrr_minor_units, contract_start_at, renewal_at, signed_up_at, activated_at, seats,
                plan_limits, owners,
                ARRAY(SELECT owner ->> 'email' FROM jsonb_array_elements(owners) AS owner),
                contacts, parent_id, labels, version, created_at, updated_at, archived_at
           FROM unnest($1::text[], $2::text[], $3::smallint[], $4::text[], $5::text[], $6::text[], $7::smallint[],
                       $8::text[], $9::bigint[], $10::bigint[], $11::timestamptz[], $12::timestamptz[],
                       $13::timestamptz[], $14::timestamptz[], $15::bigint[], $16::jsonb[], $17::jsonb[], $18::jsonb[],
                       $19::text[], $20::jsonb[], $21::bigint[], $22::timestamptz[], $23::timestamptz[],
                       $24::timestamptz[])
                AS given (account_id, display_name, segment, industry, product_line, plan, lifecycle_stage, currency,
                          arr_minor_units, mrr_minor_units, contract_start_at, renewal_at, signed_up_at, activated_at,
                          seats, plan_limits, owners, contacts, parent_id, labels, version, created_at, updated_at,
                          archived_at)
          ORDER BY account_id COLLATE "C"
         ON CONFLICT (account_id) DO UPDATE SET
             display_name = excluded.display_name, segment = excluded.segment, industry = excluded.industry,
             product_line = excluded.product_line, plan = excluded.plan, lifecycle_stage = excluded.lifecycle_stage,
             currency = excluded.currency, arr_minor_units = excluded.arr_minor_units,
             mrr_minor_units = excluded.mrr_minor_units, contract_start_at = excluded.contract_start_at,
             renewal_at = excluded.renewal_at, signed_up_at = excluded.signed_up_at,
             activated_at = excluded.activated_at, seats = excluded.seats, plan_limits = excluded.plan_limits,
             owners = excluded.owners, owner_emails = excluded.owner_emails, contacts = excluded.contacts,
             parent_id = excluded.parent_id, labels = excluded.labels, version = excluded.version,
             updated_at = excluded.updated_at, archived_at = excluded.archived_at
           WHERE stored.version = excluded.version - 1"#,
        &columns.account_id as &[&str],
        &columns.display_name as &[&str],
        &columns.segment,
        &columns.industry as &[&str],
        &columns.product_line as &[&str],
        &columns.plan as &[&str],
        &columns.lifecycle_stage,
        &columns.currency as &[Option<&str>],
        &columns.arr as &[Option<i64>],
        &columns.mrr as &[Option<i64>],
        &columns.contract_start_at as &[Option<DateTime<Utc>>],
        &columns.renewal_at as &[Option<DateTime<Utc>>],
        &columns.signed_up_at as &[Option<DateTime<Utc>>],
        &columns.activated_at as &[Option<DateTime<Utc>>],
        &columns.seats as &[Option<i64>],
        &columns.plan_limits,
        &columns.owners,
        &columns.contacts,
        &columns.parent_id as &[Option<&str>],
        &columns.labels,
        &columns.version,
        &columns.created_at,
        &columns.updated_at,
        &columns.archived_at as &[Option<DateTime<Utc>>],
    )
    .execute(conn)
    .await?;
    if written.rows_affected() == accounts.len() as u64 { Ok(()) } else { Err(StorageError::Conflict) }
}

/// Accounts turned into the arrays that `unnest` takes.
#[derive(Default)]
struct AccountColumns<'a> {
    account_id: Vec<&'a str>,
    display_name: Vec<&'a str>,
    segment: Vec<i16>,
    industry: Vec<&'a str>,
    product_line: Vec<&'a str>,
    plan: Vec<&'a str>,
    lifecycle_stage: Vec<i16>,
    currency: Vec<Option<&'a str>>,
    arr: Vec<Option<i64>>,
    mrr: Vec<Option<i64>>,
    contract_start_at: Vec<Option<DateTime<Utc>>>,
    renewal_at: Vec<Option<DateTime<Utc>>>,
    signed_up_at: Vec<Option<DateTime<Utc>>>,
    activated_at: Vec<Option<DateTime<Utc>>>,
    seats: Vec<Option<i64>>,
    plan_limits: Vec<Value>,
    owners: Vec<Value>,
    contacts: Vec<Value>,
    parent_id: Vec<Option<&'a str>>,
    labels: Vec<Value>,
    version: Vec<i64>,
    created_at: Vec<DateTime<Utc>>,
    updated_at: Vec<DateTime<Utc>>,
    archived_at: Vec<Option<DateTime<Utc>>>,
}

impl<'a> AccountColumns<'a> {
    fn of(accounts: &'a [Account]) -> Result<Self, StorageError> {
        let to_json = |value: Result<Value, serde_json::Error>| value.map_err(codes::corrupt);
        let mut columns = Self::default();
        for account in accounts {
            let facts = &account.facts;
            let currency = facts.arr.as_ref().or(facts.mrr.as_ref()).map(|money| money.currency.as_str());
            columns.account_id.push(account.id.as_str());
            columns.display_name.push(&facts.display_name);
            columns.segment.push(codes::segment_number(facts.segment));
            columns.industry.push(&facts.industry);
            columns.product_line.push(&facts.product_line);
            columns.plan.push(&facts.plan);
            columns.lifecycle_stage.push(codes::lifecycle_stage_number(facts.lifecycle_stage));
            columns.currency.push(currency);
            columns.arr.push(facts.arr.map(|money| money.minor_units));
            columns.mrr.push(facts.mrr.map(|money| money.minor_units));
            columns.contract_start_at.push(facts.contract_start_at);
            columns.renewal_at.push(facts.renewal_at);
            columns.signed_up_at.push(facts.signed_up_at);
            columns.activated_at.push(facts.activated_at);
            columns.seats.push(facts.seats);
            columns.plan_limits.push(to_json(serde_json::to_value(&facts.plan_limits))?);
            columns.owners.push(to_json(serde_json::to_value(&facts.owners))?);
            columns.contacts.push(to_json(serde_json::to_value(&facts.contacts))?);
            columns.parent_id.push(facts.parent.as_ref().map(AccountId::as_str));
            columns.labels.push(to_json(serde_json::to_value(&facts.labels))?);
            columns.version.push(account.version);
            columns.created_at.push(account.created_at);
            columns.updated_at.push(account.updated_at);
            columns.archived_at.push(account.archived_at);
        }
        Ok(columns)
    }
}
