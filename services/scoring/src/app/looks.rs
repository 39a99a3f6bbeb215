//! When accounts are looked at next for what no signal tells of, beside silence: features not adopted, champions gone silent, renewals
//! that come near.
//!
//! A look is a job of [`RISK_LOOK_QUEUE`] with the key `{what}/{account}`. What moves its time on does not move the job: it fires,
//! the account is scored, and who finds nothing schedules the next one. What makes it earlier does.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::{AccountId, day_of, start_of_day};
use mainstay_jobs::{Job, NewJob};
use serde_json::Value;
use sqlx::PgConnection;

use super::causes::Causes;
use super::queues::{LOOK_DUE, RESCORE_QUEUE, RISK_LOOK_QUEUE};
use super::{App, ScoringError};
use crate::domain::account::Account;
use crate::domain::{AccountSeries, day_number, feature_adoption, renewal_risk};
use crate::storage::accounts::ScoredAccount;

/// What an account is looked at for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Adoption,
    Champions,
    Renewal,
}

impl What {
    const ALL: [Self; 3] = [Self::Adoption, Self::Champions, Self::Renewal];

    fn key(self, account: &str) -> String {
        let word = match self {
            Self::Adoption => "adoption",
            Self::Champions => "champions",
            Self::Renewal => "renewal",
        };
        format!("{word}/{account}")
    }
}

/// Has accounts whose time has come in either queue looked at: with their score, behind their row's lock. So who looks waits for
/// nobody.
pub(crate) async fn look_at(app: &App, conn: &mut PgConnection, due: &[Job]) -> Result<(), ScoringError> {
    let (now, today) = (app.core.clock.now(), app.core.clock.today());
    let low_mark = i64::from(day_number(today));
    let look = |job: &Job| {
        // Ids of accounts have no slash.
        let account = job.key.rsplit('/').next().unwrap_or(&job.key);
        let look = NewJob::due(account, now).with_low_mark(low_mark).with_payload(Value::from(LOOK_DUE));
        look.caused_by(job.traceparent.as_deref())
    };
    let looks: Vec<NewJob> = due.iter().map(look).collect();
    Ok(app.core.jobs.schedule(conn, RESCORE_QUEUE, &looks, now).await?)
}

/// Has an account scored from a day on, and looked at with that.
pub(super) async fn look_from(
    app: &App,
    conn: &mut PgConnection,
    account: &AccountId,
    day: NaiveDate,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    let low_mark = i64::from(day_number(day));
    let look = NewJob::due(account.as_str(), now).with_low_mark(low_mark).with_payload(Value::from(LOOK_DUE));
    Ok(app.core.jobs.schedule(conn, RESCORE_QUEUE, &[look], now).await?)
}

/// Has accounts that were looked at looked at again when their time comes, for all that is not due already. They are locked: nobody
/// else begins to look at them meanwhile.
pub(super) async fn watch<'a>(
    app: &App,
    conn: &mut PgConnection,
    looked_at: impl Iterator<Item = (&'a ScoredAccount, &'a AccountSeries)>,
    causes: &Causes<'_>,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    let today = day_of(now);
    let mut looks = Vec::new();
    for (account, series) in looked_at {
        let adoption = account.activation_day.and_then(|day| feature_adoption::next_look(day, today));
        let champions = account.champions.iter().filter_map(|champion| champion.next_look(series, today)).min();
        let renewal = account.renewal_day.and_then(|day| renewal_risk::next_look(day, today));
        for (what, day) in [(What::Adoption, adoption), (What::Champions, champions), (What::Renewal, renewal)] {
            looks.extend(day.map(|day| (what.key(account.id.as_str()), day, causes.of(account.id.as_str()))));
        }
    }
    if looks.is_empty() {
        return Ok(());
    }
    let keys: Vec<&str> = looks.iter().map(|(key, ..)| key.as_str()).collect();
    let watched: BTreeSet<String> = app.core.jobs.present(conn, RISK_LOOK_QUEUE, &keys).await?.into_iter().collect();
    let unwatched = looks.iter().filter(|(key, ..)| !watched.contains(key));
    let timers: Vec<NewJob> =
        unwatched.map(|(key, day, cause)| NewJob::due(key, start_of_day(*day)).caused_by(*cause)).collect();
    Ok(app.core.jobs.schedule(conn, RISK_LOOK_QUEUE, &timers, now).await?)
}

/// Has customers looked at whose facts changed: `stored` has those that were there before. All are locked.
pub(super) async fn watch_changed(
    app: &App,
    conn: &mut PgConnection,
    changed: &[Account],
    stored: &HashMap<AccountId, Account>,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    let looks: Vec<NewJob> = changed
        .iter()
        .filter(|account| !account.is_gone())
        .flat_map(|account| {
            let before = stored.get(&account.id);
            // Who comes back is watched as somebody new.
            looks_of_change(before.filter(|before| !before.is_gone()), account, before.is_some(), day_of(now))
        })
        .map(|(key, day)| NewJob::due(key, start_of_day(day).max(now)))
        .collect();
    Ok(app.core.jobs.schedule(conn, RISK_LOOK_QUEUE, &looks, now).await?)
}

/// The looks that become due earlier than before by a change of facts, by key.
fn looks_of_change(
    before: Option<&Account>,
    after: &Account,
    may_have_signals: bool,
    today: NaiveDate,
) -> Vec<(String, NaiveDate)> {
    let mut looks = Vec::new();
    let id = after.id.as_str();
    let activation_day = |account: &Account| account.facts.activated_at.map(day_of);
    if let Some(day) = activation_day(after).filter(|day| before.and_then(activation_day) != Some(*day)) {
        let look_day = if feature_adoption::is_looked_at(day, today) {
            Some(today)
        } else {
            feature_adoption::next_look(day, today)
        };
        looks.extend(look_day.map(|day| (What::Adoption.key(id), day)));
    }
    let renewal_day = |account: &Account| account.facts.renewal_at.map(day_of);
    if let Some(day) = renewal_day(after).filter(|day| before.and_then(renewal_day) != Some(*day)) {
        // One that is near already is judged with the score that the change brings.
        looks.extend(renewal_risk::next_look(day, today).map(|day| (What::Renewal.key(id), day)));
    }
    let same_champions = before.is_some_and(|before| before.facts.champions().eq(after.facts.champions()));
    if may_have_signals && after.facts.champions().next().is_some() && !same_champions {
        looks.push((What::Champions.key(id), today));
    }
    looks
}

/// Has accounts looked at no more that are customers no more.
pub(super) async fn cancel(app: &App, conn: &mut PgConnection, ids: &[&str]) -> Result<(), ScoringError> {
    let keys: Vec<String> = ids.iter().flat_map(|id| What::ALL.map(|what| what.key(id))).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    app.core.jobs.cancel(conn, RISK_LOOK_QUEUE, &keys).await?;
    Ok(())
}
