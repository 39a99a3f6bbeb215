//! What an event is: before it is written, and as the feed gives it.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::events::v1 as api;
use mainstay_domain::{AccountId, partition_of};
use mainstay_storage::StorageError;
use prost::{Message, Name};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

/// An event that is to be written to the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    pub(crate) id: Uuid,
    pub(crate) account_id: String,
    pub(crate) event_type: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) event_time: DateTime<Utc>,
    pub(crate) traceparent: String,
}

impl NewEvent {
    /// The longest encoded payload, in bytes. The database refuses a longer one
    /// with [`StorageError::CheckViolation`].
    pub const PAYLOAD_BYTES_MAX: usize = 1 << 20;

    /// An event of the payload's type, with the trace context of the current span.
    ///
    /// `id` is unique over all services. `account` is `None` for what concerns no
    /// single account. `event_time` is when it happened, by the clock of the business.
    pub fn of<M: Message + Name>(
        id: Uuid,
        account: Option<&AccountId>,
        payload: &M,
        event_time: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            account_id: account.map(|account| account.as_str().to_owned()).unwrap_or_default(),
            event_type: M::full_name(),
            payload: payload.encode_to_vec(),
            event_time,
            traceparent: mainstay_telemetry::propagation::current_traceparent().unwrap_or_default(),
        }
    }

    /// The same event in the trace that a W3C `traceparent` names, when there is one.
    #[must_use]
    pub fn caused_by(self, traceparent: Option<&str>) -> Self {
        match traceparent {
            Some(traceparent) => Self { traceparent: traceparent.to_owned(), ..self },
            None => self,
        }
    }

    /// The partition that the event will be in.
    pub fn partition(&self) -> i16 {
        partition_of(&self.account_id)
    }
}

/// An event of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Unique over all services.
    pub id: Uuid,
    /// The account it happened to; `None` for what concerns no single account.
    pub account: Option<AccountId>,
    /// Full name of the payload's message.
    pub event_type: String,
    /// The encoded message.
    pub payload: Vec<u8>,
    /// When it happened, by the clock of the business.
    pub event_time: DateTime<Utc>,
    /// When it was written to the log.
    pub record_time: DateTime<Utc>,
    /// W3C `traceparent` of the call that caused it, if it was traced.
    pub traceparent: Option<String>,
    /// Partition of the account, 0 to 63.
    pub partition: i16,
    /// Place in the feed: 1, 2, 3 and so on, without a gap.
    pub offset: i64,
}

/// Why an event's payload is not the message that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// The event is of another type.
    #[error("the event is a {actual}, not a {expected}")]
    OtherType {
        /// The type that was asked for.
        expected: String,
        /// The type that the event has.
        actual: String,
    },
    /// The bytes are not such a message.
    #[error("the payload of the {event_type} cannot be read")]
    Unreadable {
        /// The type of the event.
        event_type: String,
        /// What the decoder says.
        #[source]
        source: prost::DecodeError,
    },
}

impl Event {
    /// Whether the event is of the message's type.
    pub fn is<M: Name>(&self) -> bool {
        self.event_type == M::full_name()
    }

    /// The payload as a message.
    ///
    /// # Errors
    /// When the event is of another type, or its bytes are not such a message.
    pub fn decode<M: Message + Name + Default>(&self) -> Result<M, PayloadError> {
        if !self.is::<M>() {
            return Err(PayloadError::OtherType { expected: M::full_name(), actual: self.event_type.clone() });
        }
        M::decode(self.payload.as_slice())
            .map_err(|source| PayloadError::Unreadable { event_type: self.event_type.clone(), source })
    }

    /// The account's id, empty for what concerns no single account.
    pub(crate) fn account_id(&self) -> &str {
        self.account.as_ref().map_or("", AccountId::as_str)
    }

    /// Reads a row that has the columns of [`Event::COLUMNS`].
    pub(crate) fn from_row(row: &PgRow) -> Result<Self, StorageError> {
        let account_id: String = row.try_get("account_id")?;
        let traceparent: String = row.try_get("traceparent")?;
        Ok(Self {
            id: row.try_get("event_id")?,
            account: stored_account(&account_id)?,
            event_type: row.try_get("event_type")?,
            payload: row.try_get("payload")?,
            event_time: row.try_get("event_time")?,
            record_time: row.try_get("record_time")?,
            traceparent: (!traceparent.is_empty()).then_some(traceparent),
            partition: row.try_get("partition")?,
            offset: row.try_get("feed_offset")?,
        })
    }
}

