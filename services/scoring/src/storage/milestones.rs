//! When accounts reached milestones first.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::AccountId;
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use crate::domain::lifecycle::LifecycleSignal;
use crate::domain::signal::{Payload, Signal, SignalKind};

/// Keeps those that new signals tell of, in the order of their keys; answers whose they are.
pub(crate) async fn add<'a>(
    conn: &mut PgConnection,
    signals: impl Iterator<Item = &'a Signal>,
) -> Result<BTreeSet<&'a str>, StorageError> {
    let mut told: BTreeMap<(&str, &str), DateTime<Utc>> = BTreeMap::new();
    for signal in signals {
        if let Some(milestone) = milestone(signal) {
            let first = told.entry((signal.account.as_str(), milestone)).or_insert(signal.event_at);
            *first = signal.event_at.min(*first);
        }
    }
    if told.is_empty() {
        return Ok(BTreeSet::new());
    }
    sqlx::query!(
        "INSERT INTO scoring.milestones AS stored (account_id, milestone, reached_at)
         SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[])
         ON CONFLICT (account_id, milestone) DO UPDATE SET reached_at = excluded.reached_at
          WHERE excluded.reached_at < stored.reached_at",
        &told.keys().map(|(account, _)| *account).collect::<Vec<_>>() as &[&str],
        &told.keys().map(|(_, milestone)| *milestone).collect::<Vec<_>>() as &[&str],
        &told.values().copied().collect::<Vec<_>>(),
    )
    .execute(conn)
    .await?;
    Ok(told.into_keys().map(|(account, _)| account).collect())
}

/// Makes anew when an account reached the milestones that withdrawn signals tell of, in the order of their keys: by the signals that
/// are left. Answers whether there were any.
pub(crate) async fn make_anew(
    conn: &mut PgConnection,
    account: &AccountId,
    withdrawn: &[Signal],
) -> Result<bool, StorageError> {
    let milestones: BTreeSet<&str> = withdrawn.iter().filter_map(milestone).collect();
    let milestones: Vec<&str> = milestones.into_iter().collect();
    if milestones.is_empty() {
        return Ok(false);
    }
    sqlx::query!(
        "SELECT FROM scoring.milestones WHERE account_id = $1 AND milestone = ANY($2::text[]) ORDER BY milestone FOR UPDATE",
        account.as_str(),
        &milestones as &[&str],
    )
    .execute(&mut *conn)
    .await?;
    // A statement of its own: it sees what was recorded and withdrawn while the rows were waited for.
    sqlx::query!(
        "WITH remaining AS (
             SELECT details #>> '{milestone,milestone}' AS milestone, min(event_at) AS reached_at
               FROM scoring.signal_details AS told
               JOIN scoring.signals ON signals.account_id = told.account_id AND signals.source = told.source
                                   AND signals.source_id = told.source_id
              WHERE told.account_id = $1 AND kind = $2 AND details #>> '{milestone,milestone}' = ANY($3::text[])
              GROUP BY 1
         ), gone AS (
             DELETE FROM scoring.milestones AS stored
              WHERE account_id = $1 AND milestone = ANY($3::text[])
                AND NOT EXISTS (SELECT FROM remaining WHERE remaining.milestone = stored.milestone)
         )
         UPDATE scoring.milestones AS stored SET reached_at = remaining.reached_at
           FROM remaining WHERE stored.account_id = $1 AND stored.milestone = remaining.milestone",
        account.as_str(),
        SignalKind::Lifecycle.number(),
        &milestones as &[&str],
    )
    .execute(conn)
    .await?;
    Ok(true)
}

/// The milestone that a signal tells of.
fn milestone(signal: &Signal) -> Option<&str> {
    match &signal.payload {
        Payload::Lifecycle(LifecycleSignal::Milestone { milestone }) => Some(milestone),
        _ => None,
    }
}

/// The days on which accounts reached their milestones first, of those that reached any.
pub(crate) async fn days(
    conn: &mut PgConnection,
    accounts: &[&str],
) -> Result<HashMap<String, BTreeMap<String, NaiveDate>>, StorageError> {
    let rows = sqlx::query!(
        r#"SELECT account_id, milestone, (reached_at AT TIME ZONE 'UTC')::date AS "day!"
             FROM scoring.milestones WHERE account_id = ANY($1::text[])"#,
        accounts as &[&str],
    )
    .fetch_all(conn)
    .await?;
    let mut days: HashMap<String, BTreeMap<String, NaiveDate>> = HashMap::new();
    for row in rows {
        days.entry(row.account_id).or_default().insert(row.milestone, row.day);
    }
    Ok(days)
}
