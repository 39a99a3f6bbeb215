//! What sources said of the fields of accounts, and on what they disagree.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_domain::AccountId;
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes;
use crate::domain::data_quality::AccountField;
use crate::domain::field_claim::{
    ClaimedValue, DISAGREEING_ACCOUNTS_MAX, DisagreeingAccount, Disagreement, FieldClaim, subject_of,
};

/// A claim of an account's field, by its name.
pub(crate) type Claim<'a> = (&'a AccountId, &'static str, Option<ClaimedValue>);

fn subject(name: &str) -> Result<AccountField, StorageError> {
    subject_of(name).ok_or_else(|| codes::corrupt(format!("field of accounts {name}")))
}

/// Keeps what a source says of accounts that this transaction holds, and on what sources disagree from now on. What it said already
/// and says again is kept as told then, for a day: who tells all each hour rewrites nothing.
pub(crate) async fn write(
    conn: &mut PgConnection,
    source: &str,
    claims: &[Claim<'_>],
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let known = known(conn, source, claims).await?;
    let before = |(account, field, _): &Claim<'_>| known.get(&((*account).clone(), (*field).to_owned()));
    let is_news =
        |claim: &&Claim<'_>| before(claim).map(|(value, _)| value) != claim.2.as_ref().map(|said| &said.shown);
    let is_old = |claim: &&Claim<'_>| before(claim).is_some_and(|(_, told_at)| *told_at < now - TimeDelta::days(1));
    let news: Vec<&Claim<'_>> = claims.iter().filter(is_news).collect();
    let said: Vec<&Claim<'_>> = claims.iter().filter(|claim| is_news(claim) || is_old(claim)).collect();
    if !said.is_empty() {
        keep(conn, source, &said, now).await?;
    }
    if news.is_empty() { Ok(()) } else { judge(conn, &news).await }
}

/// What the source said before, and when.
async fn known(
    conn: &mut PgConnection,
    source: &str,
    claims: &[Claim<'_>],
) -> Result<HashMap<(AccountId, String), (String, DateTime<Utc>)>, StorageError> {
    let mut accounts: Vec<&str> = claims.iter().map(|(account, ..)| account.as_str()).collect();
    accounts.dedup();
    let rows = sqlx::query!(
        "SELECT account_id, field, value, told_at FROM scoring.field_claims
          WHERE account_id = ANY($1::text[]) AND source = $2",
        &accounts as &[&str],
        source,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| Ok(((codes::account_id(&row.account_id)?, row.field), (row.value, row.told_at))))
        .collect()
}

async fn keep(
    conn: &mut PgConnection,
    source: &str,
    said: &[&Claim<'_>],
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let accounts: Vec<&str> = said.iter().map(|(account, ..)| account.as_str()).collect();
    let fields: Vec<&str> = said.iter().map(|(_, field, _)| *field).collect();
    let values: Vec<Option<&str>> =
        said.iter().map(|(.., value)| value.as_ref().map(|value| value.shown.as_str())).collect();
    let compared: Vec<Option<&str>> =
        said.iter().map(|(.., value)| value.as_ref().map(|value| value.compared.as_str())).collect();
    sqlx::query!(
        "INSERT INTO scoring.field_claims (account_id, field, source, value, compared, told_at)
         SELECT account_id, field, $1, value, compared, $6
           FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS said (account_id, field, value, compared)
          WHERE value IS NOT NULL
         ON CONFLICT (account_id, field, source) DO UPDATE
            SET value = excluded.value, compared = excluded.compared, told_at = excluded.told_at",
        source,
        &accounts as &[&str],
        &fields as &[&str],
        &values as &[Option<&str>],
        &compared as &[Option<&str>],
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
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes whether sources disagree on these fields. Of revenue the MRR of a source counts where it tells no ARR.
async fn judge(conn: &mut PgConnection, news: &[&Claim<'_>]) -> Result<(), StorageError> {
    let subjects: BTreeSet<(&str, &str)> = news
        .iter()
        .map(|(account, field, _)| Ok((account.as_str(), subject(field)?.name())))
        .collect::<Result<_, StorageError>>()?;
    sqlx::query!(
        "WITH said AS (
             SELECT said.account_id, said.field,
                    (SELECT count(DISTINCT known.compared) FROM scoring.field_claims AS known
                      WHERE known.account_id = said.account_id
                        AND (known.field = said.field
                             OR (said.field = 'arr' AND known.field = 'mrr'
                                 AND NOT EXISTS (SELECT FROM scoring.field_claims AS yearly
                                                  WHERE yearly.account_id = known.account_id AND yearly.field = 'arr'
                                                    AND yearly.source = known.source)))) > 1 AS disputed
               FROM unnest($1::text[], $2::text[]) AS said (account_id, field)
         ), settled AS (
             DELETE FROM scoring.disagreements AS known USING said
              WHERE known.account_id = said.account_id AND known.field = said.field AND NOT said.disputed
         )
         INSERT INTO scoring.disagreements (field, account_id) SELECT field, account_id FROM said WHERE disputed
         ON CONFLICT DO NOTHING",
        &subjects.iter().map(|(account, _)| *account).collect::<Vec<_>>() as &[&str],
        &subjects.iter().map(|(_, field)| *field).collect::<Vec<_>>() as &[&str],
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
               ON disagreements.account_id = claims.account_id
              AND disagreements.field = CASE claims.field WHEN 'mrr' THEN 'arr' ELSE claims.field END
            WHERE claims.account_id = $1 ORDER BY claims.field, source"#,
        account.as_str(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(FieldClaim {
                field: row.field,
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
                  claims.field AS claim, claims.source, claims.value, claims.told_at
             FROM disputed
             JOIN scoring.field_claims AS claims
               ON claims.account_id = disputed.account_id
              AND disputed.field = CASE claims.field WHEN 'mrr' THEN 'arr' ELSE claims.field END
            WHERE place <= $1
            ORDER BY disputed.account_count DESC, disputed.field, disputed.account_id, claims.source, claims.field"#,
        DISAGREEING_ACCOUNTS_MAX,
    )
    .fetch_all(conn)
    .await?;
    let mut by_field: Vec<Disagreement> = Vec::new();
    for row in rows {
        let (field, account) = (subject(&row.field)?, codes::account_id(&row.account_id)?);
        if by_field.last().is_none_or(|last| last.field != field) {
            by_field.push(Disagreement { field, account_count: row.account_count, accounts: Vec::new() });
        }
        let Some(disagreement) = by_field.last_mut() else { continue };
        if disagreement.accounts.last().is_none_or(|last| last.account != account) {
            let (display_name, claims) = (row.display_name, Vec::new());
            disagreement.accounts.push(DisagreeingAccount { account, display_name, claims });
        }
        if let Some(last) = disagreement.accounts.last_mut() {
            last.claims.push(FieldClaim {
                field: row.claim,
                source: row.source,
                value: row.value,
                told_at: row.told_at,
                is_disputed: true,
            });
        }
    }
    Ok(by_field)
}
