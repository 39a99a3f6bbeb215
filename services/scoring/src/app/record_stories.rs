//! What new signals make of stories and contracts: the rows, the accounts, the conditions, and the events.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::{AccountId, day_of};
use mainstay_events::NewEvent;
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::causes::Causes;
use super::risk_changes::{Lasting, settle};
use super::{App, ScoringError, account_changes, churn_times, due_times, events, note_claims};
use crate::domain::DayNumber;
use crate::domain::account::Account;
use crate::domain::lifecycle::Lifecycle;
use crate::domain::signal::{Payload, Signal};
use crate::domain::story::{Stamp, Story};
use crate::domain::story_series::{DayEntries, StoryRow};
use crate::storage::series_deltas::SeriesDeltas;
use crate::storage::stories::{StoredStory, StoryKey};
use crate::storage::{accounts, billing_records, series, stories, ticket_records};

/// Takes in signals that were recorded just now, in the caller's transaction; those of series are none of its business. Answers the
/// accounts that are to be scored again, each from the first day that changed.
///
/// Accounts are locked after the rows of signals and series, and before due work, as everybody does who locks more than one of
/// these.
pub(super) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    recorded: impl Iterator<Item = &Signal>,
    now: DateTime<Utc>,
) -> Result<Vec<(AccountId, NaiveDate)>, ScoringError> {
    let mut told: Vec<(Stamp, &Signal)> =
        recorded.filter(|signal| signal.payload.tells_story()).map(|signal| (Stamp::of(signal), signal)).collect();
    if told.is_empty() {
        return Ok(Vec::new());
    }
    told.sort_by(|(left, _), (right, _)| left.cmp(right));
    let signals: Vec<&Signal> = told.iter().map(|(_, signal)| *signal).collect();
    let ids: BTreeSet<&str> = signals.iter().map(|signal| signal.account.as_str()).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let mut locked = accounts::lock(conn, &ids).await?;
    if locked.values().any(|account| account.archived_at.is_some()) {
        // Since it was looked at: run anew, it is refused.
        return Err(StorageError::Conflict.into());
    }
    let changed_accounts = record_lifecycles(app, conn, &told, &mut locked, now).await?;
    let mut changed = record_told_stories(app, conn, &signals, &locked, now).await?;
    changed.extend(changed_accounts.into_iter().map(|account| (account, day_of(now))));
    Ok(changed)
}

/// Changes the accounts whose contracts were told of, and puts them into `locked`.
async fn record_lifecycles(
    app: &App,
    conn: &mut PgConnection,
    told: &[(Stamp, &Signal)],
    locked: &mut HashMap<AccountId, Account>,
    now: DateTime<Utc>,
) -> Result<Vec<AccountId>, ScoringError> {
    let mut events = Vec::new();
    let mut concerned: BTreeMap<AccountId, Vec<(&Stamp, &Payload)>> = BTreeMap::new();
    for (stamp, signal) in told {
        if let Payload::Lifecycle(change) = &signal.payload {
            events.push(events::lifecycle_changed(app, signal, change));
            concerned.entry(signal.account.clone()).or_default().push((stamp, &signal.payload));
        }
    }
    if concerned.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&str> = concerned.keys().map(AccountId::as_str).collect();
    let mut known = stories::load_lifecycles(conn, &ids).await?;
    let mut lifecycles: BTreeMap<AccountId, Lifecycle> = BTreeMap::new();
    let mut changed = Vec::new();
    for (id, payloads) in &concerned {
        let Some(account) = locked.get(id) else { continue };
        let mut lifecycle = known.remove(id).unwrap_or_else(|| Lifecycle::of(account));
        for (stamp, payload) in payloads {
            if let Payload::Lifecycle(told) = payload {
                lifecycle.absorb(stamp, told);
            }
        }
        let facts = lifecycle.applied(&account.facts);
        if facts != account.facts {
            changed.push(account.changed(facts, now));
        }
        lifecycles.insert(id.clone(), lifecycle);
    }
    stories::write_lifecycles(conn, &lifecycles).await?;
    note_claims::of_signals(conn, told, &lifecycles, now).await?;
    account_changes::write(app, conn, &changed, locked, now).await?;
    app.core.events.append(conn, &events, now).await?;
    let changed_ids = changed.iter().map(|account| account.id.clone()).collect();
    locked.extend(changed.into_iter().map(|account| (account.id.clone(), account)));
    churn_times::note_told(conn, told, &lifecycles, locked).await?;
    Ok(changed_ids)
}

