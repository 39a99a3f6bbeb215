//! When accounts reached milestones first.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use crate::domain::lifecycle::LifecycleSignal;
use crate::domain::signal::{Payload, Signal};

/// Keeps those that new signals tell of, in the order of their keys; answers whose they are.
pub(crate) async fn add<'a>(
    conn: &mut PgConnection,
    signals: impl Iterator<Item = &'a Signal>,
) -> Result<BTreeSet<&'a str>, StorageError> {
    let mut told: BTreeMap<(&str, &str), DateTime<Utc>> = BTreeMap::new();
    for signal in signals {
        if let Payload::Lifecycle(LifecycleSignal::Milestone { milestone }) = &signal.payload {
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
