//! The rows of jobs: schedule, claim, complete, fail.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use mainstay_storage::{SchemaName, StorageError};
use sqlx::PgConnection;

use crate::NewJob;
use crate::statements::Statements;

/// The jobs of one service, in its schema. Clones share the statements.
#[derive(Debug, Clone)]
pub struct Jobs {
    pub(crate) statements: Arc<Statements>,
}

impl Jobs {
    /// The jobs in the table of a schema.
    pub fn new(schema: &SchemaName) -> Self {
        Self { statements: Arc::new(Statements::new(schema)) }
    }

    /// Schedules jobs in the caller's transaction: they can be claimed once it commits.
    pub async fn schedule(
        &self,
        _connection: &mut PgConnection,
        _queue: &str,
        _jobs: &[NewJob],
        _now: DateTime<Utc>,
    ) -> Result<(), StorageError> {
        todo!()
    }

    /// [`schedule`](Self::schedule) for many keys at one time without a payload.
    pub async fn schedule_marks(
        &self,
        _connection: &mut PgConnection,
        _queue: &str,
        _keys: &[&str],
        _low_marks: &[i64],
        _due_at: DateTime<Utc>,
        _now: DateTime<Utc>,
    ) -> Result<(), StorageError> {
        todo!()
    }

    /// Removes jobs, dead ones too; answers how many there were.
    pub async fn cancel(
        &self,
        _connection: &mut PgConnection,
        _queue: &str,
        _keys: &[&str],
    ) -> Result<u64, StorageError> {
        todo!()
    }
}