/// Folds the signals into their stories, oldest first, and tells what that makes of tickets and conditions. Answers whose days it
/// changed, each with the first of them.
async fn record_told_stories(
    app: &App,
    conn: &mut PgConnection,
    signals: &[&Signal],
    locked: &HashMap<AccountId, Account>,
    now: DateTime<Utc>,
) -> Result<Vec<(AccountId, NaiveDate)>, ScoringError> {
    let keys: BTreeSet<StoryKey> = signals.iter().filter_map(|signal| StoryKey::of(signal)).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut known = stories::load(conn, keys.iter()).await?;
    let mut touched: BTreeMap<StoryKey, StoredStory> = keys
        .into_iter()
        .map(|key| {
            let untold = || StoredStory { story: Story::untold(key.kind), entries: DayEntries::default() };
            let stored = known.remove(&key).unwrap_or_else(untold);
            (key, stored)
        })
        .collect();
    let mut told: Vec<NewEvent> = Vec::new();
    for signal in signals {
        let Some(stored) = StoryKey::of(signal).and_then(|key| touched.get_mut(&key)) else { continue };
        let story = &mut stored.story;
        let before = story.clone();
        story.absorb(signal);
        if let (Story::Ticket(before), Story::Ticket(after)) = (&before, &*story)
            && let Some((action, event_at)) = after.told_since(before, &Stamp::of(signal))
        {
            told.push(events::ticket_changed(app, signal, (action, event_at), after));
        }
    }
    due_times::look(app, conn, &mut touched, now).await?;
    if !told.is_empty() {
        app.core.events.append(conn, &told, now).await?;
    }
    let is_customer = |account: &AccountId| locked.get(account).is_some_and(|account| !account.is_gone());
    write_stories(app, conn, touched, is_customer, &Causes::default(), now).await
}

/// Writes stories that changed, with all that is made of them: the days of accounts, what reports count, conditions of customers. Answers
/// whose days that changed, each with the first of them: they are to be scored again. The accounts are locked.
pub(super) async fn write_stories(
    app: &App,
    conn: &mut PgConnection,
    mut changed: BTreeMap<StoryKey, StoredStory>,
    is_customer: impl Fn(&AccountId) -> bool,
    causes: &Causes<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<(AccountId, NaiveDate)>, ScoringError> {
    let changed_days = enter_days(conn, &mut changed).await?;
    stories::write(conn, &changed, now).await?;
    let changed_stories = || changed.iter().map(|(key, stored)| (key, &stored.story));
    billing_records::write(conn, changed_stories()).await?;
    ticket_records::write(conn, changed_stories()).await?;
    let of_customers = changed.into_iter().filter(|(key, _)| is_customer(&key.account));
    let of_customers = of_customers.map(|(key, stored)| (key, stored.story));
    judge_stories(app, conn, of_customers.collect(), causes, now).await?;
    Ok(changed_days)
}

/// Enters into the days of accounts what their stories enter now and did not before. Answers whose days that changed, each with
/// the first of them.
async fn enter_days(
    conn: &mut PgConnection,
    touched: &mut BTreeMap<StoryKey, StoredStory>,
) -> Result<Vec<(AccountId, NaiveDate)>, ScoringError> {
    let mut added: Vec<(AccountId, StoryRow, DayNumber, i64)> = Vec::new();
    for (key, stored) in touched {
        let entries = stored.story.day_entries();
        let new = entries.minus(&stored.entries);
        added.extend(new.amounts().map(|(row, day, amount)| (key.account.clone(), row, day, amount)));
        stored.entries = entries;
    }
    let rows = added.iter().map(|(account, row, day, amount)| (account.as_str(), *row, *day, *amount));
    let deltas = SeriesDeltas::of_entries(rows);
    if !added.is_empty() {
        series::add(conn, &deltas).await?;
    }
    let first_day = |account: &AccountId| deltas.first_days().get(account.as_str()).copied();
    let accounts: BTreeSet<&AccountId> = added.iter().map(|(account, ..)| account).collect();
    Ok(accounts.into_iter().filter_map(|account| Some((account.clone(), first_day(account)?))).collect())
}

/// Raises, updates and clears the conditions that stories make. Their accounts are locked.
pub(super) async fn judge_stories(
    app: &App,
    conn: &mut PgConnection,
    stories: Vec<(StoryKey, Story)>,
    causes: &Causes<'_>,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    let accounts: BTreeSet<&str> = stories.iter().map(|(key, _)| key.account.as_str()).collect();
    let accounts: Vec<&str> = accounts.into_iter().collect();
    let lasting = Lasting::load(conn, &accounts).await?;
    let judge = |(key, story): (StoryKey, Story)| {
        let verdicts = story.verdicts().into_iter();
        let changes = verdicts.filter_map(|(kind, verdict)| lasting.judge(&key.account, kind, &key.id, verdict));
        changes.collect::<Vec<_>>()
    };
    settle(app, conn, stories.into_iter().flat_map(judge).collect(), causes, now).await
}
