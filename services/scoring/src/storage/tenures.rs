//! When accounts were customers.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, day_of};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::{codes, stories};
use crate::domain::account::LifecycleStage;
use crate::domain::backtest::{Tenure, TenureEvent};
use crate::domain::day_number;
use crate::domain::lifecycle::{Lifecycle, LifecycleSignal};
use crate::domain::signal::SignalKind;

/// An account and what its row says of whether it is a customer.
struct TenureRow {
    account_id: String,
    lifecycle_stage: i16,
    created_at: DateTime<Utc>,
    churned_at: Option<DateTime<Utc>>,
    archived_at: Option<DateTime<Utc>>,
}

/// When each of the accounts after `after` was a customer, archived ones too, in the order of their ids.
pub(crate) async fn page(
    conn: &mut PgConnection,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<(AccountId, Tenure)>, StorageError> {
    let rows = sqlx::query_as!(
        TenureRow,
        "SELECT account_id, lifecycle_stage, created_at, churned_at, archived_at FROM scoring.accounts
          WHERE $1::text IS NULL OR account_id > $1 ORDER BY account_id LIMIT $2",
        after,
        limit
    )
    .fetch_all(&mut *conn)
    .await?;
    of_rows(conn, &rows).await
}

/// When each of these accounts was a customer; of those that there are.
pub(crate) async fn load(conn: &mut PgConnection, ids: &[&str]) -> Result<Vec<(AccountId, Tenure)>, StorageError> {
    let rows = sqlx::query_as!(
        TenureRow,
        "SELECT account_id, lifecycle_stage, created_at, churned_at, archived_at FROM scoring.accounts
          WHERE account_id = ANY($1::text[])",
        ids as &[&str]
    )
    .fetch_all(&mut *conn)
    .await?;
    of_rows(conn, &rows).await
}

async fn of_rows(conn: &mut PgConnection, rows: &[TenureRow]) -> Result<Vec<(AccountId, Tenure)>, StorageError> {
    let ids: Vec<&str> = rows.iter().map(|row| row.account_id.as_str()).collect();
    let mut events = signalled(conn, &ids).await?;
    let lifecycles = stories::load_lifecycles(conn, &ids).await?;
    rows.iter()
        .map(|row| {
            let id = codes::account_id(&row.account_id)?;
            let told = lifecycles.get(&id).and_then(Lifecycle::stage_given_at);
            let events = events.remove(&row.account_id).unwrap_or_default();
            Ok((id, tenure(row, events, told)?))
        })
        .collect()
}

/// What signals said, and then what callers said that signals did not. Of who is gone, when it left is what its account says, by
/// which cohorts go too.
fn tenure(
    row: &TenureRow,
    mut events: Vec<(DateTime<Utc>, TenureEvent)>,
    told_at: Option<DateTime<Utc>>,
) -> Result<Tenure, StorageError> {
    let is_gone = codes::lifecycle_stage(row.lifecycle_stage)? == LifecycleStage::Churned;
    let was_gone = events.last().is_some_and(|(_, event)| *event == TenureEvent::Left);
    match (is_gone, was_gone) {
        (true, false) => {
            let Some(left_at) = row.churned_at else { return Ok(Tenure::unknown()) };
            events.push((left_at, TenureEvent::Left));
        }
        (false, true) => {
            let returned_at = told_at.filter(|told_at| *told_at != row.created_at);
            events.extend(returned_at.map(|at| (at, TenureEvent::Returned)));
        }
        _ => {}
    }
    events.sort();
    let by_day = events.into_iter().map(|(at, event)| (day_number(day_of(at)), event)).collect();
    Ok(Tenure::new(by_day, row.archived_at.map(|at| day_number(day_of(at)))))
}

/// What signals of contracts said, in the order of their times; of two at one time leaving comes last.
async fn signalled(
    conn: &mut PgConnection,
    accounts: &[&str],
) -> Result<HashMap<String, Vec<(DateTime<Utc>, TenureEvent)>>, StorageError> {
    // By the details: an account has few of these, and many signals of use.
    let rows = sqlx::query!(
        "SELECT details.account_id, signals.event_at, signals.name
           FROM scoring.signal_details AS details
           JOIN scoring.signals ON signals.account_id = details.account_id AND signals.source = details.source
                               AND signals.source_id = details.source_id
          WHERE details.account_id = ANY($1::text[]) AND signals.kind = $2 AND signals.name = ANY($3::text[])
          ORDER BY details.account_id, signals.event_at",
        accounts as &[&str],
        SignalKind::Lifecycle.number(),
        &[LifecycleSignal::ACTIVATION, LifecycleSignal::RENEWAL, LifecycleSignal::CHURN] as &[&str],
    )
    .fetch_all(conn)
    .await?;
    let mut events: HashMap<String, Vec<_>> = HashMap::new();
    for row in rows {
        let event = if row.name == LifecycleSignal::CHURN { TenureEvent::Left } else { TenureEvent::Returned };
        events.entry(row.account_id).or_default().push((row.event_at, event));
    }
    for of_account in events.values_mut() {
        of_account.sort();
    }
    Ok(events)
}

/// How many accounts have left at some time, as far as anybody knows: at most so many can be found to have left in some span.
pub(crate) async fn count_left(conn: &mut PgConnection) -> Result<i64, StorageError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM scoring.lifecycles
             JOIN scoring.accounts ON accounts.account_id = lifecycles.account_id
            WHERE lifecycles.state ->> 'last_churn' IS NOT NULL OR accounts.lifecycle_stage = $1"#,
        codes::lifecycle_stage_number(LifecycleStage::Churned),
    )
    .fetch_one(conn)
    .await?)
}

/// How many accounts there are, archived ones too.
pub(crate) async fn count(conn: &mut PgConnection) -> Result<i64, StorageError> {
    Ok(sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM scoring.accounts"#).fetch_one(conn).await?)
}