fn stored_account(account_id: &str) -> Result<Option<AccountId>, StorageError> {
    if account_id.is_empty() {
        return Ok(None);
    }
    AccountId::parse(account_id)
        .map(Some)
        .map_err(|error| StorageError::Corrupt(format!("an event's account: {error}")))
}

/// Prefix of an `Any`'s type URL; what follows is the full name of the message.
const TYPE_URL_PREFIX: &str = "type.googleapis.com/";

impl From<Event> for api::Event {
    fn from(event: Event) -> Self {
        Self {
            id: event.id.to_string(),
            account: event.account.as_ref().map(AccountId::name).unwrap_or_default(),
            payload: Some(prost_types::Any {
                type_url: format!("{TYPE_URL_PREFIX}{}", event.event_type),
                value: event.payload,
            }),
            r#type: event.event_type,
            event_time: Some(timestamp(event.event_time)),
            record_time: Some(timestamp(event.record_time)),
            traceparent: event.traceparent.unwrap_or_default(),
            partition: event.partition.into(),
            offset: event.offset,
        }
    }
}

fn timestamp(time: DateTime<Utc>) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: time.timestamp(),
        nanos: i32::try_from(time.timestamp_subsec_nanos()).unwrap_or(999_999_999),
    }
}

/// A message of another service that is not a valid event.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event's field `{field}` cannot be read")]
pub struct MalformedEvent {
    field: &'static str,
}

impl TryFrom<api::Event> for Event {
    type Error = MalformedEvent;

    fn try_from(event: api::Event) -> Result<Self, MalformedEvent> {
        let malformed = |field| MalformedEvent { field };
        let account = match event.account.as_str() {
            "" => None,
            name => Some(AccountId::parse_name(name).map_err(|_| malformed("account"))?),
        };
        let partition = i16::try_from(event.partition).map_err(|_| malformed("partition"))?;
        if partition != partition_of(account.as_ref().map_or("", AccountId::as_str)) {
            return Err(malformed("partition"));
        }
        if event.offset < 1 {
            return Err(malformed("offset"));
        }
        Ok(Self {
            id: Uuid::parse_str(&event.id).map_err(|_| malformed("id"))?,
            account,
            event_type: event.r#type,
            payload: event.payload.ok_or(malformed("payload"))?.value,
            event_time: date_time(event.event_time).ok_or(malformed("event_time"))?,
            record_time: date_time(event.record_time).ok_or(malformed("record_time"))?,
            traceparent: (!event.traceparent.is_empty()).then_some(event.traceparent),
            partition,
            offset: event.offset,
        })
    }
}

fn date_time(timestamp: Option<prost_types::Timestamp>) -> Option<DateTime<Utc>> {
    let given = timestamp?;
    DateTime::from_timestamp(given.seconds, u32::try_from(given.nanos).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        let account = AccountId::parse("acme").expect("an id");
        Event {
            id: Uuid::from_u128(7),
            partition: partition_of(account.as_str()),
            account: Some(account),
            event_type: "mainstay.events.v1.FeedPosition".to_owned(),
            payload: api::FeedPosition { newest_offset: 3, ..Default::default() }.encode_to_vec(),
            event_time: DateTime::from_timestamp(1_000, 1_000).expect("a time"),
            record_time: DateTime::from_timestamp(-1, 999_999_000).expect("a time"),
            traceparent: None,
            offset: 5,
        }
    }

    #[test]
    fn an_event_survives_the_wire() {
        assert_eq!(Event::try_from(api::Event::from(event())), Ok(event()));
        let no_account = Event { account: None, partition: partition_of(""), ..event() };
        assert_eq!(Event::try_from(api::Event::from(no_account.clone())), Ok(no_account));
    }

    #[test]
    fn an_event_in_another_accounts_partition_is_refused() {
        let moved = api::Event { partition: 63, ..api::Event::from(event()) };
        assert_eq!(Event::try_from(moved), Err(MalformedEvent { field: "partition" }));
    }

    #[test]
    fn a_payload_is_read_only_as_its_own_type() {
        assert_eq!(event().decode::<api::FeedPosition>().expect("its type").newest_offset, 3);
        assert!(matches!(event().decode::<api::SubscribeRequest>(), Err(PayloadError::OtherType { .. })));
        let broken = Event { payload: vec![0xff], ..event() };
        assert!(matches!(broken.decode::<api::FeedPosition>(), Err(PayloadError::Unreadable { .. })));
    }
}
