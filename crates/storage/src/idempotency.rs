//! Records of what requests were answered, so that the same request is answered the same again.
//!
//! A record is made in the transaction of the request's effect: there is one exactly when the effect took
//! place, and a request that failed, or must be tried again, leaves none and keeps its id usable.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, PgConnection, PgPool};

use crate::{SchemaName, StorageError, exactly_one};

/// How often [`Idempotency::begin`] looks again when the record that was in its way is gone.
const LOOKS_MAX: u32 = 5;

/// Who asked for what, under which id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestKey {
    /// The caller's identity; ids of different callers have nothing to do with each other.
    pub caller: String,
    /// The method's full name, `package.Service/Method`: services of one schema may have methods of one name.
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
pub struct Idempotency {
    take: Arc<str>,
    look: Arc<str>,
    finish: Arc<str>,
    sweep: Arc<str>,
}

impl Idempotency {
    /// How long a record is kept: 7 days.
    pub const RETENTION: TimeDelta = TimeDelta::days(7);

    /// The records in `schema`, in the table that [`crate::MIGRATIONS`] makes.
    pub fn new(schema: &SchemaName) -> Self {
        let table = format!("{schema}.idempotency_records");
        Self {
            take: format!(
                "INSERT INTO {table} (caller, method, request_id, fingerprint, created_at) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (caller, method, request_id) DO NOTHING"
            )
            .into(),
            look: format!(
                "SELECT fingerprint, response FROM {table} WHERE caller = $1 AND method = $2 AND request_id = $3"
            )
            .into(),
            finish: format!("UPDATE {table} SET response = $4 WHERE caller = $1 AND method = $2 AND request_id = $3")
                .into(),
            sweep: format!(
                "DELETE FROM {table} AS record USING ( \
                     SELECT caller, method, request_id FROM {table} WHERE created_at < $1 \
                     ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED \
                 ) AS old \
                 WHERE record.caller = old.caller AND record.method = old.method AND record.request_id = old.request_id"
            )
            .into(),
        }
    }

    /// Takes the id for the transaction of `connection`, or tells what it was used for. Must come before the
    /// effect. While another transaction holds the id, this waits for its end: if that commits, its answer
    /// is this one's too; if it rolls back, the id is free.
    ///
    /// `fingerprint` stands for the request's content without its id (see [`fingerprint()`]).
    ///
    /// # Errors
    /// [`StorageError::Timeout`] when the other transaction takes longer than the lock timeout;
    /// [`StorageError::Corrupt`] when the record has no answer, because [`Idempotency::finish`] was left out.
    pub async fn begin(
        &self,
        connection: &mut PgConnection,
        key: &RequestKey,
        fingerprint: [u8; 32],
        now: DateTime<Utc>,
    ) -> Result<Replay, StorageError> {
        for _ in 0..LOOKS_MAX {
            let taken = sqlx::query(AssertSqlSafe(Arc::clone(&self.take)))
                .bind(&key.caller)
                .bind(key.method)
                .bind(&key.request_id)
                .bind(fingerprint.as_slice())
                .bind(now)
                .execute(&mut *connection)
                .await?;
            if taken.rows_affected() == 1 {
                return Ok(Replay::First);
            }
            let found: Option<(Vec<u8>, Option<Vec<u8>>)> = sqlx::query_as(AssertSqlSafe(Arc::clone(&self.look)))
                .bind(&key.caller)
                .bind(key.method)
                .bind(&key.request_id)
                .fetch_optional(&mut *connection)
                .await?;
            match found {
                // Swept between the two statements.
                None => {}
                Some((recorded, _)) if recorded != fingerprint => return Ok(Replay::Mismatch),
                Some((_, Some(response))) => return Ok(Replay::Answered(response)),
                Some((_, None)) => {
                    let RequestKey { method, request_id, .. } = key;
                    return Err(StorageError::Corrupt(format!("request {request_id} of {method} has no answer")));
                }
            }
        }
        Err(StorageError::Conflict)
    }

    /// Records the answer, in the transaction in which [`Idempotency::begin`] gave [`Replay::First`].
    ///
    /// # Errors
    /// [`StorageError::NotExactlyOne`] when the id was not taken.
    pub async fn finish(
        &self,
        connection: &mut PgConnection,
        key: &RequestKey,
        response: &[u8],
    ) -> Result<(), StorageError> {
        let recorded = sqlx::query(AssertSqlSafe(Arc::clone(&self.finish)))
            .bind(&key.caller)
            .bind(key.method)
            .bind(&key.request_id)
            .bind(response)
            .execute(connection)
            .await?;
        exactly_one(&recorded)
    }

    /// Removes records made before `before`, the oldest first and at most `limit` of them, and tells how
    /// many. Fewer than `limit` means that none is left but what another sweep is removing.
    pub async fn sweep(&self, pool: &PgPool, before: DateTime<Utc>, limit: u32) -> Result<u64, StorageError> {
        let removed = sqlx::query(AssertSqlSafe(Arc::clone(&self.sweep)))
            .bind(before)
            .bind(i64::from(limit))
            .execute(pool)
            .await?;
        Ok(removed.rows_affected())
    }
}

/// The SHA-256 of the parts, each preceded by its length, so that no two lists of parts look alike.
///
/// An encoded message is a part only if equal messages encode alike; one with a hash map in it does not.
pub fn fingerprint(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_parts_that_join_to_the_same_text_differ() {
        assert_eq!(fingerprint(&[b"ab", b"c"]), fingerprint(&[b"ab", b"c"]));
        assert_ne!(fingerprint(&[b"ab", b"c"]), fingerprint(&[b"a", b"bc"]));
        assert_ne!(fingerprint(&[b"ab"]), fingerprint(&[b"ab", b""]));
    }
}
