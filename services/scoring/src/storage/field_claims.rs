//! What sources said of the fields of accounts, and on what they disagree.

use chrono::{DateTime, Utc};
use mainstay_domain::AccountId;
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes;
use crate::domain::data_quality::AccountField;
use crate::domain::field_claim::{DISAGREEING_ACCOUNTS_MAX, DisagreeingAccount, Disagreement, FieldClaim};

fn field(name: &str) -> Result<AccountField, StorageError> {
    let known = AccountField::ALL.into_iter().find(|field| field.name() == name);
    known.ok_or_else(|| codes::corrupt(format!("field of accounts {name}")))
}

/// Keeps what a source says of accounts that this transaction holds, and on what sources disagree from now on. What it said already
/// and says again is kept as told then, for a day: who tells all each hour rewrites nothing.
pub(crate) async fn write(
    conn: &mut PgConnection,
    source: &str,
    claims: &[(&AccountId, AccountField, Option<String>)],
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let accounts: Vec<&str> = claims.iter().map(|(account, ..)| account.as_str()).collect();
    let fields: Vec<&str> = claims.iter().map(|(_, field, _)| field.name()).collect();
    let values: Vec<Option<&str>> = claims.iter().map(|(.., value)| value.as_deref()).collect();
    sqlx::query!(
        "INSERT INTO scoring.field_claims AS known (account_id, field, source, value, told_at)
         SELECT account_id, field, $1, value, $5
           FROM unnest($2::text[], $3::text[], $4::text[]) AS said (account_id, field, value) WHERE value IS NOT NULL
         ON CONFLICT (account_id, field, source) DO UPDATE SET value = excluded.value, told_at = excluded.told_at
          WHERE known.value <> excluded.value OR known.told_at < excluded.told_at - interval '1 day'",
        source,
        &accounts as &[&str],
        &fields as &[&str],
        &values as &[Option<&str>],
        now,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "DELETE FROM scoring.field_claims AS known
          USING unnest($2::text[], $3::text[], $4::text[]) AS said (account_id, field, value)
          WHERE known.account_id = said.account_id AND known.field = said.field AND known.source = $1
            AND said.value IS NULL",
        source,
        &accounts as &[&str],
        &fields as &[&str],
        &values as &[Option<&str>],
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "WITH said AS (
             SELECT said.account_id, said.field,
                    (SELECT count(DISTINCT lower(btrim(known.value))) FROM scoring.field_claims AS known
                      WHERE known.account_id = said.account_id AND known.field = said.field) > 1 AS disputed
               FROM unnest($1::text[], $2::text[]) AS said (account_id, field)
         ), settled AS (
             DELETE FROM scoring.disagreements AS known USING said
              WHERE known.account_id = said.account_id AND known.field = said.field AND NOT said.disputed
         )
         INSERT INTO scoring.disagreements (field, account_id) SELECT field, account_id FROM said WHERE disputed
         ON CONFLICT DO NOTHING",
        &accounts as &[&str],
        &fields as &[&str],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// All that was said of an account, by field and source.
pub(crate) async fn of_account(conn: &mut PgConnection, account: &AccountId) -> Result<Vec<FieldClaim>, StorageError> {
    let rows = sqlx::query!(
        r#"SELECT claims.field, source, value, told_at, disagreements.field IS NOT NULL AS "is_disputed!"
             FROM scoring.field_claims AS claims
             LEFT JOIN scoring.disagreements
               ON disagreements.account_id = claims.account_id AND disagreements.field = claims.field
            WHERE claims.account_id = $1 ORDER BY claims.field, source"#,
        account.as_str(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(FieldClaim {
                field: field(&row.field)?,
                source: row.source,
                value: row.value,
                told_at: row.told_at,
                is_disputed: row.is_disputed,
            })
        })
        .collect()
}

/// The fields on which sources disagree of customers, those of most customers first, each with the first of them.
pub(crate) async fn disagreements(conn: &mut PgConnection) -> Result<Vec<Disagreement>, StorageError> {
    let rows = sqlx::query!(
        r#"WITH disputed AS (
               SELECT field, accounts.account_id, accounts.display_name, count(*) OVER (PARTITION BY field) AS account_count,
                      row_number() OVER (PARTITION BY field ORDER BY accounts.account_id) AS place
                 FROM scoring.disagreements
                 JOIN scoring.accounts ON accounts.account_id = disagreements.account_id
                WHERE accounts.archived_at IS NULL AND accounts.lifecycle_stage <> 5
           )
           SELECT disputed.field, disputed.account_id, disputed.display_name, disputed.account_count AS "account_count!",
                  claims.source, claims.value, claims.told_at
             FROM disputed
             JOIN scoring.field_claims AS claims
               ON claims.account_id = disputed.account_id AND claims.field = disputed.field
            WHERE place <= $1
            ORDER BY disputed.account_count DESC, disputed.field, disputed.account_id, claims.source"#,
        DISAGREEING_ACCOUNTS_MAX,
    )
    .fetch_all(conn)
    .await?;
    let mut by_field: Vec<Disagreement> = Vec::new();
    for row in rows {
        let (field, account) = (field(&row.field)?, codes::account_id(&row.account_id)?);
        if by_field.last().is_none_or(|last| last.field != field) {
            by_field.push(Disagreement { field, account_count: row.account_count, accounts: Vec::new() });
        }
        let Some(disagreement) = by_field.last_mut() else { continue };
        if disagreement.accounts.last().is_none_or(|last| last.account != account) {
            let (display_name, claims) = (row.display_name, Vec::new());
            disagreement.accounts.push(DisagreeingAccount { account, display_name, claims });
        }
        if let Some(last) = disagreement.accounts.last_mut() {
            let (source, value, told_at) = (row.source, row.value, row.told_at);
            last.claims.push(FieldClaim { field, source, value, told_at, is_disputed: true });
        }
    }
    Ok(by_field)
}
