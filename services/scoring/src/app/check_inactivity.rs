//! Looks whether accounts have gone silent, when their time has come.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::{AccountId, start_of_day};
use mainstay_jobs::NewJob;
use serde_json::Value;
use sqlx::PgConnection;

use super::account_series::load_series;
use super::queues::INACTIVITY_QUEUE;
use super::risk_changes::{Finding, Lasting, settle};
use super::{App, ScoringError};
use crate::domain::SeriesKey;
use crate::domain::inactivity::{self, ActiveDays, COMPARABLE_ACCOUNTS_MIN};
use crate::domain::risk_trigger::{RiskTriggerKind, Verdict};
use crate::storage::{accounts, pulses};

/// What became of an account's timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checked {
    /// There is nothing to wait for: the account is inactive, was never active, or is a customer no more.
    Done,
    /// Look again then.
    Later(DateTime<Utc>),
    /// Somebody else holds the account: try again soon.
    Locked,
}

/// Raises the condition of those accounts that are inactive; the answers stand in the order of the ids.
pub(crate) async fn execute(app: &App, conn: &mut PgConnection, ids: &[&str]) -> Result<Vec<Checked>, ScoringError> {
    let (now, today) = (app.clock.now(), app.clock.today());
    let locked = accounts::lock_free(conn, ids).await?;
    let series = load_series(conn, ids).await?;
    let mut checked = Vec::with_capacity(ids.len());
    let mut silent: Vec<(usize, &AccountId, NaiveDate)> = Vec::new();
    for (place, id) in ids.iter().enumerate() {
        let last_day = series.get(*id).and_then(|series| series.newest_activity_day(today));
        checked.push(match (locked.get(*id), last_day) {
            (None, _) => Checked::Locked,
            (Some(account), _) if account.archived || account.churned => Checked::Done,
            (Some(_), None) => Checked::Done,
            (Some(account), Some(last_day)) => {
                let inactive_from = inactivity::inactive_from(last_day);
                if inactive_from <= today {
                    silent.push((place, &account.id, last_day));
                }
                Checked::Later(start_of_day(inactive_from))
            }
        });
    }
    if silent.is_empty() {
        return Ok(checked);
    }

    let inputs = |account: &AccountId| -> BTreeSet<SeriesKey> {
        series.get(account.as_str()).map(|series| series.active_series().collect()).unwrap_or_default()
    };
    let sources =
        Sources::load(conn, silent.iter().flat_map(|(_, account, _)| inputs(account)).collect(), today).await?;
    let mut findings = Vec::new();
    for (place, account, last_day) in silent {
        if !sources.live(&inputs(account), today) {
            checked[place] = Checked::Later(start_of_day(today + chrono::Days::new(1)));
            continue;
        }
        checked[place] = Checked::Done;
        findings.push(Finding {
            account: account.clone(),
            kind: RiskTriggerKind::Inactivity,
            subject: String::new(),
            verdict: Verdict::from(inactivity::condition(last_day, today)),
        });
    }
    let lasting = Lasting::load(conn, ids).await?;
    settle(app, conn, &lasting, findings, now).await?;
    Ok(checked)
}

/// Whether sources are silent, or customers.
enum Sources {
    /// There are too few accounts to tell.
    Unknown,
    Known(ActiveDays),
}

impl Sources {
    async fn load(
        conn: &mut PgConnection,
        inputs: BTreeSet<SeriesKey>,
        today: NaiveDate,
    ) -> Result<Self, ScoringError> {
        if accounts::count_unarchived_up_to(conn, COMPARABLE_ACCOUNTS_MIN).await? < COMPARABLE_ACCOUNTS_MIN {
            return Ok(Self::Unknown);
        }
        let (first, last) = ActiveDays::window(today);
        let mut days = ActiveDays::default();
        let mut known = pulses::load(conn, &inputs, first, last).await?;
        known.sort();
        for (key, day) in known {
            days.note(key, day);
        }
        Ok(Self::Known(days))
    }

    fn live(&self, inputs: &BTreeSet<SeriesKey>, today: NaiveDate) -> bool {
        match self {
            Self::Unknown => true,
            Self::Known(days) => days.any_lived(inputs, today),
        }
    }
}

/// Has looked at those of these accounts, with the day of their last activity, for which no look is due already. The accounts are
/// locked: nobody else schedules or ends their looks meanwhile.
pub(super) async fn watch(
    app: &App,
    conn: &mut PgConnection,
    last_days: &[(&str, NaiveDate)],
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    if last_days.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = last_days.iter().map(|(id, _)| *id).collect();
    let watched: BTreeSet<String> = app.jobs.present(conn, INACTIVITY_QUEUE, &ids).await?.into_iter().collect();
    let unwatched = last_days.iter().filter(|(id, _)| !watched.contains(*id));
    let timers: Vec<NewJob> = unwatched
        .map(|(id, last_day)| NewJob {
            key: (*id).to_owned(),
            payload: Value::Null,
            low_mark: None,
            due_at: start_of_day(inactivity::inactive_from(*last_day)),
        })
        .collect();
    app.jobs.schedule(conn, INACTIVITY_QUEUE, &timers, now).await?;
    Ok(())
}
