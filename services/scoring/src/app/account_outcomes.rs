//! Keeps where accounts stand with their targets of adoption.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use mainstay_domain::AccountId;
use sqlx::PgConnection;

use super::ScoringError;
use crate::domain::AccountSeries;
use crate::domain::adoption_target::{AccountOutcome, Reached};
use crate::storage::accounts::ScoredAccount;
use crate::storage::{adoption_targets, milestones};

/// Writes what changed for accounts that are held by this transaction: all is made anew of what is known, so that late signals
/// and corrected dates come out as if they had been there.
pub(super) async fn update(
    conn: &mut PgConnection,
    accounts: &[&ScoredAccount],
    series: &HashMap<String, AccountSeries>,
    today: NaiveDate,
) -> Result<(), ScoringError> {
    let targets = adoption_targets::all(conn).await?;
    let ids: Vec<&str> = accounts.iter().map(|account| account.id.as_str()).collect();
    let mut stored = adoption_targets::written_outcomes(conn, &ids).await?;
    if targets.is_empty() && stored.is_empty() {
        return Ok(());
    }
    let milestones = milestones::days(conn, &ids).await?;
    let (no_series, no_milestones) = (AccountSeries::default(), BTreeMap::new());
    let (mut changed, mut gone) = (Vec::new(), Vec::new());
    for account in accounts {
        let id = account.id.as_str();
        let activation_day = account.activation_day.filter(|day| *day <= today);
        let outcomes: Vec<AccountOutcome> = activation_day.map_or_else(Vec::new, |activation_day| {
            let known = Reached {
                segment: account.facts.segment,
                activation_day,
                series: series.get(id).unwrap_or(&no_series),
                milestones: milestones.get(id).unwrap_or(&no_milestones),
            };
            targets.iter().filter_map(|kept| kept.target.outcome_of(known, today)).collect()
        });
        let before = stored.remove(id).unwrap_or_default();
        let is_gone = |old: &&AccountOutcome| !outcomes.iter().any(|outcome| outcome.target_id == old.target_id);
        gone.extend(before.iter().filter(is_gone).map(|old| (&account.id, old.target_id.clone())));
        changed.extend(
            outcomes.into_iter().filter(|outcome| !before.contains(outcome)).map(|outcome| (&account.id, outcome)),
        );
    }
    changed.sort_unstable_by(by_key);
    if !changed.is_empty() {
        adoption_targets::write_outcomes(conn, &changed).await?;
    }
    if !gone.is_empty() {
        adoption_targets::delete_outcomes(conn, &gone).await?;
    }
    Ok(())
}

fn by_key(one: &(&AccountId, AccountOutcome), other: &(&AccountId, AccountOutcome)) -> std::cmp::Ordering {
    (one.0, &one.1.target_id).cmp(&(other.0, &other.1.target_id))
}
