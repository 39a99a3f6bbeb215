//! What a consumer does with an event.

use mainstay_storage::{IsConflict, StorageError};
use sqlx::PgConnection;

use crate::event::{Event, PayloadError};

/// Applies one event.
#[async_trait::async_trait]
pub trait EventHandler: Send + Sync {
    /// Applies the event within the transaction of `conn`, in which the consumer's
    /// offset moves too: what is written there happens once for each event. What is
    /// done elsewhere, such as a call of another service, may happen again.
    ///
    /// A transaction may hold several events, and is run again after a conflict.
    async fn handle(&self, conn: &mut PgConnection, event: &Event) -> Result<(), HandlerError>;

    /// Whether each event has a transaction of its own. For handlers that take their locks in an order which others keep, too: a second
    /// event would begin again with the first of them while the last are held, and meet those others head-on.
    fn is_one_per_transaction(&self) -> bool {
        false
    }
}

/// Why an event was not applied. What the handler wrote for it is rolled back.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// Try again later; after the settings' number of attempts the event is parked.
    #[error("to be tried again: {0}")]
    Retry(String),
    /// The event has no effect here and never will; it is logged, counted and passed over.
    #[error("passed over: {0}")]
    Skip(String),
    /// The database failed. While it is not available, or transactions meet, attempts are not counted.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<sqlx::Error> for HandlerError {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

/// A message that this version cannot read will not become readable.
impl From<PayloadError> for HandlerError {
    fn from(error: PayloadError) -> Self {
        Self::Skip(error.to_string())
    }
}

impl IsConflict for HandlerError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Storage(error) if error.is_conflict())
    }
}
