//! Rows of timelines.

use chrono::{DateTime, Utc};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes;
use crate::domain::{OpportunityName, Stage, TimelineEntry, TimelineKind};

/// Adds an entry at the end; its number is given here. The caller holds the account's row.
pub(crate) async fn append(
    conn: &mut PgConnection,
    name: &OpportunityName,
    entry: &TimelineEntry,
) -> Result<(), StorageError> {
    sqlx::query!(
        "INSERT INTO expansion.timeline (account_id, opportunity_id, number, kind, happened_at, actor, from_stage,
             to_stage, text)
         SELECT $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, $6, $7, $8
           FROM expansion.timeline WHERE account_id = $1 AND opportunity_id = $2",
        name.account.as_str(),
        name.id,
        codes::timeline_kind_number(entry.kind),
        entry.at,
        entry.actor,
        entry.moved.map(|(from, _)| codes::stage_number(from)),
        entry.moved.map(|(_, to)| codes::stage_number(to)),
        entry.text,
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct EntryRow {
    number: i32,
    kind: i16,
    happened_at: DateTime<Utc>,
    actor: String,
    from_stage: Option<i16>,
    to_stage: Option<i16>,
    text: String,
}

impl TryFrom<EntryRow> for TimelineEntry {
    type Error = StorageError;

    fn try_from(row: EntryRow) -> Result<Self, StorageError> {
        let kind: TimelineKind = codes::timeline_kind(row.kind)?;
        let from: Option<Stage> = row.from_stage.map(codes::stage).transpose()?;
        let to = row.to_stage.map(codes::stage).transpose()?;
        Ok(Self {
            number: row.number,
            kind,
            at: row.happened_at,
            actor: row.actor,
            moved: from.zip(to),
            text: row.text,
        })
    }
}

/// A page of a timeline, the first first, after a number.
pub(crate) async fn list(
    conn: &mut PgConnection,
    name: &OpportunityName,
    after: i32,
    limit: i64,
) -> Result<Vec<TimelineEntry>, StorageError> {
    let rows = sqlx::query_as!(
        EntryRow,
        "SELECT number, kind, happened_at, actor, from_stage, to_stage, text FROM expansion.timeline
          WHERE account_id = $1 AND opportunity_id = $2 AND number > $3 ORDER BY number LIMIT $4",
        name.account.as_str(),
        name.id,
        after,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(TimelineEntry::try_from).collect()
}
