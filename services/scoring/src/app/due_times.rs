//! Invoices are overdue once their due time passed, without anybody saying so.
//!
//! It is looked for whenever an invoice is told of, and by a timer: a job of [`DUE_TIMES_QUEUE`]. What moves a due time on does not move
//! the job: it fires, finds the due time that is in force by then, and goes on to it. What makes it earlier does.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_domain::AccountId;
use mainstay_jobs::{Job, NewJob};
use sqlx::PgConnection;

use super::causes::Causes;
use super::queues::DUE_TIMES_QUEUE;
use super::record_stories::write_stories;
use super::{App, ScoringError, rescore_accounts};
use crate::domain::billing::{Deadline, InvoiceStory};
use crate::domain::payment_source::HEARD_WITHIN;
use crate::domain::story::{Story, StoryKind};
use crate::storage::stories::{StoredStory, StoryKey};
use crate::storage::{accounts, payment_sources, stories};

/// The shortest and the longest time until the next look at an invoice of which nothing can be said yet.
const NEXT_LOOK_MIN: TimeDelta = TimeDelta::days(1);
const NEXT_LOOK_MAX: TimeDelta = TimeDelta::days(7);

/// What was found of an invoice that is not settled, or was settled late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// Its due time passed, which its story says now.
    Lapsed,
    /// It is overdue from then on, or it is to be looked at again then.
    NotYet(DateTime<Utc>),
}

/// What becomes of a timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looked {
    /// There is nothing to wait for.
    Over,
    /// It is to be looked at again then.
    Again(DateTime<Utc>),
    /// Somebody else holds the account: try again soon.
    Locked,
}

/// Looks at invoices that were told of just now, and sets timers for those whose time is still to come. Their accounts are locked, and
/// who calls writes the stories.
pub(super) async fn look(
    app: &App,
    conn: &mut PgConnection,
    told: &mut BTreeMap<StoryKey, StoredStory>,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    let timer = |(key, found): (StoryKey, Found)| match found {
        Found::Lapsed => None,
        Found::NotYet(at) => Some(NewJob::due(job_key(&key), at)),
    };
    let timers: Vec<NewJob> = find(conn, told, |_| true, now).await?.into_iter().filter_map(timer).collect();
    Ok(app.core.jobs.schedule(conn, DUE_TIMES_QUEUE, &timers, now).await?)
}

/// Looks at invoices whose timers are due; the answers stand in the order of the jobs.
pub(crate) async fn execute(app: &App, conn: &mut PgConnection, due: &[Job]) -> Result<Vec<Looked>, ScoringError> {
    let now = app.core.clock.now();
    let keys: Vec<Option<StoryKey>> = due.iter().map(|job| story_key(&job.key)).collect();
    let ids: BTreeSet<&str> = keys.iter().flatten().map(|key| key.account.as_str()).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let locked = accounts::lock_free(conn, &ids).await?;
    let is_locked = |key: &&StoryKey| locked.contains_key(key.account.as_str());
    let mut invoices: BTreeMap<StoryKey, StoredStory> =
        stories::load(conn, keys.iter().flatten().filter(is_locked)).await?.into_iter().collect();
    // Of one that is archived no payment is taken in.
    let is_told_of = |account: &AccountId| locked.get(account.as_str()).is_some_and(|account| !account.archived);
    let found = find(conn, &mut invoices, is_told_of, now).await?;

    invoices.retain(|key, _| found.get(key) == Some(&Found::Lapsed));
    if !invoices.is_empty() {
        let is_customer = |account: &AccountId| locked.get(account.as_str()).is_some_and(|account| !account.is_gone());
        let causes: Causes<'_> = due
            .iter()
            .zip(&keys)
            .filter_map(|(job, key)| Some((key.as_ref()?.account.as_str(), job.traceparent.as_deref()?)))
            .collect();
        let changed = write_stories(app, conn, invoices, is_customer, &causes, now).await?;
        let changed = changed.iter().map(|(account, day)| (account.as_str(), *day));
        rescore_accounts::soon(app, conn, changed, now).await?;
    }

    let looked = |key: &Option<StoryKey>| {
        let Some(key) = key else { return Looked::Over };
        if !is_locked(&key) {
            return Looked::Locked;
        }
        match found.get(key) {
            None | Some(Found::Lapsed) => Looked::Over,
            Some(Found::NotYet(at)) => Looked::Again(*at),
        }
    };
    Ok(keys.iter().map(looked).collect())
}

/// Has the stories of invoices say of which the due time passed. Answers what was found, of those that there is anything to say of.
async fn find(
    conn: &mut PgConnection,
    stories: &mut BTreeMap<StoryKey, StoredStory>,
    is_told_of: impl Fn(&AccountId) -> bool,
    now: DateTime<Utc>,
) -> Result<BTreeMap<StoryKey, Found>, ScoringError> {
    let passed: BTreeSet<&str> = stories
        .values()
        .filter_map(|stored| invoice(&stored.story)?.deadline())
        .filter(|deadline| deadline.at <= now)
        .map(|deadline| deadline.source)
        .collect();
    let heard = payment_sources::known(conn, &passed).await?;
    let mut found = BTreeMap::new();
    for (key, stored) in stories {
        let Story::Invoice(invoice) = &mut stored.story else { continue };
        let Some(Deadline { at, source }) = invoice.deadline() else { continue };
        let known = heard.get(source).filter(|_| is_told_of(&key.account));
        let state = match known {
            _ if at > now => Found::NotYet(at),
            Some(known) if known.is_believed(at, now) => {
                invoice.lapse();
                Found::Lapsed
            }
            Some(_) => Found::NotYet(now + HEARD_WITHIN),
            None if invoice.is_settled() => continue,
            None => Found::NotYet(now + (now - at).clamp(NEXT_LOOK_MIN, NEXT_LOOK_MAX)),
        };
        found.insert(key.clone(), state);
    }
    Ok(found)
}

const fn invoice(story: &Story) -> Option<&InvoiceStory> {
    match story {
        Story::Invoice(invoice) => Some(invoice),
        Story::Ticket(_) | Story::Dispute(_) => None,
    }
}

fn job_key(invoice: &StoryKey) -> String {
    format!("{}/{}", invoice.account, invoice.id)
}

fn story_key(job_key: &str) -> Option<StoryKey> {
    // Ids of accounts have no slash; those of invoices may.
    let (account, id) = job_key.split_once('/')?;
    Some(StoryKey { account: AccountId::parse(account).ok()?, kind: StoryKind::Invoice, id: id.to_owned() })
}
