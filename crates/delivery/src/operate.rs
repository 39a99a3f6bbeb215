//! What an operator sees and does: lists, replays, destinations, retention.

use chrono::{DateTime, Utc};
use mainstay_domain::AccountId;
use mainstay_storage::{StorageError, exactly_one};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::lane::Destination;
use crate::record::{AttemptRecord, MessageRecord, MessageState};
use crate::{Channel, Delivery};

/// The most messages that one list answers.
const LIST_MAX: i64 = 1_001;

/// The most attempts that are shown of a message, the newest ones.
const ATTEMPTS_SHOWN_MAX: i64 = 100;

/// Which messages to list; the default is all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageFilter {
    /// Only those in this state.
    pub state: Option<MessageState>,
    /// Only those that leave this way.
    pub channel: Option<Channel>,
    /// Only those for this.
    pub purpose: Option<String>,
    /// Only those about this account.
    pub account: Option<AccountId>,
    /// Only those that go there.
    pub destination: Option<Destination>,
}

/// The place of a message in a list, newest first.
pub type MessagePosition = (DateTime<Utc>, Uuid);

/// What a replay met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replayed {
    /// The message is due now, with all attempts before it.
    Due,
    /// There is no such message.
    Unknown,
    /// An attempt is under way, or its process died and the lease has not run out.
    InFlight,
}

/// How many messages there are that were not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageCounts {
    /// Still to be sent.
    pub pending: u64,
    /// Given up.
    pub dead: u64,
}

/// A destination as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestinationState {
    /// Which one.
    pub destination: Destination,
    /// Since when it is disabled, if it is.
    pub disabled_at: Option<DateTime<Utc>>,
    /// Why it is disabled.
    pub reason: Option<String>,
    /// Messages that wait for it.
    pub pending: u64,
    /// When the first of them is, or was, due.
    pub oldest_due: Option<DateTime<Utc>>,
}

impl Delivery {
    /// The messages that fit a filter, newest first, at most 1 001, from the one after `after` on.
    pub async fn list(
        &self,
        pool: &PgPool,
        filter: &MessageFilter,
        after: Option<MessagePosition>,
        limit: i64,
    ) -> Result<Vec<MessageRecord>, StorageError> {
        let (after_time, after_id) = after.unzip();
        let records = sqlx::query_as(self.statements.list.sql())
            .bind(filter.state.map(MessageState::code))
            .bind(filter.channel.map(Channel::code))
            .bind(&filter.purpose)
            .bind(filter.account.as_ref().map(AccountId::as_str))
            .bind(filter.destination.as_ref().map(ToString::to_string))
            .bind(after_time)
            .bind(after_id)
            .bind(limit.clamp(1, LIST_MAX))
            .fetch_all(pool)
            .await?;
        Ok(records)
    }

    /// One message, as the caller's transaction sees it.
    pub async fn lookup(&self, connection: &mut PgConnection, id: Uuid) -> Result<Option<MessageRecord>, StorageError> {
        Ok(sqlx::query_as(self.statements.get.sql()).bind(id).fetch_optional(connection).await?)
    }

    /// The attempts at sending a message, the newest first, at most 100.
    pub async fn attempts(&self, connection: &mut PgConnection, id: Uuid) -> Result<Vec<AttemptRecord>, StorageError> {
        let attempts = sqlx::query_as(self.statements.attempts.sql())
            .bind(id)
            .bind(ATTEMPTS_SHOWN_MAX)
            .fetch_all(connection)
            .await?;
        Ok(attempts)
    }

    /// Has a message sent, whether it was sent, is dead or waits, in the caller's transaction: due now, with a new set of
    /// attempts. Call [`wake`](Self::wake) after the commit.
    pub async fn replay(
        &self,
        connection: &mut PgConnection,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Replayed, StorageError> {
        let found: Option<(i16, Option<DateTime<Utc>>)> =
            sqlx::query_as(self.statements.lock.sql()).bind(id).fetch_optional(&mut *connection).await?;
        match found {
            None => Ok(Replayed::Unknown),
            Some((_, Some(leased_until))) if leased_until > now => Ok(Replayed::InFlight),
            Some(_) => {
                let replayed = sqlx::query(self.statements.replay.sql()).bind(id).bind(now).execute(connection).await?;
                exactly_one(&replayed)?;
                Ok(Replayed::Due)
            }
        }
    }

    /// The destinations that are given, and all others for which messages wait or which are disabled; sorted.
    pub async fn destinations(
        &self,
        connection: &mut PgConnection,
        configured: &[Destination],
    ) -> Result<Vec<DestinationState>, StorageError> {
        let disabled: Vec<(String, DateTime<Utc>, String)> =
            sqlx::query_as(self.statements.list_disabled.sql()).fetch_all(&mut *connection).await?;
        let waiting: Vec<(String, i64, DateTime<Utc>)> =
            sqlx::query_as(self.statements.count_by_lane.sql()).fetch_all(connection).await?;
        let mut all: Vec<Destination> = configured.to_vec();
        let lanes = disabled.iter().map(|(lane, ..)| lane).chain(waiting.iter().map(|(lane, ..)| lane));
        all.extend(lanes.filter_map(|lane| Destination::parse(lane)));
        all.sort_unstable();
        all.dedup();
        let states = all.into_iter().map(|destination| {
            let lane = destination.to_string();
            let off = disabled.iter().find(|(disabled_lane, ..)| *disabled_lane == lane);
            let queue = waiting.iter().find(|(waiting_lane, ..)| *waiting_lane == lane);
            DestinationState {
                destination,
                disabled_at: off.map(|(_, at, _)| *at),
                reason: off.map(|(.., reason)| reason.clone()),
                pending: queue.map_or(0, |(_, pending, _)| pending.unsigned_abs()),
                oldest_due: queue.map(|(.., oldest)| *oldest),
            }
        });
        Ok(states.collect())
    }

    /// How many messages are still to be sent, and how many were given up.
    pub async fn counts(&self, pool: &PgPool, now: DateTime<Utc>) -> Result<MessageCounts, StorageError> {
        let counts: Vec<(i16, i16, i64, Option<DateTime<Utc>>)> =
            sqlx::query_as(self.statements.observe.sql()).bind(now).fetch_all(pool).await?;
        let of_state = |state: MessageState| {
            counts
                .iter()
                .filter(|(_, of, ..)| *of == state.code())
                .map(|(.., messages, _)| messages.unsigned_abs())
                .sum()
        };
        Ok(MessageCounts { pending: of_state(MessageState::Pending), dead: of_state(MessageState::Dead) })
    }

    /// Lets messages go to a destination again, in the caller's transaction; answers whether it was disabled. Those that
    /// waited are due. Call [`wake`](Self::wake) after the commit.
    pub async fn enable(&self, connection: &mut PgConnection, destination: &Destination) -> Result<bool, StorageError> {
        let enabled =
            sqlx::query(self.statements.enable.sql()).bind(destination.to_string()).execute(connection).await?;
        Ok(enabled.rows_affected() == 1)
    }

    /// Throws away messages that were sent before `sent_before`, with their attempts, the oldest first and at most
    /// `limit`; answers how many. Fewer than `limit` means that none is left. Dead ones stay.
    ///
    /// A dedupe key is known as long as its message: keep messages for longer than a cause may come again.
    pub async fn prune(&self, pool: &PgPool, sent_before: DateTime<Utc>, limit: u32) -> Result<u64, StorageError> {
        let pruned =
            sqlx::query(self.statements.prune.sql()).bind(sent_before).bind(i64::from(limit)).execute(pool).await?;
        Ok(pruned.rows_affected())
    }
}
