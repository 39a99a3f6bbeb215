//! Rows of stories, and what tells of contracts.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use mainstay_domain::AccountId;
use mainstay_storage::StorageError;
use serde_json::Value;
use sqlx::PgConnection;

use super::codes;
use crate::domain::DayNumber;
use crate::domain::lifecycle::Lifecycle;
use crate::domain::signal::Signal;
use crate::domain::story::{Story, StoryKind};
use crate::domain::story_series::{DayEntries, StoryRow};

/// Which story: whose, what about, and its id in the source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StoryKey {
    pub account: AccountId,
    pub kind: StoryKind,
    pub id: String,
}

impl StoryKey {
    /// The story that a signal tells, if it tells one.
    pub(crate) fn of(signal: &Signal) -> Option<Self> {
        let (kind, id) = signal.payload.story()?;
        Some(Self { account: signal.account.clone(), kind, id: id.to_owned() })
    }
}

const fn kind_number(kind: StoryKind) -> i16 {
    kind.signal_kind().number()
}

fn kind_of(number: i16) -> Result<StoryKind, StorageError> {
    let kinds = [StoryKind::Ticket, StoryKind::Invoice, StoryKind::Dispute];
    let kind = kinds.into_iter().find(|kind| kind_number(*kind) == number);
    kind.ok_or_else(|| codes::corrupt(format!("story kind {number}")))
}

fn story_of(kind: StoryKind, state: Value) -> Result<Story, StorageError> {
    match kind {
        StoryKind::Ticket => serde_json::from_value(state).map(Story::Ticket),
        StoryKind::Invoice => serde_json::from_value(state).map(Story::Invoice),
        StoryKind::Dispute => serde_json::from_value(state).map(Story::Dispute),
    }
    .map_err(codes::corrupt)
}

fn state_of(story: &Story) -> Result<Value, StorageError> {
    match story {
        Story::Ticket(story) => serde_json::to_value(story),
        Story::Invoice(story) => serde_json::to_value(story),
        Story::Dispute(story) => serde_json::to_value(story),
    }
    .map_err(codes::corrupt)
}

/// Those of these stories of which something was told before. Their accounts are locked.
pub(crate) async fn load(
    conn: &mut PgConnection,
    keys: impl Iterator<Item = &StoryKey>,
) -> Result<HashMap<StoryKey, StoredStory>, StorageError> {
    let (mut accounts, mut kinds, mut ids) = (Vec::new(), Vec::new(), Vec::new());
    for key in keys {
        accounts.push(key.account.as_str());
        kinds.push(kind_number(key.kind));
        ids.push(key.id.as_str());
    }
    let rows = sqlx::query!(
        "SELECT account_id, kind, story_id, state, entries FROM scoring.stories
           JOIN unnest($1::text[], $2::smallint[], $3::text[]) AS wanted (account_id, kind, story_id)
          USING (account_id, kind, story_id)",
        &accounts as &[&str],
        &kinds,
        &ids as &[&str],
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let kind = kind_of(row.kind)?;
            let key = StoryKey { account: codes::account_id(&row.account_id)?, kind, id: row.story_id };
            let entries = entries_of(row.entries)?;
            Ok((key, StoredStory { story: story_of(kind, row.state)?, entries }))
        })
        .collect()
}

/// The stories that put these accounts at risk.
pub(crate) async fn at_risk(
    conn: &mut PgConnection,
    accounts: &[&str],
) -> Result<Vec<(StoryKey, Story)>, StorageError> {
    let rows = sqlx::query!(
        "SELECT account_id, kind, story_id, state FROM scoring.stories
          WHERE account_id = ANY($1::text[]) AND at_risk ORDER BY account_id, kind, story_id",
        accounts as &[&str],
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let kind = kind_of(row.kind)?;
            let key = StoryKey { account: codes::account_id(&row.account_id)?, kind, id: row.story_id };
            Ok((key, story_of(kind, row.state)?))
        })
        .collect()
}

/// A story, and what it has entered into days so far.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredStory {
    pub story: Story,
    pub entries: DayEntries,
}

/// An entry as it is stored: row, day, amount.
type StoredEntry = (StoryRow, DayNumber, i64);

