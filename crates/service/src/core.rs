//! What every use case of a service works with.

use std::sync::Arc;

use mainstay_domain::{IdSource, SharedClock};
use mainstay_events::EventLog;
use mainstay_jobs::Jobs;
use mainstay_storage::{Idempotency, SchemaName};
use sqlx::PgPool;
use tokio::sync::Notify;

/// What every use case of a service works with. Clones are the same.
#[derive(Debug, Clone)]
pub struct Core {
    /// Connections for calls.
    pub pool: PgPool,
    /// The time.
    pub clock: SharedClock,
    /// New ids.
    pub ids: Arc<IdSource>,
    /// The service's event log.
    pub events: EventLog,
    /// The service's due work.
    pub jobs: Jobs,
    /// Records of answered requests.
    pub idempotency: Idempotency,
    /// Told when a mutation may have made work due.
    pub work_arrived: Arc<Notify>,
}

impl Core {
    /// The core of the service with this schema.
    pub fn new(schema: &SchemaName, pool: PgPool, clock: SharedClock) -> Self {
        Self {
            pool,
            ids: Arc::new(IdSource::new(clock.clone())),
            clock,
            events: EventLog::new(schema),
            jobs: Jobs::new(schema),
            idempotency: Idempotency::new(schema),
            work_arrived: Arc::new(Notify::new()),
        }
    }
}
