//! Leases: messages taken to be sent, and the outcome of what was taken.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_storage::{StorageError, storable_text};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, PgPool, Row};
use uuid::Uuid;

use crate::lane::Destination;
use crate::outcome::Verdict;
use crate::record::MessageState;
use crate::{Channel, Content, Delivery};

/// The most characters of an error that a row keeps.
const ERROR_CHARACTERS_MAX: usize = 500;

/// How long messages wait for a replica whose settings have their destination, before one that has not says so: while
/// replicas are exchanged, some do and some do not.
const STRAY_GRACE: TimeDelta = TimeDelta::minutes(1);

/// The most messages without a destination that are looked at in one go.
const STRAYS_MAX: i64 = 100;

/// The most messages for disabled destinations that are given up in one go.
const HELD_BATCH: i64 = 1_000;

/// How long messages wait for a disabled destination before they are given up.
const HELD_MAX: TimeDelta = TimeDelta::days(7);

/// A message that this process holds the lease of.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    pub(crate) id: Uuid,
    pub(crate) lane: String,
    pub(crate) channel: Channel,
    pub(crate) content: Content,
    pub(crate) traceparent: Option<String>,
    /// The number of this attempt, from 1.
    pub(crate) attempt: i32,
    /// Attempts since it was enqueued or replayed, this one among them.
    pub(crate) attempts_in_schedule: i32,
    /// The time from which it could first be sent.
    pub(crate) send_at: DateTime<Utc>,
    /// When it was enqueued.
    pub(crate) created_at: DateTime<Utc>,
}

/// What is written of an attempt.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) state: MessageState,
    /// When it is tried again, if it is pending.
    pub(crate) due_at: Option<DateTime<Utc>>,
    pub(crate) duration: Duration,
    pub(crate) at: DateTime<Utc>,
}

impl Delivery {
    /// Leases due messages until `lease_end`, of each lane as many as it has room for, but none of `held`.
    pub(crate) async fn claim(
        &self,
        pool: &PgPool,
        lanes: &[(String, i64)],
        held: &[Uuid],
        now: DateTime<Utc>,
        lease_end: DateTime<Utc>,
    ) -> Result<Vec<Claimed>, StorageError> {
        let (names, rooms): (Vec<&str>, Vec<i64>) = lanes.iter().map(|(name, room)| (name.as_str(), *room)).unzip();
        let claimed = sqlx::query_as(self.statements.claim.sql())
            .bind(names)
            .bind(rooms)
            .bind(now)
            .bind(lease_end)
            .bind(held)
            .fetch_all(pool)
            .await?;
        Ok(claimed)
    }

    /// Leases messages whose lane is none of `lanes`, and which have been due for a minute.
    pub(crate) async fn claim_strays(
        &self,
        pool: &PgPool,
        lanes: &[&str],
        now: DateTime<Utc>,
        lease_end: DateTime<Utc>,
    ) -> Result<Vec<Claimed>, StorageError> {
        let claimed = sqlx::query_as(self.statements.claim_strays.sql())
            .bind(lanes)
            .bind(now)
            .bind(lease_end)
            .bind(STRAYS_MAX)
            .bind(now - STRAY_GRACE)
            .fetch_all(pool)
            .await?;
        Ok(claimed)
    }

    /// Writes down how an attempt ended, and what becomes of the message; answers whether it still counted: a lease that
    /// ran out and was taken over counts only if the message was sent. A receiver that is gone is disabled in the same
    /// transaction.
    pub(crate) async fn record(
        &self,
        pool: &PgPool,
        claimed: &Claimed,
        verdict: &Verdict,
        ended: &Ended,
    ) -> Result<bool, StorageError> {
        let error = verdict.error.as_deref().map(|error| storable_text(error, ERROR_CHARACTERS_MAX));
        let record = sqlx::query(self.statements.record.sql())
            .bind(claimed.id)
            .bind(claimed.attempt)
            .bind(verdict.outcome.code())
            .bind(verdict.status_code.map(i32::from))
            .bind(&error)
            .bind(i64::try_from(ended.duration.as_millis()).unwrap_or(i64::MAX))
            .bind(ended.state.code())
            .bind(ended.due_at)
            .bind(ended.at);
        if !verdict.is_gone {
            return Ok(record.execute(pool).await?.rows_affected() == 1);
        }
        let mut transaction = mainstay_storage::begin(pool).await?;
        sqlx::query(self.statements.disable.sql())
            .bind(&claimed.lane)
            .bind(ended.at)
            .bind(error.as_deref().unwrap_or("gone"))
            .execute(&mut *transaction)
            .await?;
        let recorded = record.execute(&mut *transaction).await?.rows_affected() == 1;
        mainstay_storage::commit(transaction).await?;
        Ok(recorded)
    }

    /// Gives up what has waited for a disabled destination for seven days; answers the channels.
    pub(crate) async fn bury_held(&self, pool: &PgPool, now: DateTime<Utc>) -> Result<Vec<Channel>, StorageError> {
        let codes: Vec<i16> = sqlx::query_scalar(self.statements.bury_held.sql())
            .bind(now - HELD_MAX)
            .bind(now)
            .bind(HELD_BATCH)
            .bind("its destination was disabled for seven days")
            .fetch_all(pool)
            .await?;
        Ok(codes.into_iter().filter_map(Channel::from_code).collect())
    }
}

impl Claimed {
    pub(crate) fn destination(&self) -> Option<Destination> {
        Destination::parse(&self.lane)
    }
}

impl FromRow<'_, PgRow> for Claimed {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let Json(content): Json<Content> = row.try_get("content")?;
        let attempt: i32 = row.try_get("attempts")?;
        let replayed_after: i32 = row.try_get("replayed_after")?;
        Ok(Self {
            id: row.try_get("id")?,
            lane: row.try_get("lane")?,
            channel: content.channel(),
            content,
            traceparent: row.try_get("traceparent")?,
            attempt,
            attempts_in_schedule: attempt - replayed_after,
            send_at: row.try_get("send_at")?,
            created_at: row.try_get("created_at")?,
        })
    }
}
