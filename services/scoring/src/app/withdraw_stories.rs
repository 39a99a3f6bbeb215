//! What is left of stories when signals that told them are withdrawn.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use super::causes::Causes;
use super::record_stories::write_stories;
use super::{App, ScoringError, due_times};
use crate::domain::account::Account;
use crate::domain::signal::Signal;
use crate::storage::stories::{StoredStory, StoryKey};
use crate::storage::{signals, stories};

/// Tells the stories of these signals, which are marked as withdrawn, anew by those that are left, with the days, what reports count, and
/// the conditions that they make. A story of which nothing is left is deleted. Answers the first day that changed. The account is
/// locked.
pub(super) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    account: &Account,
    withdrawn: &[Signal],
    now: DateTime<Utc>,
) -> Result<Option<NaiveDate>, ScoringError> {
    let keys: BTreeSet<StoryKey> = withdrawn.iter().filter_map(StoryKey::of).collect();
    if keys.is_empty() {
        return Ok(None);
    }
    let mut left: BTreeMap<StoryKey, Vec<Signal>> = BTreeMap::new();
    for signal in signals::of_stories(conn, &account.id, keys.iter()).await? {
        if let Some(key) = StoryKey::of(&signal) {
            left.entry(key).or_default().push(signal);
        }
    }
    let mut retold: BTreeMap<StoryKey, StoredStory> = stories::load(conn, keys.iter()).await?.into_iter().collect();
    for (key, stored) in &mut retold {
        stored.story = stored.story.retold(left.get(key).into_iter().flatten());
    }
    due_times::look(app, conn, &mut retold, now).await?;
    let is_customer = |_: &_| !account.is_gone();
    let changed = write_stories(app, conn, retold, is_customer, &Causes::default(), now).await?;
    stories::delete(conn, keys.iter().filter(|key| !left.contains_key(*key))).await?;
    Ok(changed.into_iter().map(|(_, day)| day).min())
}
