//! Whether accounts have gone silent, and when to look at them next.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Days, NaiveDate, Utc};
use mainstay_domain::{AccountId, start_of_day};
use mainstay_jobs::NewJob;
use sqlx::PgConnection;

use super::causes::Causes;
use super::queues::INACTIVITY_QUEUE;
use super::risk_changes::{Change, Lasting};
use super::{App, ScoringError};
use crate::domain::inactivity::{self, ActiveDays, COMPARABLE_ACCOUNTS_MIN};
use crate::domain::risk_trigger::{RiskTriggerKind, Verdict};
use crate::domain::{AccountSeries, SeriesKey};
use crate::storage::{accounts, pulses};

/// An account that was silent for long enough.
pub(super) struct Silent<'a> {
    pub account: &'a AccountId,
    pub last_day: NaiveDate,
}

/// What becomes of accounts that were silent for long enough: the conditions to raise, and when to look again at those whose sources
/// were silent themselves.
pub(super) async fn judge<'a>(
    conn: &mut PgConnection,
    silent: Vec<Silent<'a>>,
    series: &HashMap<String, AccountSeries>,
    lasting: &Lasting,
    today: NaiveDate,
) -> Result<(Vec<Change>, Vec<Look<'a>>), ScoringError> {
    let (mut changes, mut looks) = (Vec::new(), Vec::new());
    if silent.is_empty() {
        return Ok((changes, looks));
    }
    let inputs = |account: &AccountId| -> BTreeSet<SeriesKey> {
        series.get(account.as_str()).map(|series| series.active_series().collect()).unwrap_or_default()
    };
    let mut wanted: BTreeSet<SeriesKey> = silent.iter().flat_map(|silent| inputs(silent.account)).collect();
    // Of an account that never used anything, any source could have told.
    let mut all_known = BTreeSet::new();
    if silent.iter().any(|silent| inputs(silent.account).is_empty()) {
        let (first, last) = ActiveDays::window(today);
        all_known = pulses::series_between(conn, first, last).await?;
        wanted.extend(all_known.iter().cloned());
    }
    let sources = Sources::load(conn, wanted, today).await?;
    for Silent { account, last_day } in silent {
        let used = inputs(account);
        if sources.live(if used.is_empty() { &all_known } else { &used }, today) {
            let verdict = Verdict::from(inactivity::condition(last_day, today));
            changes.extend(lasting.judge(account, RiskTriggerKind::Inactivity, "", verdict));
        } else {
            looks.push(Look { account: account.as_str(), due_at: start_of_day(today + Days::new(1)) });
        }
    }
    Ok((changes, looks))
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

/// When to look at an account.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look<'a> {
    pub account: &'a str,
    pub due_at: DateTime<Utc>,
}

impl<'a> Look<'a> {
    /// When an account becomes inactive that was active on this day last.
    pub(super) fn after(account: &'a AccountId, last_day: NaiveDate) -> Self {
        Self { account: account.as_str(), due_at: start_of_day(inactivity::inactive_from(last_day)) }
    }
}

/// Has accounts looked at for which no look is due already. They are locked: nobody else begins to look at them meanwhile.
pub(super) async fn watch(
    app: &App,
    conn: &mut PgConnection,
    looks: &[Look<'_>],
    causes: &Causes<'_>,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    if looks.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = looks.iter().map(|look| look.account).collect();
    let watched: BTreeSet<String> = app.core.jobs.present(conn, INACTIVITY_QUEUE, &ids).await?.into_iter().collect();
    let unwatched = looks.iter().filter(|look| !watched.contains(look.account)).copied();
    schedule(app, conn, unwatched, causes, now).await
}

/// Has accounts looked at that have no look due: they were customers no more.
pub(super) async fn watch_anew(
    app: &App,
    conn: &mut PgConnection,
    ids: &[&str],
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    let due_at = start_of_day(inactivity::inactive_from(now.date_naive()));
    schedule(app, conn, ids.iter().map(|account| Look { account, due_at }), &Causes::default(), now).await
}

async fn schedule(
    app: &App,
    conn: &mut PgConnection,
    looks: impl Iterator<Item = Look<'_>>,
    causes: &Causes<'_>,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    let timer = |look: Look<'_>| NewJob::due(look.account, look.due_at).caused_by(causes.of(look.account));
    let timers: Vec<NewJob> = looks.map(timer).collect();
    Ok(app.core.jobs.schedule(conn, INACTIVITY_QUEUE, &timers, now).await?)
}
