//! Messages and attempts as an operator sees them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, Row};
use uuid::Uuid;

use crate::lane::Destination;
use crate::{AttemptOutcome, Channel, Content};

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageState {
    /// It waits for its time, for another attempt, or for the end of the one under way.
    Pending,
    /// The other side took it.
    Sent,
    /// It was given up, and stays until it is replayed.
    Dead,
}

impl MessageState {
    pub(crate) const fn code(self) -> i16 {
        match self {
            Self::Pending => 1,
            Self::Sent => 2,
            Self::Dead => 3,
        }
    }

    pub(crate) fn from_code(code: i16) -> Option<Self> {
        [Self::Pending, Self::Sent, Self::Dead].into_iter().find(|state| state.code() == code)
    }
}

/// A message as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageRecord {
    /// Its id.
    pub id: Uuid,
    /// What makes it the same message to the caller.
    pub dedupe_key: Option<String>,
    /// The id of the account that it is about.
    pub account: Option<String>,
    /// What it is for.
    pub purpose: String,
    /// How it leaves.
    pub channel: Channel,
    /// Where it goes.
    pub destination: Destination,
    /// What it says.
    pub content: Content,
    /// W3C `traceparent` of the call that caused it, if that was traced.
    pub traceparent: Option<String>,
    /// Where it stands.
    pub state: MessageState,
    /// While pending: when it is tried next, or when the lease of the attempt under way ends.
    pub due_at: DateTime<Utc>,
    /// Until when an attempt may be under way.
    pub leased_until: Option<DateTime<Utc>>,
    /// Attempts so far, those before a replay among them.
    pub attempts: u32,
    /// What the last attempt said, if it failed.
    pub last_error: Option<String>,
    /// The time from which it could first be sent.
    pub send_at: DateTime<Utc>,
    /// When it was enqueued.
    pub created_at: DateTime<Utc>,
    /// When it was sent.
    pub sent_at: Option<DateTime<Utc>>,
    /// Since when it is dead.
    pub dead_at: Option<DateTime<Utc>>,
}

/// An attempt at sending a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// Its number, from 1.
    pub attempt: u32,
    /// When it began, by the clock.
    pub started_at: DateTime<Utc>,
    /// How it ended; `None` while it is under way, or when its process died: the message may have been sent then.
    pub outcome: Option<AttemptOutcome>,
    /// The status of HTTP or SMTP, if there was an answer.
    pub status_code: Option<u16>,
    /// What went wrong.
    pub error: Option<String>,
    /// How long it took, by a monotonic clock.
    pub duration: Option<Duration>,
}

impl FromRow<'_, PgRow> for MessageRecord {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let lane: String = row.try_get("lane")?;
        let state: i16 = row.try_get("state")?;
        let channel: i16 = row.try_get("channel")?;
        let Json(content) = row.try_get("content")?;
        Ok(Self {
            id: row.try_get("id")?,
            dedupe_key: row.try_get("dedupe_key")?,
            account: row.try_get("account_id")?,
            purpose: row.try_get("purpose")?,
            channel: Channel::from_code(channel).ok_or_else(|| unknown("channel", channel))?,
            destination: Destination::parse(&lane).ok_or_else(|| unknown("lane", &lane))?,
            content,
            traceparent: row.try_get("traceparent")?,
            state: MessageState::from_code(state).ok_or_else(|| unknown("state", state))?,
            due_at: row.try_get("due_at")?,
            leased_until: row.try_get("leased_until")?,
            attempts: row.try_get::<i32, _>("attempts")?.unsigned_abs(),
            last_error: row.try_get("last_error")?,
            send_at: row.try_get("send_at")?,
            created_at: row.try_get("created_at")?,
            sent_at: row.try_get("sent_at")?,
            dead_at: row.try_get("dead_at")?,
        })
    }
}

impl FromRow<'_, PgRow> for AttemptRecord {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let outcome: Option<i16> = row.try_get("outcome")?;
        let status_code: Option<i32> = row.try_get("status_code")?;
        let duration_ms: Option<i64> = row.try_get("duration_ms")?;
        Ok(Self {
            attempt: row.try_get::<i32, _>("attempt")?.unsigned_abs(),
            started_at: row.try_get("started_at")?,
            outcome: outcome
                .map(|code| AttemptOutcome::from_code(code).ok_or_else(|| unknown("outcome", code)))
                .transpose()?,
            status_code: status_code.and_then(|code| u16::try_from(code).ok()),
            error: row.try_get("error")?,
            duration: duration_ms.map(|ms| Duration::from_millis(ms.unsigned_abs())),
        })
    }
}

fn unknown(column: &str, value: impl std::fmt::Display) -> sqlx::Error {
    sqlx::Error::Decode(format!("no {column} is `{value}`").into())
}
