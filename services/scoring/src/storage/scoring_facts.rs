//! What of accounts decides their scores, from which day on.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes;
use crate::domain::account::Account;
use crate::domain::{ScoringFacts, ScoringFactsByDay};

/// Notes what holds of accounts from a day on, where it is not what holds already. Their rows are locked.
pub(crate) async fn note(
    conn: &mut PgConnection,
    accounts: &[Account],
    from_day: NaiveDate,
) -> Result<(), StorageError> {
    let ids: Vec<&str> = accounts.iter().map(|account| account.id.as_str()).collect();
    let texts = |text: fn(&Account) -> &str| -> Vec<&str> { accounts.iter().map(text).collect() };
    let segments: Vec<i16> = accounts.iter().map(|account| codes::segment_number(account.facts.segment)).collect();
    let limits = accounts.iter().map(|account| serde_json::to_value(&account.facts.plan_limits));
    let limits: Vec<serde_json::Value> = limits.collect::<Result<_, _>>().map_err(codes::corrupt)?;
    sqlx::query!(
        "INSERT INTO scoring.scoring_facts (account_id, from_day, segment, plan_limits, industry, plan)
         SELECT account_id, $4, segment, plan_limits, industry, plan
           FROM unnest($1::text[], $2::smallint[], $3::jsonb[], $5::text[], $6::text[])
                AS given (account_id, segment, plan_limits, industry, plan)
          WHERE (segment, plan_limits, industry, plan) IS DISTINCT FROM (
                SELECT (newest.segment, newest.plan_limits, newest.industry, newest.plan) FROM scoring.scoring_facts AS newest
                 WHERE newest.account_id = given.account_id ORDER BY from_day DESC LIMIT 1)
         ON CONFLICT (account_id, from_day) DO UPDATE SET
             segment = excluded.segment, plan_limits = excluded.plan_limits, industry = excluded.industry,
             plan = excluded.plan",
        &ids as &[&str],
        &segments,
        &limits,
        from_day,
        &texts(|account| &account.facts.industry) as &[&str],
        &texts(|account| &account.facts.plan) as &[&str],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What held of these accounts, by day.
pub(crate) async fn load(
    conn: &mut PgConnection,
    accounts: &[&str],
) -> Result<HashMap<String, ScoringFactsByDay>, StorageError> {
    if accounts.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query!(
        "SELECT account_id, from_day, segment, plan_limits, industry, plan FROM scoring.scoring_facts
          WHERE account_id = ANY($1::text[]) ORDER BY account_id, from_day",
        accounts as &[&str]
    )
    .fetch_all(conn)
    .await?;
    let mut by_account: HashMap<String, ScoringFactsByDay> = HashMap::new();
    for row in rows {
        let plan_limits: BTreeMap<String, f64> = serde_json::from_value(row.plan_limits).map_err(codes::corrupt)?;
        let segment = codes::segment(row.segment)?;
        let facts = ScoringFacts { segment, industry: row.industry, plan: row.plan, plan_limits };
        by_account.entry(row.account_id).or_default().push(row.from_day, facts);
    }
    Ok(by_account)
}
