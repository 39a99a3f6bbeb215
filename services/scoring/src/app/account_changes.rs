//! What every change of accounts brings with it: the rows, the events, the conditions that end or begin anew, and health to make
//! anew.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, day_of};
use sqlx::PgConnection;

use super::causes::Causes;
use super::queues::INACTIVITY_QUEUE;
use super::risk_changes::clear_all;
use super::{App, ScoringError, churn_times, events, looks, record_stories, rescore_accounts, silences};
use crate::domain::account::{Account, AccountChange};
use crate::domain::lifecycle::Lifecycle;
use crate::domain::renewal::RenewalChanges;
use crate::storage::{accounts, renewals, scoring_facts, stories};

/// Stores accounts that a caller created or changed, and has them scored again as of today. `stored` has those that were there
/// before, which are locked.
pub(super) async fn store(
    app: &App,
    conn: &mut PgConnection,
    changed: &[Account],
    stored: &HashMap<AccountId, Account>,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    if changed.is_empty() {
        return Ok(());
    }
    write(app, conn, changed, stored, now).await?;
    note_given(conn, changed, stored, now).await?;
    let from_today = changed.iter().map(|account| (account.id.as_str(), day_of(now)));
    rescore_accounts::soon(app, conn, from_today, now).await
}

/// As [`store`], without having the accounts scored, for a caller who does so with others.
pub(super) async fn write(
    app: &App,
    conn: &mut PgConnection,
    changed: &[Account],
    stored: &HashMap<AccountId, Account>,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    if changed.is_empty() {
        return Ok(());
    }
    accounts::write(conn, changed).await?;
    churn_times::note(conn, changed, stored, now).await?;
    renewals::note(conn, &RenewalChanges::of(changed, stored), now).await?;
    scoring_facts::note(conn, changed, day_of(now)).await?;
    let told: Vec<_> = changed
        .iter()
        .map(|account| events::account_changed(app, account, AccountChange::of(stored.get(&account.id), account), now))
        .collect();
    app.core.events.append(conn, &told, now).await?;

    let was_gone = |account: &Account| stored.get(&account.id).is_some_and(Account::is_gone);
    let ids_of = |pick: &dyn Fn(&Account) -> bool| -> Vec<&str> {
        changed.iter().filter(|account| pick(account)).map(|account| account.id.as_str()).collect()
    };
    let gone = ids_of(&|account| account.is_gone() && !was_gone(account));
    if !gone.is_empty() {
        clear_all(app, conn, &gone, now).await?;
        app.core.jobs.cancel(conn, INACTIVITY_QUEUE, &gone).await?;
        looks::cancel(app, conn, &gone).await?;
    }
    let back = ids_of(&|account| !account.is_gone() && was_gone(account));
    if !back.is_empty() {
        begin_anew(app, conn, &back, now).await?;
    }
    looks::watch_changed(app, conn, changed, stored, now).await
}

/// Of accounts that are customers again: what of their stories puts them at risk is raised, and their silence counts from today.
/// Their health is looked at when they are scored.
async fn begin_anew(app: &App, conn: &mut PgConnection, ids: &[&str], now: DateTime<Utc>) -> Result<(), ScoringError> {
    let at_risk = stories::at_risk(conn, ids).await?;
    record_stories::judge_stories(app, conn, at_risk, &Causes::default(), now).await?;
    silences::watch_anew(app, conn, ids, now).await
}

/// Notes that what callers said now is newer than what signals said of the same before.
async fn note_given(
    conn: &mut PgConnection,
    changed: &[Account],
    stored: &HashMap<AccountId, Account>,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    let concerned: Vec<(&Account, &Account)> = changed
        .iter()
        .filter_map(|account| Some((stored.get(&account.id)?, account)))
        .filter(|(before, after)| Lifecycle::is_concerned(&before.facts, &after.facts))
        .collect();
    if concerned.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = concerned.iter().map(|(before, _)| before.id.as_str()).collect();
    let mut known = stories::load_lifecycles(conn, &ids).await?;
    let lifecycles: BTreeMap<AccountId, Lifecycle> = concerned
        .into_iter()
        .map(|(before, after)| {
            let mut lifecycle = known.remove(&before.id).unwrap_or_else(|| Lifecycle::of(before));
            lifecycle.note_given(&before.facts, &after.facts, now);
            (before.id.clone(), lifecycle)
        })
        .collect();
    Ok(stories::write_lifecycles(conn, &lifecycles).await?)
}
