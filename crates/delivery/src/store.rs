//! Messages as a use case meets them: enqueued in its transaction.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use mainstay_domain::Violations;
use mainstay_storage::{IsConflict, SchemaName, StorageError};
use mainstay_telemetry::propagation::current_traceparent;
use sqlx::PgConnection;
use sqlx::types::Json;
use tokio::sync::watch;
use uuid::Uuid;

use crate::NewMessage;
use crate::statements::Statements;

/// The messages of one service, in its schema. Clones share the statements, and wake the same dispatchers.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub(crate) statements: Arc<Statements>,
    pub(crate) wake: Arc<watch::Sender<()>>,
}

/// What became of an enqueued message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enqueued {
    /// The id under which the message is kept: that of the first one with the same key.
    pub id: Uuid,
    /// Whether it is new; else it was there, and nothing changed.
    pub is_new: bool,
}

/// Why a message was not enqueued.
#[derive(Debug, thiserror::Error)]
pub enum EnqueueError {
    /// It can never be sent: all its faults, by field.
    #[error("the message cannot be sent: {}", list(.0))]
    Invalid(Violations),
    /// The database did not take it.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl IsConflict for EnqueueError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Storage(error) if error.is_conflict())
    }
}

impl Delivery {
    /// The messages in the tables of a schema.
    pub fn new(schema: &SchemaName) -> Self {
        Self { statements: Arc::new(Statements::new(schema)), wake: Arc::new(watch::Sender::new(())) }
    }

    /// Writes a message down in the caller's transaction; it is sent once that commits, and only then. It remembers
    /// the trace of the current span. Call [`wake`](Self::wake) after the commit.
    ///
    /// The same id or dedupe key again changes nothing, whatever else is in the message. Two transactions that enqueue
    /// the same key at once wait for each other: enqueue last, or in the order of the keys.
    ///
    /// Whether the destination is in the settings is not asked here: a business transaction does not fail for that. Such
    /// a message is tried by the schedule, and dead at its end.
    ///
    /// # Errors
    /// [`EnqueueError::Invalid`] for what can never be sent; nothing was written then, and the transaction goes on.
    pub async fn enqueue(
        &self,
        connection: &mut PgConnection,
        message: &NewMessage,
        now: DateTime<Utc>,
    ) -> Result<Enqueued, EnqueueError> {
        let faults = message.violations();
        // A name that is none is among the faults.
        let Some(destination) = message.content.destination().filter(|_| faults.is_empty()) else {
            return Err(EnqueueError::Invalid(faults));
        };
        let written = sqlx::query(self.statements.enqueue.sql())
            .bind(message.id)
            .bind(&message.dedupe_key)
            .bind(message.account.as_ref().map(mainstay_domain::AccountId::as_str))
            .bind(&message.purpose)
            .bind(destination.channel().code())
            .bind(destination.to_string())
            .bind(Json(&message.content))
            .bind(current_traceparent())
            .bind(message.send_at.unwrap_or(now).max(now))
            .bind(now)
            .execute(&mut *connection)
            .await
            .map_err(StorageError::from)?;
        if written.rows_affected() == 1 {
            return Ok(Enqueued { id: message.id, is_new: true });
        }
        let known: Option<Uuid> = sqlx::query_scalar(self.statements.find_known.sql())
            .bind(message.id)
            .bind(&message.dedupe_key)
            .fetch_optional(connection)
            .await
            .map_err(StorageError::from)?;
        // None: thrown away between the two statements, long after it was sent.
        Ok(Enqueued { id: known.unwrap_or(message.id), is_new: false })
    }

    /// Has the dispatchers of this process look for due messages now: after a commit that enqueued some, and when the
    /// clock was turned. Without it they are found within the poll interval.
    pub fn wake(&self) {
        self.wake.send_replace(());
    }
}

fn list(faults: &Violations) -> String {
    let faults = faults.iter().map(|fault| format!("{} {}", fault.field, fault.description));
    faults.collect::<Vec<_>>().join("; ")
}