fn entries_of(stored: Value) -> Result<DayEntries, StorageError> {
    serde_json::from_value::<Vec<StoredEntry>>(stored).map(DayEntries::of_amounts).map_err(codes::corrupt)
}

/// Writes stories, over what was there, with what they enter into days by now.
pub(crate) async fn write(
    conn: &mut PgConnection,
    stories: &BTreeMap<StoryKey, StoredStory>,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let accounts: Vec<&str> = stories.keys().map(|key| key.account.as_str()).collect();
    let kinds: Vec<i16> = stories.keys().map(|key| kind_number(key.kind)).collect();
    let ids: Vec<&str> = stories.keys().map(|key| key.id.as_str()).collect();
    let states: Vec<Value> = stories.values().map(|stored| state_of(&stored.story)).collect::<Result<_, _>>()?;
    let at_risk: Vec<bool> = stories.values().map(|stored| stored.story.is_at_risk()).collect();
    let entries = |stored: &StoredStory| {
        let entries: Vec<StoredEntry> = stored.entries.amounts().collect();
        serde_json::to_value(entries).map_err(codes::corrupt)
    };
    let entries: Vec<Value> = stories.values().map(entries).collect::<Result<_, _>>()?;
    sqlx::query!(
        "INSERT INTO scoring.stories (account_id, kind, story_id, state, at_risk, entries, updated_at)
         SELECT account_id, kind, story_id, state, at_risk, entries, $6
           FROM unnest($1::text[], $2::smallint[], $3::text[], $4::jsonb[], $5::boolean[], $7::jsonb[])
                AS given (account_id, kind, story_id, state, at_risk, entries)
         ON CONFLICT (account_id, kind, story_id) DO UPDATE SET
             state = excluded.state, at_risk = excluded.at_risk, entries = excluded.entries,
             updated_at = excluded.updated_at",
        &accounts as &[&str],
        &kinds,
        &ids as &[&str],
        &states,
        &at_risk,
        now,
        &entries,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes stories of which every signal was withdrawn.
pub(crate) async fn delete<'a>(
    conn: &mut PgConnection,
    gone: impl Iterator<Item = &'a StoryKey>,
) -> Result<(), StorageError> {
    let (mut accounts, mut kinds, mut ids) = (Vec::new(), Vec::new(), Vec::new());
    for key in gone {
        accounts.push(key.account.as_str());
        kinds.push(kind_number(key.kind));
        ids.push(key.id.as_str());
    }
    sqlx::query!(
        "DELETE FROM scoring.stories AS stored
          USING unnest($1::text[], $2::smallint[], $3::text[]) AS gone (account_id, kind, story_id)
          WHERE stored.account_id = gone.account_id AND stored.kind = gone.kind AND stored.story_id = gone.story_id",
        &accounts as &[&str],
        &kinds,
        &ids as &[&str],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What was told of the contracts of these accounts, for those of which something was.
pub(crate) async fn load_lifecycles(
    conn: &mut PgConnection,
    accounts: &[&str],
) -> Result<HashMap<AccountId, Lifecycle>, StorageError> {
    let rows = sqlx::query!(
        "SELECT account_id, state FROM scoring.lifecycles WHERE account_id = ANY($1::text[])",
        accounts as &[&str],
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let lifecycle = serde_json::from_value(row.state).map_err(codes::corrupt)?;
            Ok((codes::account_id(&row.account_id)?, lifecycle))
        })
        .collect()
}

/// Writes what was told of contracts, over what was there. The accounts are locked.
pub(crate) async fn write_lifecycles(
    conn: &mut PgConnection,
    lifecycles: &BTreeMap<AccountId, Lifecycle>,
) -> Result<(), StorageError> {
    let accounts: Vec<&str> = lifecycles.keys().map(AccountId::as_str).collect();
    let states: Vec<Value> =
        lifecycles.values().map(serde_json::to_value).collect::<Result<_, _>>().map_err(codes::corrupt)?;
    sqlx::query!(
        "INSERT INTO scoring.lifecycles (account_id, state)
         SELECT account_id, state FROM unnest($1::text[], $2::jsonb[]) AS given (account_id, state)
         ON CONFLICT (account_id) DO UPDATE SET state = excluded.state",
        &accounts as &[&str],
        &states,
    )
    .execute(conn)
    .await?;
    Ok(())
}
