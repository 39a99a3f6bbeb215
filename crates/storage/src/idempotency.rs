//! Records of what requests were answered, so that the same request is answered the same again.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgConnection, PgPool};

use crate::{SchemaName, StorageError};

/// Who asked for what, under which id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestKey {
    /// The caller's identity; ids of different callers have nothing to do with each other.
    pub caller: String,
    /// The method's full name.
    pub method: &'static str,
    /// The id that the caller gave the request.
    pub request_id: String,
}

/// What is known of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replay {
    /// It is new: do the work, then call [`Idempotency::finish`] in the same transaction.
    First,
    /// It was answered with this.
    Answered(Vec<u8>),
    /// The id was used for a request with other content.
    Mismatch,
}

/// The idempotency records of a service's schema.
#[derive(Debug, Clone)]
pub struct Idempotency {}

impl Idempotency {
    /// How long a record is kept: 7 days.
    pub const RETENTION: TimeDelta = TimeDelta::days(7);

    /// The records in `schema`.
    pub fn new(schema: &SchemaName) -> Self {
        let _ = schema;
        Self {}
    }

    /// Takes the id for this transaction, or tells what it was used for.
    pub async fn begin(
        &self,
        connection: &mut PgConnection,
        key: &RequestKey,
        fingerprint: [u8; 32],
        now: DateTime<Utc>,
    ) -> Result<Replay, StorageError> {
        let _ = (connection, key, fingerprint, now);
        todo!()
    }

    /// Records the answer.
    pub async fn finish(
        &self,
        connection: &mut PgConnection,
        key: &RequestKey,
        response: &[u8],
    ) -> Result<(), StorageError> {
        let _ = (connection, key, response);
        todo!()
    }

    /// Removes at most `limit` records made before `before`.
    pub async fn sweep(&self, pool: &PgPool, before: DateTime<Utc>, limit: u32) -> Result<u64, StorageError> {
        let _ = (pool, before, limit);
        todo!()
    }
}

/// The SHA-256 of the parts, each preceded by its length, so that no two lists of parts look alike.
pub fn fingerprint(parts: &[&[u8]]) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}
