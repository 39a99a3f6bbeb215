//! When accounts left: as their newest churn signal says, or else when a caller said that they had.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use mainstay_domain::AccountId;
use sqlx::PgConnection;

use super::ScoringError;
use crate::domain::account::{Account, LifecycleStage};
use crate::domain::lifecycle::{Lifecycle, LifecycleSignal};
use crate::domain::signal::{Payload, Signal};
use crate::domain::story::Stamp;
use crate::storage::churn_times;

fn is_churned(account: &Account) -> bool {
    account.facts.lifecycle_stage == LifecycleStage::Churned
}

/// Notes that accounts left now, or are back. Of those that are churned from the beginning nobody said when.
pub(super) async fn note(
    conn: &mut PgConnection,
    changed: &[Account],
    stored: &HashMap<AccountId, Account>,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    let turned = changed.iter().filter_map(|account| {
        let was_churned = is_churned(stored.get(&account.id)?);
        (was_churned != is_churned(account)).then_some((&account.id, is_churned(account).then_some(now)))
    });
    Ok(churn_times::write(conn, &turned.collect::<Vec<_>>()).await?)
}

/// Notes when accounts that are churned left, where signals tell it just now.
pub(super) async fn note_told(
    conn: &mut PgConnection,
    signals: &[(Stamp, &Signal)],
    lifecycles: &BTreeMap<AccountId, Lifecycle>,
    accounts: &HashMap<AccountId, Account>,
) -> Result<(), ScoringError> {
    let is_churn = |signal: &Signal| matches!(signal.payload, Payload::Lifecycle(LifecycleSignal::Churn { .. }));
    let left: BTreeSet<&AccountId> =
        signals.iter().filter(|(_, signal)| is_churn(signal)).map(|(_, signal)| &signal.account).collect();
    let told = left.into_iter().filter(|id| accounts.get(*id).is_some_and(is_churned));
    let told = told.filter_map(|id| Some((id, Some(lifecycles.get(id)?.churned_at()?))));
    Ok(churn_times::write(conn, &told.collect::<Vec<_>>()).await?)
}
